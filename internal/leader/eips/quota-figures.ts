// The account's quota that is used up is told with its figures, where they can be had.
import type { EipAct, EipTrouble } from '../../ipam/eip-claim.ts'
import type { JudgedRefusal } from '../../ipam/eip-refusal.ts'
import type { CloudEipQuota, Quota } from '../../ipam/types.ts'
import type { Cloud } from '../../ports.ts'

/** Never throws. */
export async function withQuota(
  cloud: Pick<Cloud, 'describeEipQuota'>,
  act: EipAct,
  refusal: JudgedRefusal,
): Promise<EipTrouble> {
  const { code, message, reason } = refusal
  if (code !== 'eip_quota' || act !== 'allocate') return { reason, message }
  const quota = await cloud.describeEipQuota('collect').catch(() => undefined)
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
