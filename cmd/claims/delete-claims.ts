// Gives addresses of claims back: asks the leader of this machine, and waits until they are.
import { sleep, systemClock } from '../../internal/base/clock.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { textAt } from '../../internal/kube/json.ts'
import { askLeader } from './leader-socket.ts'

export interface DeleteRequest {
  readonly socketPath: string
  /** "namespace/name" */
  readonly names: readonly string[]
  readonly force: boolean
  readonly dryRun: boolean
  readonly wait: boolean
}

const lookEvery = 250

/** One after the other. Throws the first `not_found`, `conflict`, `denied`, `unavailable` after the others were tried. */
export async function deleteClaims(
  request: DeleteRequest,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const faults: unknown[] = []
  for (const name of request.names) {
    if (signal.aborted) break
    try {
      await deleteClaim(name, request, say, signal)
    } catch (error) {
      faults.push(error)
      if (request.names.length > 1) say((error as Error).message)
    }
  }
  if (faults.length > 0) throw faults[0]
}

async function deleteClaim(
  name: string,
  { socketPath, force, dryRun, wait }: DeleteRequest,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = pathOf(name)
  const query = force ? '?force=true' : ''
  const { status, body } = await askLeader(
    socketPath,
    'DELETE',
    path + query,
    dryRun ? { dryRun: ['All'] } : {},
  )
  if (status !== 200) throw faultOf(name, status, textAt(body, 'message') ?? '')
  const address = textAt(body, 'status', 'vpcIP')
  const what = address === undefined ? 'it had no address' : `${address} is given back`
  if (dryRun)
    return say(`claim "${name}" would be deleted${address === undefined ? '' : ` and ${address} given back`}`)
  if (!wait) return say(`claim "${name}" is being deleted`)
  const uid = textAt(body, 'metadata', 'uid')
  for (;;) {
    const now = await askLeader(socketPath, 'GET', path)
    if (now.status === 404 || (now.status === 200 && textAt(now.body, 'metadata', 'uid') !== uid)) break
    await sleep(systemClock, lookEvery, signal)
    if (signal.aborted) return
  }
  say(`claim "${name}" deleted: ${what}`)
}

function pathOf(name: string): string {
  const [namespace = '', pod = ''] = name.split('/').map(encodeURIComponent)
  return `/apis/ipam.tke.cloud.tencent.com/v1beta1/namespaces/${namespace}/vpcipclaims/${pod}`
}

function faultOf(name: string, status: number, message: string): IpamError {
  if (status === 404) return new IpamError('not_found', `Cannot delete claim "${name}": there is none`)
  const why = message.replace(/^Operation cannot be fulfilled on [^:]+: /, '')
  if (status !== 409) return new IpamError('unavailable', `Cannot delete claim "${name}": ${why}`)
  return new IpamError('conflict', `Cannot delete claim "${name}": ${why}`, {
    hint: '--force takes its address all the same',
  })
}
