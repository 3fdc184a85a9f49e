// A real kube-apiserver with its etcd on the loopback, for as long as a test needs it: RBAC on, nothing of it outside one
// temporary folder.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { type KubeBinaries, kubeBinaries } from './kube-binaries.ts'
import { freePort, output, type Service, startService, temporaryFolder, until } from './service.ts'

export interface RealKubeApiserver {
  readonly url: string
  /** Path of a kubeconfig for the administrator. */
  readonly kubeconfig: string
  /** The administrator's bearer token. */
  readonly token: string
  /** The certificates that vouch for the server, as PEM. */
  readonly ca: string
  /** Runs the kubectl of the same version as the administrator; returns what it printed, throws when it fails. */
  kubectl(...args: readonly string[]): Promise<string>
  /** Stops the API server (not etcd). */
  interrupt(): Promise<void>
  /** Starts it again on the same address; resolves when it is ready. */
  resume(): Promise<void>
  /** Makes every resourceVersion so far too old: etcd compacts them away, and a restart empties the server's watch caches. */
  forget(): Promise<void>
  stop(): Promise<void>
}

/** A further identity: its bearer token, and what RBAC sees. */
export interface ApiserverUser {
  readonly token: string
  readonly name: string
  readonly groups?: readonly string[]
}

/** Starts etcd and kube-apiserver and resolves when the server is ready. Throws with their last words when they do not start. */
export async function startKubeApiserver(
  options: { users?: readonly ApiserverUser[]; flags?: readonly string[] } = {},
): Promise<RealKubeApiserver> {
  const binaries = await kubeBinaries((line) => process.stderr.write(`${line}\n`))
  const folder = temporaryFolder('kube')
  const services: Service[] = []
  const stop = async () => {
    for (const service of services.toReversed()) await service.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const etcd = await startEtcd(binaries, folder)
    services.push(etcd.service)
    const token = randomBytes(16).toString('hex')
    writeIdentities(folder, [{ token, name: 'admin', groups: ['system:masters'] }, ...(options.users ?? [])])
    const port = await freePort()
    const url = `https://127.0.0.1:${port}`
    const start = async () => {
      const argv = [binaries.apiserver, ...flagsOf(folder, port, etcd.url), ...(options.flags ?? [])]
      const apiserver = startService('kube-apiserver', argv)
      services[1] = apiserver
      await until('kube-apiserver is ready', () => isReady(url, token), [etcd.service, apiserver])
    }
    await start()
    const kubeconfig = join(folder, 'kubeconfig')
    // The server made its own certificate: the chain in the file ends in the authority that signed it.
    const ca = readFileSync(join(folder, 'pki', 'apiserver.crt'), 'utf8')
    writeFileSync(kubeconfig, kubeconfigOf(url, ca, token), { mode: 0o600 })
    const interrupt = async () => services[1]?.stop()
    return {
      url,
      kubeconfig,
      token,
      ca,
      kubectl: (...args) => output([binaries.kubectl, '--kubeconfig', kubeconfig, ...args]),
      interrupt,
      resume: start,
      async forget() {
        await compact(etcd.url)
        await interrupt()
        await start()
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startEtcd(binaries: KubeBinaries, folder: string): Promise<{ service: Service; url: string }> {
  const url = `http://127.0.0.1:${await freePort()}`
  const service = startService('etcd', [
    binaries.etcd,
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync', // thrown away with the test
    '--log-level=warn',
  ])
  const healthy = () =>
    fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    )
  await until('etcd is healthy', healthy, [service])
  return { service, url }
}

/** Makes a revision of its own, which nobody has seen, and drops all before it. */
async function compact(etcd: string): Promise<void> {
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`${etcd}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok)
      throw new Error(`Cannot compact etcd: it answered ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const put = (await post('put', { key: btoa('forgotten') })) as { header: { revision: string } }
  await post('compaction', { revision: put.header.revision, physical: true })
}

function writeIdentities(folder: string, users: readonly ApiserverUser[]): void {
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  writeFileSync(join(folder, 'sa.pub'), keys.publicKey)
  writeFileSync(join(folder, 'sa.key'), keys.privateKey, { mode: 0o600 })
  const lines = users.map(
    ({ token, name, groups }) => `${token},${name},${name},"${(groups ?? []).join(',')}"\n`,
  )
  writeFileSync(join(folder, 'tokens.csv'), lines.join(''), { mode: 0o600 })
}

function flagsOf(folder: string, port: number, etcd: string): readonly string[] {
  return [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'pki')}`,
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none', // a loopback address is no endpoint
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(folder, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    '--disable-admission-plugins=ServiceAccount', // no controller makes the account that it would demand
  ]
}

/** Ready, and with the namespace that the server makes for itself a moment later. */
async function isReady(url: string, token: string): Promise<boolean> {
  const [ready, namespace] = await Promise.all([
    statusOf(`${url}/readyz`, token),
    statusOf(`${url}/api/v1/namespaces/default`, token),
  ])
  return ready === 200 && namespace === 200
}

/** The answer's status; 0 without one. Its certificate is not there to be checked until the server has made it. */
function statusOf(url: string, token: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` }
    const sent = request(url, { headers, rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume()
      answer.once('close', () => resolve(answer.statusCode ?? 0))
    })
    sent.once('error', () => resolve(0))
    sent.end()
  })
}

/** A kubeconfig for one identity at the server; `ca` only where there is TLS. */
export function kubeconfigOf(server: string, ca: string | undefined, token: string): string {
  const vouched = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  // JSON is YAML.
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster: { server, ...vouched } }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'user', namespace: 'default' } }],
    'current-context': 'e2e',
  })
}
