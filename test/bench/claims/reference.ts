// The server that ours is measured beside.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { issueCertificate, makeAuthority } from '../../../internal/apiserver/tls/certificate.ts'
import { type ClaimsClient, claimsClient } from './claims-client.ts'

export interface Reference {
  readonly client: ClaimsClient
  readonly healthPort: number
  readonly pid: number
  close(): Promise<void>
}

const hour = 3_600_000

/** `list` and `table`: what ours has answered. */
export async function startReference(
  directory: string,
  { list, table }: { readonly list: Buffer; readonly table: Buffer },
): Promise<Reference> {
  const validity = { from: Date.now() - hour, to: Date.now() + 24 * hour }
  const authority = makeAuthority('reference', validity)
  const pair = issueCertificate(authority, 'reference', ['localhost'], validity)
  const files = {
    'list.json': list,
    'table.json': table,
    'reference.crt': pair.cert,
    'reference.key': pair.key,
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
  const server = fork(join(import.meta.dirname, 'reference-server.ts'), [directory])
  const [{ port, healthPort }] = (await once(server, 'message')) as [{ port: number; healthPort: number }]
  const client = claimsClient(port, pair)
  return {
    client,
    healthPort,
    pid: server.pid ?? 0,
    async close() {
      client.close()
      server.kill()
      await once(server, 'exit')
    },
  }
}
