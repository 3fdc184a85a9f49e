// Before a process tries to lead: are its subnets there? With none of them (another region, another account) it could do nothing but
// keep others from leading.
import { backoffDelay } from '../base/backoff.ts'
import { type Clock, sleep } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { errorCode, IpamError, withHint } from '../ipam/errors.ts'
import type { SubnetId } from '../ipam/types.ts'
import type { Cloud } from '../ports.ts'

export interface SubnetCheck {
  /** What still hangs when `signal` aborts fails. */
  readonly cloudUntil: (signal: AbortSignal) => Pick<Cloud, 'describeSubnets'>
  readonly subnetIds: readonly SubnetId[]
  readonly region: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Hears why it is not time to lead yet. */
  readonly tell: (status: string) => void
}

const retry = { firstMs: 2000, maxMs: 60_000 }

/** A cloud that does not answer in time is no reason not to lead: others see no more of it. */
const answersWithin = 10_000

/** Resolves once one of them is there, or the cloud does not say, or `signal` has aborted; names those that are not. Throws `bad_input` when one cannot be an id. */
export async function untilSubnetsFound(check: SubnetCheck, signal: AbortSignal): Promise<void> {
  const { subnetIds, clock, random, log, tell } = check
  for (let failures = 0; !signal.aborted; failures++) {
    const unknown = await unknownSubnets(check, signal)
    if (unknown.length === 0) return
    const error = unknownError(check, unknown)
    log.error('subnets not found', { error: error.message, hint: error.hint })
    if (unknown.length < subnetIds.length) return // the others serve
    tell(withHint(error))
    await sleep(clock, backoffDelay(retry, failures, random), signal)
  }
}

async function unknownSubnets(
  { cloudUntil, subnetIds, clock, log }: SubnetCheck,
  signal: AbortSignal,
): Promise<readonly SubnetId[]> {
  const late = new AbortController()
  const cancel = clock.after(answersWithin, () => late.abort())
  try {
    const cloud = cloudUntil(AbortSignal.any([signal, late.signal]))
    const found = await cloud.describeSubnets(subnetIds, 'waiting-pod')
    const known = new Set(found.map(({ id }) => id))
    return subnetIds.filter((id) => !known.has(id))
  } catch (error) {
    if (errorCode(error) === 'bad_input') {
      const hint = 'check --subnets: a subnet is called subnet-1a2b3c4d'
      throw new IpamError('bad_input', (error as Error).message, { cause: error, hint })
    }
    if (!signal.aborted) log.warn('subnets not looked up', { error: withHint(error) })
    return []
  } finally {
    cancel()
  }
}

function unknownError({ region }: SubnetCheck, unknown: readonly SubnetId[]): IpamError {
  const which = unknown.length === 1 ? 'subnet' : 'subnets'
  return new IpamError(
    'not_found',
    `Cannot use ${which} "${unknown.join('", "')}" of --subnets: there is no such subnet in region "${region}"`,
    { hint: 'check --subnets and --region, and whose the credentials are' },
  )
}
