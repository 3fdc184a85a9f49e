// The certificates of a server, made and renewed by itself: an authority in a file, that a process started again goes on with, and below
// it short-lived certificates in memory.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Millis } from '../../value/millis.ts'
import { issueCertificate, type KeyPair, makeAuthority, type Validity } from './certificate.ts'

export interface ServingCertificates {
  /** What vouches for `server()`, as PEM. */
  authority(): string
  server(): KeyPair
  /** Makes anew what is used up by now, or not valid yet because a clock was set; true when something was. Throws where the file cannot be written. */
  renew(): boolean
}

export interface CertificateSettings {
  /** Of the authority with its key: nobody else may read it. */
  readonly file: string
  readonly authorityName: string
  readonly names: readonly string[]
  readonly log: Log
  /** The wall's: others compare certificates with theirs. */
  readonly clock: Pick<Clock, 'now'>
}

const day: Millis = 86_400_000
/** Machines do not agree to the second what time it is. */
const skew: Millis = 3_600_000
const lifetimes = { authority: 3650 * day, server: 30 * day }

/** Throws what reading or writing the file throws; one that says something else is replaced. */
export function servingCertificates(settings: CertificateSettings): ServingCertificates {
  const { file, authorityName, names, clock } = settings
  let authority = readAuthority(settings) ?? newAuthority()
  let server = newServer()

  function newAuthority(): KeyPair {
    const made = makeAuthority(authorityName, validFor(lifetimes.authority))
    writePrivately(file, made)
    return made
  }
  function newServer(): KeyPair {
    return issueCertificate(authority, authorityName, names, validFor(lifetimes.server))
  }
  function validFor(lifetime: Millis): Validity {
    return { from: clock.now() - skew, to: clock.now() + lifetime }
  }
  function renew(): boolean {
    const now = clock.now()
    const newTrust = isUsedUp(authority, now)
    if (!newTrust && !isUsedUp(server, now)) return false
    if (newTrust) authority = newAuthority()
    server = newServer()
    return true
  }
  renew() // what the file had may be old
  return { authority: () => authority.cert, server: () => server, renew }
}

/** The last third of its life is for those who must hear of the next one. */
function isUsedUp({ cert }: KeyPair, now: Millis): boolean {
  const { validFromDate, validToDate } = new X509Certificate(cert)
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()]
  return now < from || now > to - (to - from) / 3
}

/** undefined: it has to be made. Its name counts, as what it vouches for names it so: clients find it by that. */
function readAuthority({ file, authorityName, log }: CertificateSettings): KeyPair | undefined {
  const unusable = (why: string): undefined => {
    log.warn('authority in file not used: made anew', { file, why })
  }
  try {
    const text = readFileSync(file, 'utf8')
    const [cert] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(text) ?? []
    const [key] = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/.exec(text) ?? []
    if (cert === undefined || key === undefined) return unusable('it has no certificate with its key')
    const parsed = new X509Certificate(cert)
    if (!parsed.ca || !parsed.checkPrivateKey(createPrivateKey(key)))
      return unusable('it is no authority with its key')
    if (parsed.subject !== `CN=${authorityName}`) return unusable(`its subject is "${parsed.subject}"`)
    return { cert, key }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES') throw error
    return code === 'ENOENT' ? undefined : unusable(String(error))
  }
}

/** Whole or not at all, whenever the process ends. */
function writePrivately(file: string, { cert, key }: KeyPair): void {
  const unfinished = `${file}.new`
  rmSync(unfinished, { force: true })
  writeFileSync(unfinished, cert + key, { mode: 0o600, flag: 'wx', flush: true })
  renameSync(unfinished, file)
}
