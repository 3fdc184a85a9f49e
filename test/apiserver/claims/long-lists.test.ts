// Lists that are too long for one turn of the event loop: the leader holds its lease and serves its nodes on the same one.
import assert from 'node:assert/strict'
import { get } from 'node:http'
import { type TestContext, test } from 'node:test'
import { asObject, asObjects, asText, at, type JsonObject } from '../../../internal/apiserver/object.ts'
import { deleteClaim, insertClaim, retained, updateClaim } from './claim-rows.ts'
import { type ClaimLedger, type ClaimServer, openClaimLedger, openClaimServer } from './claim-server.ts'

const group = '/apis/ipam.tke.cloud.tencent.com/v1beta1'
const all = `${group}/vpcipclaims`
const many = 2600

function fill({ db }: ClaimLedger): void {
  db.transaction(() => {
    for (let i = 0; i < many; i++)
      insertClaim(db, retained(podName(i), address(i), { namespace: i % 2 === 0 ? 'even' : 'odd' }))
  })
}

const podName = (i: number): string => `pod-${String(i).padStart(4, '0')}`
const address = (i: number): string => `10.0.${i >> 8}.${i & 255}`

function openFull(t: TestContext): ClaimLedger {
  const ledger = openClaimLedger()
  t.after(() => ledger.close())
  fill(ledger)
  return ledger
}

async function serveFull(t: TestContext): Promise<ClaimServer> {
  const server = await openClaimServer()
  t.after(() => server.stop())
  fill(server)
  return server
}

/** The parts of an answer; `between` is called after each. */
async function partsOf({ api }: ClaimLedger, url: string, between: (part: number) => void = () => {}) {
  const answer = api.handle({ method: 'GET', url })
  assert.ok('parts' in answer, 'it is answered in parts')
  const parts: string[] = []
  for await (const part of answer.parts) {
    parts.push(part)
    between(parts.length)
  }
  return parts
}

async function read({ url }: ClaimServer, path: string, accept = 'application/json'): Promise<JsonObject> {
  const answer = await fetch(`${url}${path}`, { headers: { accept } })
  assert.equal(answer.status, 200)
  return asObject((await answer.json()) as JsonObject)
}

const nameOf = (object: JsonObject): string => asText(at(object, 'metadata', 'name'))
const namesIn = (list: JsonObject): string[] => asObjects(list['items']).map(nameOf)
const metadataOf = (list: JsonObject): JsonObject => asObject(list['metadata'])

test('a long list is of one state, whatever happens while it is read', async (t) => {
  const ledger = openFull(t)
  const version = ledger.api.handle({ method: 'GET', url: `${all}?limit=1` })
  assert.ok('body' in version)
  const before = metadataOf(asObject(JSON.parse(String(version.body))))
  const parts = await partsOf(ledger, all, (part) => {
    updateClaim(ledger.db, podName(part), { message: 'changed meanwhile' })
    updateClaim(ledger.db, podName(many - part), { message: 'changed meanwhile' })
    deleteClaim(ledger.db, podName(2 * part + 1300))
    insertClaim(ledger.db, retained(`later-${part}`, `10.9.0.${part}`, { namespace: 'odd' }))
  })
  const list = asObject(JSON.parse(parts.join('')))
  assert.equal(list['kind'], 'VpcIPClaimList')
  assert.equal(metadataOf(list)['resourceVersion'], before['resourceVersion'])
  const wanted = Array.from({ length: many }, (_, i) => podName(i))
  assert.equal(namesIn(list).length, many)
  assert.deepEqual(new Set(namesIn(list)), new Set(wanted))
  assert.ok(asObjects(list['items']).every((claim) => at(claim, 'status', 'message') === undefined))
})

test('a long list leaves others their turns', async (t) => {
  const ledger = openFull(t)
  let turns = 0
  let ended = false
  const turn = () => {
    turns++
    if (!ended) setImmediate(turn)
  }
  setImmediate(turn)
  const seen: number[] = []
  const parts = await partsOf(ledger, all, () => seen.push(turns))
  ended = true
  assert.ok(parts.length >= 5)
  const apart = seen.slice(1, -1).map((count, i) => count - (seen[i] ?? 0))
  assert.ok(
    apart.every((count) => count >= 1),
    `${seen}`,
  )
})

