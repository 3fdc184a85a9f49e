// `tke-eni get nec` on the embedded API server, with NECs as the leader and an agent write them.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { serveKubeApi } from '../../internal/apiserver/http-server.ts'
import { openSqliteStorage } from '../../internal/apiserver/sqlite-storage.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { installNecCrd } from '../../internal/kube/install-nec-crd.ts'
import { mergeNec, necCollection, necPath } from '../../internal/kube/nec-api.ts'
import { encodePublication, encodeReport } from '../../internal/wire/nec.ts'
import { publication, report } from '../kube/samples.ts'
import { follow, get } from './get-process.ts'

const directory = mkdtempSync(join(tmpdir(), 'tke-eni-get-nec-'))
const socketPath = join(directory, 'api.sock')
const server = `unix://${socketPath}`
const storage = openSqliteStorage({ path: ':memory:', clock: systemClock, keepChanges: 1000 })
const served = await serveKubeApi({ storage, clock: systemClock, log: silentLog, listen: { socketPath } })
const client = await connectKube({ server }, systemClock)

before(async () => {
  const before = await get('nec', '--kube-server', server)
  assert.equal(before.status, 3)
  assert.match(before.stderr, /Cannot list NECs: this cluster does not know NodeENIConfig\n.*leader/)
  await installNecCrd(client, systemClock, silentLog)
  assert.deepEqual(await get('necs', '--kube-server', server), {
    status: 0,
    stdout: '',
    stderr: 'No NECs found\n',
  })
  for (const name of ['node-b', 'node-a']) await publish(name)
  await mergeNec(client, 'node-a', 'status', encodeReport(report))
})
after(async () => {
  client.close()
  await served.close()
  storage.close()
  rmSync(directory, { recursive: true })
})

async function publish(name: string): Promise<void> {
  const { spec, status } = encodePublication(publication)
  const body = {
    apiVersion: 'networking.tke.cloud.tencent.com/v1',
    kind: 'NodeENIConfig',
    metadata: { name },
    spec,
  }
  await client.call({ doing: 'create NEC', method: 'POST', path: necCollection, body })
  await mergeNec(client, name, 'status', { status })
}

test('get nec prints the columns of the definition', async () => {
  const { stdout, stderr } = await get('nec', '--kube-server', server)
  assert.equal(stderr, '')
  assert.equal(
    stdout.replaceAll(/\b\d+s$/gm, '<age>'),
    `NAME     ENIS   IPS     USED     IDLE   READY   AGE
node-a      1     1        1        0   True    <age>
node-b      1     1   <none>   <none>   True    <age>
`,
  )
})

test('get nec <name> -o json prints plain objects', async () => {
  const { stdout } = await get('nec', 'node-a', '-o', 'json', '--kube-server', server)
  const [{ uid, createdAt, ...nec }, ...others] = JSON.parse(stdout)
  assert.deepEqual([others, typeof uid, Number.isNaN(Date.parse(createdAt))], [[], 'string', false])
  assert.deepEqual(nec, {
    name: 'node-a',
    instance: 'ins-1',
    zone: 'ap-chengdu-1',
    enis: 1,
    addresses: 1,
    inUse: 1,
    idle: 0,
    returned: 1,
    maxEnis: 3,
    addressesPerEni: 9,
    minWarm: 5,
    maxWarm: 5,
    exclusiveEnis: 0,
    exclusiveInUse: 0,
    maxExclusiveEnis: 0,
    exclusiveMinWarm: 0,
    exclusiveMaxWarm: 0,
    ready: 'True',
    readyReason: 'Ok',
    readyMessage: '',
    agentVersion: '0.1.0',
    databaseId: 'db-1',
    fault: null,
  })
})

test('[R6] get nec says which one it cannot find, and when no API server answers', async () => {
  const one = await get('nec', 'node-x', '--kube-server', server)
  assert.deepEqual(
    [one.status, one.stderr],
    [3, 'tke-eni: Cannot find NEC "node-x": it is not in this cluster\n'],
  )
  const some = await get('nec', 'node-a', 'node-x', '--kube-server', server)
  assert.equal(some.status, 3)
  assert.match(some.stdout, /^node-a /m)
  const nobody = await get('nec', '--kube-server', `unix://${join(directory, 'nobody.sock')}`)
  assert.equal(nobody.status, 1)
  assert.match(nobody.stderr, /^tke-eni: Cannot list NECs: /)
})

test('get nec --watch prints what changes', async () => {
  const watched = follow('nec', '--watch', '--kube-server', server)
  await watched.line(/^node-b /)
  await mergeNec(client, 'node-b', 'status', encodeReport({ ...report, inUse: 7 }))
  assert.match(await watched.line(/./), /^node-b +1 +1 +7 /)
  await client.call({ doing: 'delete NEC', method: 'DELETE', path: necPath('node-b') })
  assert.match(await watched.line(/./), /^node-b .* gone /)
  assert.equal((await watched.stop()).status, 0)
})
