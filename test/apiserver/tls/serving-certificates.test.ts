import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { servingCertificates } from '../../../internal/apiserver/tls/serving-certificates.ts'
import { type Log, silentLog } from '../../../internal/base/log.ts'
import { VirtualClock } from '../../fake/virtual-clock.ts'

const day = 86_400_000
const name = 'tke-eni-apiserver.kube-system.svc'

function given(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let now = Date.UTC(2026, 0, 1)
  const file = join(folder, 'ca.pem')
  const warnings: unknown[] = []
  const log: Log = { ...silentLog, warn: (event, fields) => void warnings.push([event, fields?.['why']]) }
  const open = (authorityName = 'ca') =>
    servingCertificates({ file, authorityName, names: [name], clock: { now: () => now }, log })
  return {
    file,
    open,
    warnings,
    pass: (ms: number) => {
      now += ms
    },
    isValid: (pem: string) => {
      const { validFromDate, validToDate } = new X509Certificate(pem)
      return validFromDate.getTime() <= now && now <= validToDate.getTime()
    },
  }
}

test('servingCertificates() vouches for its names, and keeps the key to itself', (t) => {
  const { file, open } = given(t)
  const made = open()
  const [authority, server] = [new X509Certificate(made.authority()), new X509Certificate(made.server().cert)]
  assert.ok(authority.ca && server.checkIssued(authority) && server.verify(authority.publicKey))
  assert.equal(server.checkHost(name), name)
  assert.equal(server.checkHost('other.kube-system.svc'), undefined)
  assert.deepEqual(server.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('servingCertificates() goes on with the authority of the process before', (t) => {
  const { open } = given(t)
  const before = open()
  const after = open()
  assert.equal(after.authority(), before.authority())
  assert.notEqual(after.server().cert, before.server().cert)
})

for (const [what, text] of [
  ['nothing', ''],
  ['half of what it had', undefined],
  ['a key of another one', 'swap'],
] as const) {
  test(`servingCertificates() makes an authority anew when the file has ${what}`, (t) => {
    const { file, open } = given(t)
    const before = open().authority()
    const content = readFileSync(file, 'utf8')
    rmSync(file)
    const other = open().authority()
    const swapped = content.split('-----BEGIN PRIVATE')[0] + readFileSync(file, 'utf8').slice(other.length)
    writeFileSync(file, text === 'swap' ? swapped : (text ?? content.slice(0, -60)))
    const made = open().authority()
    assert.notEqual(made, before)
    assert.notEqual(made, other)
  })
}

/** Clients look for the issuer by its name: kubectl said "unable to verify the first certificate". */
test('servingCertificates() makes an authority anew that has another name', (t) => {
  const { open, warnings } = given(t)
  const other = open('other').authority()
  assert.deepEqual(warnings, [])
  const made = open()
  assert.notEqual(made.authority(), other)
  assert.ok(new X509Certificate(made.server().cert).checkIssued(new X509Certificate(made.authority())))
  assert.deepEqual(warnings, [['authority in file not used: made anew', 'its subject is "CN=other"']])
})

test('renew() changes nothing before it must, and both before they end', (t) => {
  const { open, pass, isValid } = given(t)
  const made = open()
  const [authority, server] = [made.authority(), made.server().cert]
  assert.equal(made.renew(), false)
  pass(21 * day)
  assert.equal(made.renew(), true)
  assert.equal(made.authority(), authority)
  assert.notEqual(made.server().cert, server)
  for (let year = 0; year < 12; year++) {
    pass(365 * day)
    made.renew()
    assert.ok(isValid(made.authority()) && isValid(made.server().cert))
  }
  assert.notEqual(made.authority(), authority)
})

test('renew() makes others when the clock is set back to before they began', (t) => {
  const { open, pass, isValid } = given(t)
  const made = open()
  pass(-400 * day)
  assert.equal(made.renew(), true)
  assert.ok(isValid(made.authority()) && isValid(made.server().cert))
})

test('certificates of long ago and of years after 2050 can be read', (t) => {
  const clock = new VirtualClock(Date.UTC(2049, 11, 31))
  const { file } = given(t)
  const made = servingCertificates({
    file,
    authorityName: 'ca',
    names: ['10.0.0.5', 'a.b'],
    clock,
    log: silentLog,
  })
  const { validTo, subjectAltName } = new X509Certificate(made.authority() && made.server().cert)
  assert.match(validTo, /2050/)
  assert.equal(subjectAltName, 'IP Address:10.0.0.5, DNS:a.b')
})
