import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fields, type Log, silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { chooseCredentials } from '../../internal/vpc/choose-credentials.ts'
import { environmentCredentials } from '../../internal/vpc/credentials.ts'
import type { MetadataAnswer } from '../../internal/vpc/metadata.ts'
import { roleCredentials } from '../../internal/vpc/role-credentials.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'

const minute = 60_000
const hour = 60 * minute
const listPath = '/latest/meta-data/cam/security-credentials/'

/** A machine with a CAM role whose credentials live for an hour, and a metadata service that can be broken. */
function setUp() {
  const clock = new VirtualClock()
  const lines: string[] = []
  const write = (event: string, fields?: Fields) => void lines.push(JSON.stringify({ event, ...fields }))
  const log: Log = { ...silentLog, info: write, warn: write, error: write, debug: write }
  const state = {
    fails: undefined as 'throws' | MetadataAnswer | undefined,
    issued: 0,
    reads: 0,
    lifeMs: hour,
  }
  async function readMetadata(path: string): Promise<MetadataAnswer> {
    state.reads++
    await new Promise<void>((resolve) => clock.after(20, resolve))
    if (state.fails === 'throws') throw new Error('connect EHOSTUNREACH')
    if (state.fails !== undefined) return state.fails
    if (path === listPath) return { status: 200, body: 'role-a\n' }
    assert.equal(path, `${listPath}role-a`)
    const n = ++state.issued
    const body = {
      TmpSecretId: `id-${n}`,
      TmpSecretKey: `hush-key-${n}`,
      Token: `hush-token-${n}`,
      ExpiredTime: Math.floor((clock.now() + state.lifeMs) / 1000),
      Code: 'Success',
    }
    return { status: 200, body: JSON.stringify(body) }
  }
  const options = { clock, log, random: seededRandom(1), readMetadata }
  return { clock, lines, state, options, role: roleCredentials(options) }
}

test('roleCredentials() fetches once for all who ask', async () => {
  const { clock, state, role } = setUp()
  const all = await clock.runUntil(Promise.all([role.get(), role.get(), role.get()]))
  assert.deepEqual(new Set(all.map(({ secretId }) => secretId)), new Set(['id-1']))
  await clock.runUntil(role.get())
  assert.equal(state.reads, 2)
})

test('roleCredentials() renews more than five minutes early, without keeping anybody waiting', async () => {
  const { clock, state, role } = setUp()
  await clock.runUntil(role.get())
  await clock.advance(45 * minute)
  assert.equal((await clock.runUntil(role.get())).secretId, 'id-1')
  assert.equal(state.issued, 1)
  await clock.advance(8 * minute)
  const before = clock.now()
  assert.equal((await clock.runUntil(role.get())).secretId, 'id-1')
  assert.equal(clock.now(), before)
  await clock.advance(1000)
  assert.equal((await clock.runUntil(role.get())).secretId, 'id-2')
})

test('roleCredentials() uses what it holds while the service fails, to the end and no longer', async () => {
  const { clock, state, role } = setUp()
  await clock.runUntil(role.get())
  state.fails = 'throws'
  await clock.advance(55 * minute)
  assert.equal((await clock.runUntil(role.get())).secretId, 'id-1')
  await clock.advance(4 * minute)
  assert.equal((await clock.runUntil(role.get())).secretId, 'id-1')
  await clock.advance(minute)
  await assert.rejects(clock.runUntil(role.get()), { code: 'unavailable', message: /EHOSTUNREACH/ })
})

test('roleCredentials() forgets a failure, and asks no more often than its back-off', async () => {
  const { clock, state, role } = setUp()
  state.fails = 'throws'
  await assert.rejects(clock.runUntil(role.get()), { code: 'unavailable' })
  for (let i = 0; i < 20; i++) await assert.rejects(clock.runUntil(role.get()), { code: 'unavailable' })
  assert.equal(state.reads, 1)
  state.fails = undefined
  await clock.advance(1000)
  assert.equal((await clock.runUntil(role.get())).secretId, 'id-1')
})

test('renew() drops refused credentials, once for a burst of refusals', async () => {
  const { clock, state, role } = setUp()
  await clock.runUntil(role.get())
  await clock.advance(minute)
  role.renew()
  assert.equal((await clock.runUntil(role.get())).secretId, 'id-2')
  role.renew()
  assert.equal((await clock.runUntil(role.get())).secretId, 'id-2')
  assert.equal(state.issued, 2)
})

for (const c of [
  {
    shows: 'no role',
    fails: { status: 404, body: '' },
    code: 'unauthenticated',
    says: /no CAM role \(HTTP 404\)/,
  },
  { shows: 'an error', fails: { status: 500, body: '' }, code: 'unavailable', says: /HTTP 500/ },
  {
    shows: 'nothing',
    fails: { status: 200, body: '\n' },
    code: 'unauthenticated',
    says: /empty list of roles/,
  },
  { shows: 'no JSON', fails: { status: 200, body: 'hush' }, code: 'unavailable', says: /not JSON/ },
  { shows: 'too little', fails: { status: 200, body: '{}' }, code: 'unavailable', says: /field Code is not/ },
]) {
  test(`chooseCredentials() tells what it tried when metadata shows ${c.shows}`, async () => {
    const { clock, state, options } = setUp()
    state.fails = c.fails
    const chosen = chooseCredentials({ ...options, env: {} })
    await assert.rejects(clock.runUntil(chosen.get()), (error) => {
      assert.ok(error instanceof IpamError)
      assert.equal(error.code, c.code)
      assert.match(error.message, c.says)
      assert.match(error.message, /metadata\.tencentyun\.com/)
      assert.match(error.message, /TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY are not set/)
      assert.match(error.hint ?? '', /IPAMDofTKE_QCSRole/)
      assert.doesNotMatch(error.message, /hush/)
      return true
    })
  })
}

test('chooseCredentials() prefers the environment to the role', async () => {
  const { clock, state, options } = setUp()
  const env = {
    TENCENTCLOUD_SECRET_ID: 'env-id',
    TENCENTCLOUD_SECRET_KEY: 'k',
    TENCENTCLOUD_SESSION_TOKEN: 't',
  }
  const chosen = (given: object) => clock.runUntil(chooseCredentials({ ...options, env: {}, ...given }).get())
  assert.deepEqual(await chosen({ env }), { secretId: 'env-id', secretKey: 'k', token: 't' })
  assert.equal(state.reads, 0)
  assert.equal((await chosen({})).secretId, 'id-1')
})

test('environmentCredentials() names the missing half', () => {
  assert.throws(() => environmentCredentials({ TENCENTCLOUD_SECRET_ID: 'hush' }), {
    code: 'bad_input',
    message:
      'Cannot sign calls to Tencent Cloud: TENCENTCLOUD_SECRET_ID is set and TENCENTCLOUD_SECRET_KEY is not',
  })
  assert.throws(() => environmentCredentials({ TENCENTCLOUD_SECRET_KEY: 'hush' }), {
    message: /TENCENTCLOUD_SECRET_KEY is set and TENCENTCLOUD_SECRET_ID is not/,
  })
})

test('roleCredentials() logs renewals and failures without a secret', async () => {
  const { clock, lines, state, role } = setUp()
  await clock.runUntil(role.get())
  state.fails = { status: 200, body: '{"Code":"Success","TmpSecretId":"hush","TmpSecretKey":7}' }
  await clock.advance(55 * minute)
  await clock.runUntil(role.get())
  await clock.advance(1000)
  assert.equal(lines.length, 2, lines.join('\n'))
  assert.doesNotMatch(lines.join('\n'), /hush/)
})
