// kubectl on VpcIPs and VpcIPClaims through a real kube-apiserver: what people type, and who may.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { request } from 'node:https'
import { after, before, describe, test } from 'node:test'
import { connect } from 'node:tls'
import {
  bound,
  deleteClaim,
  insertClaim,
  pending,
  retained,
  updateClaim,
} from '../apiserver/claims/claim-rows.ts'
import { claimsContract } from '../contract/claims.contract.ts'
import { httpKubeServer } from '../contract/kube/server.ts'
import { type AggregatedClaims, startAggregatedClaims } from './aggregated-claims.ts'
import { kubeBinaries } from './kube-binaries.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { type Finished, run, until } from './service.ts'

const missing = explainSkip(missingPieces('kube-apiserver'))
const viewer = { token: 'viewer-token', name: 'viewer' }
const nobody = { token: 'nobody-token', name: 'nobody' }

if (missing) test('claims behind a real kube-apiserver', { skip: missing })
else {
  claimsContract('a real kube-apiserver', async () => {
    const { real, ledger, stop } = await startAggregatedClaims()
    const headers = { authorization: `Bearer ${real.token}` }
    const server = httpKubeServer({ baseUrl: real.url, ca: real.ca, headers })
    return { server, db: ledger.db, forget: ledger.forget, close: stop }
  })
  describe('claims behind a real kube-apiserver', { timeout: 180_000 }, people)
}

