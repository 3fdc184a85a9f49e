// The account's quota that is used up is told with its figures, where they can be had.
import { type Clock, sleep } from '../../base/clock.ts'
import type { EipAct, EipTrouble } from '../../ipam/eip-claim.ts'
import type { JudgedRefusal } from '../../ipam/eip-refusal.ts'
import type { CloudEipQuota, Quota } from '../../ipam/types.ts'
import type { Cloud } from '../../ports.ts'
import type { Millis } from '../../value/millis.ts'

/** Nobody waits longer for figures than that. */
const within: Millis = 5000

/** Never throws. */
export async function withQuota(
  cloud: Pick<Cloud, 'describeEipQuota'>,
  clock: Clock,
  act: EipAct,
  refusal: JudgedRefusal,
): Promise<EipTrouble> {
  const { code, message, reason } = refusal
  if (code !== 'eip_quota' || act !== 'allocate') return { reason, message }
  const asked = cloud.describeEipQuota('collect').catch(() => undefined)
  const quota = await Promise.race([asked, sleep(clock, within).then(() => undefined)])
  return { reason, message: quota === undefined ? message : `${message} (${figures(quota)})` }
}

function figures({ daily, singleLineDaily, singleLineTotal, total }: CloudEipQuota): string {
  const named: readonly (readonly [string, Quota | undefined])[] = [
    ['EIPs of the account', total],
    ['allocated today', daily],
    ["on single operators' lines", singleLineTotal],
    ['allocated on those today', singleLineDaily],
  ]
  return named
    .flatMap(([name, quota]) => (quota === undefined ? [] : [`${name}: ${quota.used} of ${quota.limit}`]))
    .join(', ')
}