test('many long lists take turns with each other', async (t) => {
  const ledger = openFull(t)
  let [turns, inThisTurn, most] = [0, 0, 0]
  const turn = () => {
    most = Math.max(most, inThisTurn)
    inThisTurn = 0
    if (++turns < 100) setImmediate(turn)
  }
  setImmediate(turn)
  await Promise.all(Array.from({ length: 5 }, () => partsOf(ledger, all, () => void inThisTurn++)))
  assert.ok(most <= 12, `${most} parts in one turn`) // the first part of each is made when it is asked for
})

test('a list with a limit that is long goes on where it ended', async (t) => {
  const server = await serveFull(t)
  const first = await read(server, `${all}?limit=1800`)
  const { continue: next, remainingItemCount, resourceVersion } = metadataOf(first)
  assert.deepEqual([namesIn(first).length, remainingItemCount], [1800, 800])
  const rest = await read(server, `${all}?limit=1800&continue=${asText(next)}`)
  assert.deepEqual(metadataOf(rest), { resourceVersion })
  const whole = await read(server, all)
  assert.deepEqual([...namesIn(first), ...namesIn(rest)], namesIn(whole))
})

test('few of many are found, also with a limit', async (t) => {
  const server = await serveFull(t)
  for (const i of [7, 700, 1100]) updateClaim(server.db, podName(i), { zone: 'zone-b' })
  const selected = `${all}?fieldSelector=status.zone%3Dzone-b`
  const found = namesIn(await read(server, selected))
  assert.deepEqual(found, [podName(700), podName(1100), podName(7)]) // by namespace first
  let path = `${selected}&limit=1`
  const one: string[] = []
  for (let pages = 0; pages < 5; pages++) {
    const page = await read(server, path)
    one.push(...namesIn(page))
    const next = asText(metadataOf(page)['continue'])
    if (next === '') break
    path = `${selected}&limit=1&continue=${next}`
  }
  assert.deepEqual(one, found)
})

test('one of many is found by its name', async (t) => {
  const server = await serveFull(t)
  const named = `${group}/namespaces/odd/vpcipclaims?fieldSelector=metadata.name%3D${podName(7)}`
  assert.deepEqual(namesIn(await read(server, named)), [podName(7)])
  assert.deepEqual(namesIn(await read(server, `${named}%2Cstatus.phase%3DBound`)), [])
  const elsewhere = named.replace('/odd/', '/even/')
  assert.deepEqual(namesIn(await read(server, elsewhere)), [])
  const address = await read(server, `${group}/vpcips?fieldSelector=metadata.name%3D10.0.1.5`)
  assert.deepEqual(namesIn(address), ['10.0.1.5'])
})

test('[S8] a long table has a row for each', async (t) => {
  const server = await serveFull(t)
  const table = await read(server, all, 'application/json;as=Table;v=v1;g=meta.k8s.io')
  assert.equal(table['kind'], 'Table')
  assert.equal(asObjects(table['rows']).length, many)
  assert.ok(asObjects(table['columnDefinitions']).length > 5)
})

test('a watch that begins with many objects sends each, the bookmark, and then what happened since', async (t) => {
  const server = await serveFull(t)
  const query = '?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  const answer = await fetch(`${server.url}${all}${query}`)
  const events: { type: string; object: JsonObject }[] = []
  let rest = ''
  for await (const chunk of answer.body ?? []) {
    if (events.length === 0) updateClaim(server.db, podName(many - 1), { message: 'changed meanwhile' })
    const lines = (rest + Buffer.from(chunk).toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    events.push(...lines.map((line) => JSON.parse(line) as (typeof events)[number]))
    if (events.at(-1)?.type === 'MODIFIED') break
  }
  const added = events.filter(({ type }) => type === 'ADDED').map(({ object }) => nameOf(object))
  assert.equal(new Set(added).size, many)
  assert.deepEqual(
    events.slice(added.length).map(({ type }) => type),
    ['BOOKMARK', 'MODIFIED'],
  )
})

test('somebody who goes away in the middle of a long list does no harm', async (t) => {
  const server = await serveFull(t)
  await new Promise<void>((resolve, reject) => {
    const sent = get(`${server.url}${all}`, (answer) => {
      answer.once('data', () => {
        answer.destroy()
        resolve()
      })
    })
    sent.once('error', reject)
  })
  assert.equal(namesIn(await read(server, all)).length, many)
})