function people(): void {
  let world: AggregatedClaims | undefined
  const its = (): AggregatedClaims => {
    if (world === undefined) throw new Error('Cannot test: nothing was started')
    return world
  }
  before(async () => {
    world = await startAggregatedClaims([viewer, nobody])
    const { db } = world.ledger
    insertClaim(db, bound('web-0', '10.0.0.5'))
    insertClaim(db, retained('web-1', '10.0.0.6', { expire_after: 3_600_000, expires_at: 3_590_000 }))
    const quota = 'the VPC has as many ENIs as it may have (LimitExceeded)'
    insertClaim(
      db,
      pending('web-2', { phase: 'Attaching', address: '10.0.0.7', reason: 'ENILimit', message: quota }),
    )
    await world.real.kubectl(
      'create',
      'rolebinding',
      'viewer',
      '--clusterrole=tke-eni-claims-view',
      '--user=viewer',
    )
  })
  after(() => world?.stop())

  const kubectlAs = async (token: string | undefined, ...args: readonly string[]): Promise<Finished> => {
    const { kubectl } = await kubeBinaries()
    const { kubeconfig } = its().real
    // A token on the command line goes before that of the file.
    return run([
      kubectl,
      '--kubeconfig',
      kubeconfig,
      ...(token === undefined ? [] : [`--token=${token}`]),
      ...args,
    ])
  }
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await kubectlAs(undefined, ...args)
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`)
    return stdout.replaceAll(/ +/g, ' ')
  }

  test('[S8] kubectl get vip', async () => {
    const out = await kubectl('get', 'vip')
    assert.match(out, /^NAME PHASE NAMESPACE\/POD NODE AGE\n10\.0\.0\.5 Assigned default\/web-0 node-1 \S+\n/)
  })

  test('[S8] kubectl get vip -oyaml shows what the VPC said of an address that cannot be attached', async () => {
    const out = await kubectl('get', 'vip', '10.0.0.7', '-oyaml')
    assert.match(out, /\n phase: Attaching\n/)
    assert.match(out, /\n message: the VPC has as many ENIs as it may have/)
  })

  test('[S8] kubectl get vipc -A -o wide', async () => {
    const out = await kubectl('get', 'vipc', '-A', '-o', 'wide')
    assert.match(out, /^NAMESPACE NAME PHASE IP NODE POLICY EXPIRES AGE OWNER SUBNET MESSAGE\n/)
    assert.match(out, /\ndefault web-1 Retained 10\.0\.0\.6 <none> Never in 59m /)
  })

  test('kubectl describe vip, and explain vipc.status', async () => {
    assert.match(await kubectl('describe', 'vip', '10.0.0.5'), /Kind: VpcIP\n/)
    const explained = await kubectl('explain', 'vipc.status')
    assert.match(explained, /KIND: VpcIPClaim/)
    assert.match(explained, /expiresAt\s<string>\n When the address is given back/)
    assert.match(await kubectl('explain', 'vip.spec.claimRef'), /claim that has the address/)
  })

  test('kubectl get vip -w', async () => {
    const { kubectl: path } = await kubeBinaries()
    const watch = spawn(path, ['--kubeconfig', its().real.kubeconfig, 'get', 'vip', '-w', '--no-headers'])
    const seen = linesOf(watch)
    await until('the watch shows what exists', async () => seen().length >= 3)
    insertClaim(its().ledger.db, bound('late', '10.0.0.9'))
    await until('the watch shows what comes', async () => seen().some((line) => line.startsWith('10.0.0.9')))
    deleteClaim(its().ledger.db, 'late')
    await until('the watch shows what goes', async () => seen().length >= 5)
    watch.kill()
  })

  test('[S6] kubectl delete vipc waits until the address is given back', async () => {
    insertClaim(its().ledger.db, retained('old', '10.0.0.20'))
    let returned = false
    const deleting = kubectlAs(undefined, 'delete', 'vipc', 'old').then((finished) => {
      returned = true
      return finished
    })
    const { db } = its().ledger
    await until('the claim is being released', async () => phaseOf(db, 'old') === 'Releasing')
    assert.equal(returned, false)
    deleteClaim(db, 'old')
    const { code, stdout } = await deleting
    assert.equal(code, 0)
    assert.match(stdout, /"old" deleted/)
  })

  test('[S6] kubectl delete vipc is refused while the pod runs, and so is delete vip', async () => {
    const claim = await kubectlAs(undefined, 'delete', 'vipc', 'web-0')
    assert.equal(claim.code, 1)
    assert.match(claim.stderr, /its pod is there on node "node-1" and would lose its network/)
    const address = await kubectlAs(undefined, 'delete', 'vip', '10.0.0.5')
    assert.match(address.stderr, /a VpcIP goes with its VpcIPClaim: delete that one/)
  })

  test('[K4] whoever may only look may not delete; whoever may do nothing sees nothing', async () => {
    const canI = async (token: string, ...what: readonly string[]) =>
      (await kubectlAs(token, 'auth', 'can-i', ...what)).stdout.trim()
    assert.equal(await canI(viewer.token, 'get', 'vipc'), 'yes')
    assert.equal(await canI(viewer.token, 'delete', 'vipc'), 'no')
    assert.equal(await canI(nobody.token, 'list', 'vipc'), 'no')
    assert.match((await kubectlAs(viewer.token, 'get', 'vipc')).stdout, /web-1/)
    assert.match((await kubectlAs(viewer.token, 'delete', 'vipc', 'web-1')).stderr, /Forbidden/)
    assert.match((await kubectlAs(viewer.token, 'get', 'vipc', '-A')).stderr, /Forbidden/)
    assert.match((await kubectlAs(nobody.token, 'get', 'vip')).stderr, /Forbidden/)
    assert.equal(phaseOf(its().ledger.db, 'web-1'), 'Retained')
  })

  test('[K4] nobody but the API server is heard on the port itself', async () => {
    const { port, frontProxy } = its()
    const path = '/apis/ipam.tke.cloud.tencent.com/v1beta1/vpcips'
    const headers = { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' }
    assert.equal(await statusOf(port, path, { headers }), 401)
    assert.equal(await statusOf(port, path, { headers, ...frontProxy.other }), 401)
    assert.equal(await statusOf(port, path, { headers: {}, ...frontProxy.client }), 401)
    assert.equal(await statusOf(port, path, { headers, ...frontProxy.client }), 200)
    const low = { 'x-remote-user': 'nobody', 'x-remote-group': 'a, system:masters' }
    assert.equal(await statusOf(port, path, { headers: low, ...frontProxy.client }), 403)
    assert.equal(await statusOf(port, '/healthz', { headers: {} }), 200)
    assert.equal(await isResumed(port), false)
  })

  test('[K1] without a leader kubectl says so at once, and goes on when there is one', async () => {
    const from = await kubectl('get', 'vipc', 'web-1', '-o', 'jsonpath={.metadata.resourceVersion}')
    await its().stopLeader()
    const began = Date.now()
    const { code, stderr } = await kubectlAs(undefined, 'get', 'vip')
    assert.equal(code, 1)
    assert.match(
      stderr,
      /ServiceUnavailable|unable to handle the request|connection refused|error trying to reach service|the server doesn't have a resource type/,
    )
    assert.ok(Date.now() - began < 5000)
    assert.match(await kubectl('get', 'namespaces'), /kube-system/)
    updateClaim(its().ledger.db, 'web-1', { message: 'while nobody watched' })
    await its().startLeader()
    await until('kubectl sees them again', async () => (await kubectlAs(undefined, 'get', 'vip')).code === 0)
    const watch = `/apis/ipam.tke.cloud.tencent.com/v1beta1/vpcipclaims?watch=1&timeoutSeconds=1&resourceVersion=${from}`
    assert.match(await kubectl('get', '--raw', watch), /"type":"MODIFIED".*while nobody watched/)
  })

  test('[K1] kubectl finds a leader on another machine, and what was of the old one is not taken for its', async () => {
    const from = await kubectl('get', 'vipc', 'web-1', '-o', 'jsonpath={.metadata.resourceVersion}')
    await its().replaceLeader()
    insertClaim(its().ledger.db, retained('rebuilt', '10.0.0.40'))
    const seen = async () => (await kubectlAs(undefined, 'get', 'vip')).stdout.includes('10.0.0.40')
    await until('kubectl sees the claims of the new leader', seen)
    assert.doesNotMatch(await kubectl('get', 'vip'), /10\.0\.0\.6/)
    const watch = `/apis/ipam.tke.cloud.tencent.com/v1beta1/vpcipclaims?watch=1&timeoutSeconds=1&resourceVersion=${from}`
    assert.match(await kubectl('get', '--raw', watch), /"type":"ERROR".*"code":410/)
  })
}

test('[K1] a leader that may not be found by kubectl says so once, and what to do', {
  skip: missing,
}, async () => {
  const { warnings, stop, real, ledger } = await startAggregatedClaims([], { permitted: false })
  after(stop)
  await until('the leader has told', async () => warnings.length >= 2)
  assert.equal(new Set(warnings).size, warnings.length)
  assert.match(warnings.join('\n'), /kubectl cannot get vip, vipc and eipc/)
  assert.equal(ledger.db.get('SELECT 1 AS one') !== undefined, true)
  await assert.rejects(real.kubectl('get', 'vip'))
})

function phaseOf(db: AggregatedClaims['ledger']['db'], name: string): string | undefined {
  return db.get<{ phase: string }>('SELECT phase FROM claim WHERE name = ?', name)?.phase
}

function linesOf(child: ChildProcess): () => readonly string[] {
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return () => text.split('\n').filter((line) => line !== '')
}

/** Is a second connection taken for the one before, and with it who it was? */
async function isResumed(port: number): Promise<boolean> {
  const once = (session?: Buffer) =>
    new Promise<{ session: Buffer | undefined; resumed: boolean }>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, rejectUnauthorized: false }
      const socket = connect(session === undefined ? options : { ...options, session })
      let given: Buffer | undefined
      let resumed = false
      socket.on('session', (ticket: Buffer) => {
        given = ticket
      })
      socket.once('error', reject)
      socket.on('data', () => socket.end())
      socket.once('close', () => resolve({ session: given, resumed }))
      socket.once('secureConnect', () => {
        resumed = socket.isSessionReused()
        socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
      })
    })
  const { session } = await once()
  return (await once(session)).resumed
}

interface Direct {
  readonly headers: Readonly<Record<string, string>>
  readonly cert?: string
  readonly key?: string
}

/** Of a request that goes past the API server. */
function statusOf(port: number, path: string, direct: Direct): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false, ...direct },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    sent.once('error', reject)
    sent.end()
  })
}
