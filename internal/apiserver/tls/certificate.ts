// X.509 certificates on P-256 keys: an authority of our own, and what it signs.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { isIPv4 } from 'node:net'
import type { Millis } from '../../value/millis.ts'
import {
  bitString,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8,
  yes,
} from './der.ts'

/** As PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface Validity {
  readonly from: Millis
  readonly to: Millis
}

/** An authority, signed by itself. */
export function makeAuthority(commonName: string, validity: Validity): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = nameOf(commonName)
  const extensions = [
    extension('2.5.29.19', sequence(yes, integer(0)), true), // basicConstraints: an authority, of no other authorities
    extension('2.5.29.15', bitString(Buffer.of(0b0000_0110), 1), true), // keyUsage: keyCertSign, cRLSign
    extension('2.5.29.14', octetString(keyId(publicKey))),
  ]
  return pair(
    { subject: name, issuer: name, publicKey, signer: privateKey, validity, extensions },
    privateKey,
  )
}

/** The purpose that a certificate is good for: extendedKeyUsage. */
const purposes = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const

/** A certificate for `names` (DNS names and IPv4 addresses), the first of which is its common name. */
export function issueCertificate(
  authority: KeyPair,
  authorityName: string,
  names: readonly string[],
  validity: Validity,
  purpose: keyof typeof purposes = 'server',
): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = createPrivateKey(authority.key)
  const alternatives = names.map((name) =>
    isIPv4(name)
      ? implicit(7, Buffer.from(name.split('.').map(Number)))
      : implicit(2, Buffer.from(name, 'latin1')),
  )
  const extensions = [
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.15', bitString(Buffer.of(0b1000_0000), 7), true), // keyUsage: digitalSignature
    extension('2.5.29.37', sequence(oid(purposes[purpose]))),
    extension('2.5.29.35', sequence(implicit(0, keyId(createPublicKey(signer))))), // authorityKeyIdentifier
    extension('2.5.29.17', sequence(...alternatives)),
  ]
  const subject = nameOf(names[0] ?? '')
  const issuer = nameOf(authorityName)
  return pair({ subject, issuer, publicKey, signer, validity, extensions }, privateKey)
}

interface Certificate {
  readonly subject: Buffer
  readonly issuer: Buffer
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly validity: Validity
  readonly extensions: readonly Buffer[]
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

function pair(
  { subject, issuer, publicKey, signer, validity, extensions }: Certificate,
  key: KeyObject,
): KeyPair {
  const serial = randomBytes(16)
  serial[0] = (serial[0] ?? 0) | 0x40 // never zero, and of one length
  const content = sequence(
    explicit(0, integer(2)), // version 3
    integer(serial),
    ecdsaWithSha256,
    issuer,
    sequence(time(validity.from), time(validity.to)),
    subject,
    spki(publicKey),
    explicit(3, sequence(...extensions)),
  )
  const der = sequence(content, ecdsaWithSha256, bitString(sign('sha256', content, signer)))
  return { cert: pem(der), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(commonName.slice(0, 64)))))
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [yes] : []), octetString(value))
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha256').update(spki(key)).digest().subarray(0, 20)
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}
