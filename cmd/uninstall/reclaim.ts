// Releases the EIPs of a cluster that is taken apart, and tells of each.
import { type Clock, sleep, systemClock } from '../../internal/base/clock.ts'
import { createLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { createTable } from '../../internal/base/table.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { boundTo } from '../../internal/ipam/pick-eip.ts'
import { madeFor, type ReclaimStep } from '../../internal/ipam/plan-reclaim.ts'
import type { CloudEip } from '../../internal/ipam/types.ts'
import type { KubeClient } from '../../internal/kube/client.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { createLeaseStore } from '../../internal/kube/lease-store.ts'
import { keepSources } from '../../internal/kube/masq-config.ts'
import { listReclaimable, type Reclaimed, reclaimEips } from '../../internal/leader/reclaim-eips.ts'
import type { LeaseStore } from '../../internal/ports.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import { sdkTransport } from '../../internal/vpc/sdk-transport.ts'
import { Exit, exitCode } from '../exit.ts'
import { kubeTarget } from '../kube-target.ts'
import { leaderCredentials } from '../leader-credentials.ts'
import type { LeaderSettings } from '../settings/leader-settings.ts'

export interface ReclaimRequest {
  readonly dryRun: boolean
  /** Nobody can be asked who leads. */
  readonly clusterGone: boolean
  readonly output: 'table' | 'json'
}

/** One EIP as it is shown; null: there is none. */
interface Shown {
  readonly eip: string
  readonly address: string | null
  readonly pod: string | null
  readonly boundTo: string | null
  readonly bandwidth: number | null
  readonly isp: string
  readonly outcome: 'would-release' | Reclaimed['outcome']
  readonly why: string
}

/** Throws `unavailable`, `denied`, `conflict` while somebody leads, and Exit when one could not be released. */
export async function runReclaim(
  settings: LeaderSettings,
  { clusterGone, dryRun, output }: ReclaimRequest,
  signal: AbortSignal,
): Promise<void> {
  const log = createLog('error')
  const common = { clock: systemClock, random: systemRandom, log }
  const credentials = leaderCredentials(settings, common)
  const transport = sdkTransport({ region: settings.region, credentials, endpoint: settings.vpcEndpoint })
  const cloud = createCloud({ ...common, transport, signal })
  const { clusterId } = settings
  if (dryRun) {
    const found = await listReclaimable({ cloud, clusterId })
    return print(
      found.map(({ eip, step }) => shown(eip, ...planned(step))),
      output,
    )
  }
  const kube = clusterGone ? undefined : await connectKube(kubeTarget(settings), systemClock)
  try {
    if (kube !== undefined) await refuseWhileLed(createLeaseStore(kube, systemClock), systemClock, signal)
    const tell = ({ eip, outcome }: Reclaimed) => void process.stderr.write(`${eip.id} ${outcome}\n`)
    const done = await reclaimEips({ cloud, clock: systemClock, clusterId, tell }, signal)
    print(
      done.map(({ eip, outcome, why }) => shown(eip, outcome, why)),
      output,
    )
    if (done.some(({ outcome }) => outcome === 'failed')) throw new Exit(exitCode.failed)
    if (kube !== undefined) await forgetSources(kube)
  } finally {
    kube?.close()
  }
}

/** Nobody else takes what was said to ip-masq-agent back. */
async function forgetSources(kube: KubeClient): Promise<void> {
  try {
    await keepSources(kube, [], { create: false })
  } catch (error) {
    process.stderr.write(`ip-masq-agent still has entries of ours: ${(error as Error).message}\n`)
  }
}

/** A lease that somebody holds and nobody renews for its whole duration is of one that is gone. */
export async function refuseWhileLed(
  store: Pick<LeaseStore, 'read'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const first = await store.read()
  if (first?.holder === undefined) return
  process.stderr.write(`waits ${Math.ceil(first.duration / 1000)} s: does "${first.holder}" still lead?\n`)
  await sleep(clock, first.duration, signal)
  const second = await store.read()
  if (second?.holder === undefined || second.version === first.version) return
  throw new IpamError('conflict', `Cannot reclaim EIPs: "${second.holder}" leads the cluster`, {
    hint: 'stop all leaders first: systemctl stop tke-eni-leader',
  })
}

function planned(step: ReclaimStep): readonly [Shown['outcome'], string] {
  if (step.kind === 'keep') return ['kept', step.why]
  return ['would-release', '']
}

function shown(eip: CloudEip, outcome: Shown['outcome'], why: string): Shown {
  return {
    eip: eip.id,
    address: eip.address ?? null,
    pod: madeFor(eip) ?? null,
    boundTo: eip.state === 'unbound' ? null : boundTo(eip),
    bandwidth: eip.bandwidth ?? null,
    isp: eip.isp,
    outcome,
    why,
  }
}

function print(items: readonly Shown[], output: ReclaimRequest['output']): void {
  if (output === 'json') return void process.stdout.write(`${JSON.stringify(items, null, 2)}\n`)
  if (items.length === 0) return void process.stderr.write('No EIPs were made for pods of this cluster\n')
  const table = createTable<Shown>(
    [
      { header: 'EIP', cell: ({ eip }) => eip },
      { header: 'ADDRESS', cell: ({ address }) => address },
      { header: 'POD', cell: ({ pod }) => pod },
      { header: 'BOUND-TO', cell: (item) => item.boundTo },
      { header: 'BANDWIDTH', align: 'right', cell: ({ bandwidth }) => bandwidth },
      { header: 'ISP', cell: ({ isp }) => isp },
      { header: 'OUTCOME', cell: ({ outcome }) => outcome },
      { header: 'WHY', cell: ({ why }) => why || null },
    ],
    false,
  )
  process.stdout.write(table.add(items))
}
