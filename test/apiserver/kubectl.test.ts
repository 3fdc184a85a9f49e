// The real kubectl against the embedded server: what people type, and what they see.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { kubeconfigFor } from '../../internal/apiserver/kubeconfig.ts'
import { type OpenServer, openServer } from './open-server.ts'

const kubectlPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'kubectl'))
  .find(existsSync)
const skip =
  kubectlPath === undefined ? 'there is no kubectl on the PATH: install it to run these tests' : false
const definition = new URL('../../internal/kube/manifests/nec-crd.yaml', import.meta.url).pathname

const manifest = `apiVersion: v1
kind: Node
metadata: { name: node-1, labels: { zone: z1 } }
---
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  nodeName: node-1
  containers: [{ name: main, image: 'nginx:1' }]
---
apiVersion: networking.tke.cloud.tencent.com/v1
kind: NodeENIConfig
metadata: { name: node-1 }
spec: { instanceID: ins-1, zone: z1, maxRouteENI: 3, maxIPPerENI: 9 }
`

describe('kubectl', { skip, timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-'))
  const config = join(folder, 'config')
  const file = join(folder, 'all.yaml')
  let server: OpenServer | undefined

  const environment = {
    ...process.env,
    KUBECONFIG: config,
    HOME: folder,
    KUBECACHEDIR: join(folder, 'cache'),
  }
  const run = (...args: readonly string[]) =>
    new Promise<{ code: number; out: string; error: string }>((resolve) => {
      execFile(kubectlPath ?? '', args, { env: environment }, (failure, out, error) => {
        resolve({ code: failure === null ? 0 : Number(failure.code), out, error })
      })
    })
  /** What it prints, with runs of blanks as one. */
  const kubectl = async (...args: readonly string[]) => {
    const { code, out, error } = await run(...args)
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${error}`)
    return out.replaceAll(/ +/g, ' ').replaceAll(/ \n/g, '\n')
  }

  before(async () => {
    server = await openServer()
    writeFileSync(config, kubeconfigFor(server.url))
    writeFileSync(file, manifest)
    await kubectl('apply', '-f', definition)
    assert.match(
      await kubectl('apply', '-f', file),
      /node\/node-1 created\npod\/web created\nnodeeniconfig.* created\n/,
    )
  })
  after(async () => {
    await server?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('version and api-resources', async () => {
    assert.match(await kubectl('version'), /Server Version: .*v1\./)
    const resources = await kubectl('api-resources')
    assert.match(
      resources,
      /^nodeeniconfigs nec networking\.tke\.cloud\.tencent\.com\/v1 false NodeENIConfig$/m,
    )
    assert.match(resources, /^pods po v1 true Pod$/m)
  })

  test('apply twice, changed, and on the server side', async () => {
    assert.match(await kubectl('apply', '-f', file), /nodeeniconfig.* unchanged/)
    writeFileSync(file, manifest.replace('maxRouteENI: 3', 'maxRouteENI: 4').replace('app: web', 'app: site'))
    assert.match(await kubectl('apply', '-f', file), /pod\/web configured\nnodeeniconfig.* configured/)
    assert.equal(await kubectl('get', 'nec', 'node-1', '-o', 'jsonpath={.spec.maxRouteENI}'), '4')
    assert.equal(await kubectl('get', 'pod', 'web', '-o', 'jsonpath={.metadata.labels.app}'), 'site')
    const other = join(folder, 'other.yaml')
    writeFileSync(other, 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ssa }\ndata: { a: "1" }\n')
    assert.match(await kubectl('apply', '--server-side', '-f', other), /configmap\/ssa serverside-applied/)
    assert.match(await kubectl('apply', '--server-side', '-f', other), /configmap\/ssa serverside-applied/)
    assert.equal((await run('diff', '-f', file)).code, 0)
  })

  test('apply names what the schema does not allow', async () => {
    const bad = join(folder, 'bad.yaml')
    writeFileSync(bad, manifest.split('---\n')[2]?.replace('maxRouteENI: 3', 'maxRouteENI: -3') ?? '')
    const { code, error } = await run('apply', '-f', bad)
    assert.equal(code, 1)
    assert.match(error, /The NodeENIConfig "node-1" is invalid: spec\.maxRouteENI: Invalid value: -3/)
  })

  test('get as table, wide, YAML and JSON path', async () => {
    const status = { status: { routeENICount: 1, boundIPCount: 4, node: { inUse: 1, idle: 3 } } }
    await kubectl(
      'patch',
      'nec',
      'node-1',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify(status),
    )
    assert.match(
      await kubectl('get', 'nec'),
      /^NAME ENIS BOUND USED IDLE MIN MAX READY AGE\nnode-1 1 4 1 3 \d+s\n$/,
    )
    assert.match(
      await kubectl('get', 'nec', '-o', 'wide'),
      /^NAME ENIS BOUND USED IDLE MIN MAX READY REASON SETTINGS MAX ENIS IPS\/ENI DIRECT DIRECT USED DIRECT MIN/,
    )
    assert.match(
      await kubectl('get', 'pods', '-o', 'wide'),
      /\nweb 0\/1 Pending 0 \d+s <none> node-1 <none> <none>\n/,
    )
    assert.match(await kubectl('get', 'nodes', '-o', 'wide'), /\nnode-1 Unknown <none> \d+s/)
    assert.match(
      await kubectl('get', 'pod', 'web', '-o', 'yaml'),
      /kind: Pod\nmetadata:[\s\S]*nodeName: node-1/,
    )
    assert.match(
      await kubectl('get', 'nec,pods', '-A', '-o', 'wide'),
      /nodeeniconfig\.networking\.tke\.cloud\.tencent\.com\/node-1/,
    )
    assert.match(
      await kubectl('get', 'pods', '-l', 'app', '--field-selector', 'spec.nodeName=node-1', '-o', 'name'),
      /^pod\/web\n$/,
    )
  })

  test('describe pod, node and nec with their events', async () => {
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'web.1', namespace: 'default' },
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Pod',
        name: 'web',
        namespace: 'default',
        uid: await kubectl('get', 'pod', 'web', '-o', 'jsonpath={.metadata.uid}'),
      },
      type: 'Warning',
      reason: 'NoAddress',
      message: 'nothing left',
      source: { component: 'tke-eni' },
      count: 2,
      firstTimestamp: '2026-01-02T03:04:05Z',
      lastTimestamp: '2026-01-02T03:04:05Z',
    }
    const path = join(folder, 'event.json')
    writeFileSync(path, JSON.stringify(event))
    await kubectl('create', '-f', path)
    assert.match(
      await kubectl('describe', 'pod', 'web'),
      /Node: node-1\/[\s\S]*Warning NoAddress .* tke-eni nothing left/,
    )
    assert.match(
      await kubectl('get', 'events'),
      /LAST SEEN TYPE REASON OBJECT MESSAGE\n\S+ Warning NoAddress pod\/web nothing left/,
    )
    assert.match(await kubectl('events', '--for', 'pod/web'), /NoAddress/)
    assert.match(
      await kubectl('describe', 'node', 'node-1'),
      /Non-terminated Pods: \(1 in total\)[\s\S]*default web/,
    )
    assert.match(await kubectl('describe', 'nec', 'node-1'), /Instance ID: ins-1[\s\S]*Bound IP Count:/)
  })

  test('annotate, label, patch, edit', async () => {
    assert.match(
      await kubectl('annotate', 'nec', 'node-1', 'x.io/y=5'),
      /^nodeeniconfig\.networking\.tke\.cloud\.tencent\.com\/node-1 annotated?\n$/,
    )
    assert.match(await kubectl('label', 'node', 'node-1', 'a=b'), /node\/node-1 labeled/)
    assert.match(await kubectl('label', 'node', 'node-1', 'a-'), /node\/node-1 unlabeled/)
    const taint = await kubectl('taint', 'node', 'node-1', 'x.io/y=z:NoSchedule')
    assert.match(taint, /node\/node-1 tainted/)
    await kubectl('patch', 'pod', 'web', '-p', '{"spec":{"containers":[{"name":"main","image":"nginx:2"}]}}')
    assert.equal(await kubectl('get', 'pod', 'web', '-o', 'jsonpath={.spec.containers[*].image}'), 'nginx:2')
    const { code, error } = await run('annotate', 'nec', 'node-1', 'x.io/y=6')
    assert.equal(code, 1)
    assert.match(error, /--overwrite is false but found the following declared annotation/)
  })

  test('explain', async () => {
    assert.match(
      await kubectl('explain', 'nec.status.node'),
      /inUse\s<integer>\s+Addresses of shared ENIs that pods have now/,
    )
    assert.match(await kubectl('explain', 'pod.metadata.labels'), /KIND: Pod/)
  })

  test('small objects from the command line', async () => {
    assert.match(await kubectl('create', 'namespace', 'team'), /namespace\/team created/)
    assert.match(
      await kubectl('create', 'configmap', 'settings', '--from-literal=a=b', '-n', 'team'),
      /created/,
    )
    assert.equal(await kubectl('get', 'cm', 'settings', '-n', 'team', '-o', 'jsonpath={.data.a}'), 'b')
    assert.match(await kubectl('run', 'quick', '--image=none', '-n', 'team'), /pod\/quick created/)
    assert.equal(await kubectl('auth', 'can-i', 'create', 'pods'), 'yes\n')
    assert.match(await kubectl('delete', 'namespace', 'team'), /namespace "team" deleted/)
    assert.match((await run('get', 'namespace', 'team')).error, /NotFound.*namespaces "team" not found/)
  })

  test('get -w shows changes as they come', async () => {
    const child = spawn(kubectlPath ?? '', ['get', 'cm', '-w', '-l', 'w'], { env: environment })
    const lines = linesOf(child.stdout)
    const ended = new Promise((resolve) => child.once('close', resolve))
    try {
      await kubectl('create', 'configmap', 'watched')
      await kubectl('label', 'cm', 'watched', 'w=1')
      assert.match((await lines.next()).value ?? '', /^NAME +DATA +AGE$/)
      assert.match((await lines.next()).value ?? '', /^watched +0 +\d+s$/)
      await kubectl('patch', 'cm', 'watched', '-p', '{"data":{"a":"1"}}')
      assert.match((await lines.next()).value ?? '', /^watched +1 +\d+s$/)
    } finally {
      child.kill()
      await ended
    }
  })

  test('delete waits for the kubelet, --force does not', async () => {
    assert.match(await kubectl('delete', 'pod', 'web', '--wait=false'), /pod "web" deleted/)
    assert.match(await kubectl('get', 'pod', 'web'), /\nweb 0\/1 Terminating/)
    await kubectl('delete', 'pod', 'web', '--grace-period=0', '--force')
    const { code, error } = await run('get', 'pod', 'web')
    assert.equal(code, 1)
    assert.match(error, /Error from server \(NotFound\): pods "web" not found/)
    assert.match(
      await kubectl('delete', 'nec', 'node-1'),
      /nodeeniconfig\.networking\.tke\.cloud\.tencent\.com "node-1" deleted/,
    )
    assert.match(await kubectl('delete', 'crd', 'nodeeniconfigs.networking.tke.cloud.tencent.com'), /deleted/)
    assert.match(
      (await run('get', 'nec')).error,
      /could not find the requested resource|doesn't have a resource type "nec"/,
    )
  })
})

async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream) {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop() ?? ''
    yield* parts
  }
}
