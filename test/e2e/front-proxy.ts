// What a kube-apiserver needs to pass requests on: an authority, and the certificate that it proves itself with.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { issueCertificate, type KeyPair, makeAuthority } from '../../internal/apiserver/tls/certificate.ts'
import { temporaryFolder } from './service.ts'

export interface FrontProxyFiles {
  /** Of the API server. */
  readonly flags: readonly string[]
  readonly client: KeyPair
  /** Another certificate of the same authority, for a name that may not pass requests on. */
  readonly other: KeyPair
}

const hour = 3_600_000

export function makeFrontProxy(): FrontProxyFiles {
  const folder = temporaryFolder('front-proxy')
  const validity = { from: Date.now() - hour, to: Date.now() + 24 * hour }
  const authority = makeAuthority('front-proxy-ca', validity)
  const issue = (name: string) => issueCertificate(authority, 'front-proxy-ca', [name], validity, 'client')
  const client = issue('front-proxy-client')
  const file = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  return {
    flags: [
      `--requestheader-client-ca-file=${file('ca.crt', authority.cert)}`,
      '--requestheader-allowed-names=front-proxy-client',
      '--requestheader-username-headers=X-Remote-User',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      `--proxy-client-cert-file=${file('client.crt', client.cert)}`,
      `--proxy-client-key-file=${file('client.key', client.key)}`,
      '--enable-aggregator-routing=true', // there is no kube-proxy
    ],
    client,
    other: issue('somebody'),
  }
}
