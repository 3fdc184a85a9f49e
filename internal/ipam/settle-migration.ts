// What became of an address that was to go from one ENI to another, judged by what the cloud shows of both.
import type { Millis } from '../value/millis.ts'
import { again, confirmed, type Intent, type Settlement, type SettlePolicy } from './settle-intent.ts'
import type { CloudEni } from './types.ts'

export interface MigrationView {
  readonly from: CloudEni | undefined
  readonly to: CloudEni | undefined
  /** It left the ENI that it goes to within the last `staleFor`: an old view still shows it there. */
  readonly left?: boolean
}

/** `undone`: still where it was. `lost`: on neither of the two. */
type Verdict = 'under-way' | 'done' | 'undone' | 'lost'

/** As `settleIntent`, of an intent of kind `migrate`. */
export function settleMigration(
  intent: Intent,
  view: MigrationView,
  now: Millis,
  policy: SettlePolicy,
): Settlement {
  switch (judge(intent, view, now, policy)) {
    case 'under-way':
      return { kind: 'wait' }
    case 'done':
      return { kind: 'done' }
    case 'lost':
      return confirmed(intent, now, policy.giveUpAfter, {
        kind: 'failed',
        why: 'the address is on neither ENI',
      })
    case 'undone':
      if (view.to === undefined)
        return confirmed(intent, now, policy.staleFor, {
          kind: 'failed',
          why: 'the ENI it was to go to is gone',
        })
      return again(intent, view.from?.ips ?? [], now, policy)
  }
}

function judge(
  { addresses, createdAt, state }: Intent,
  view: MigrationView,
  now: Millis,
  policy: SettlePolicy,
) {
  const stateOn = (eni: CloudEni | undefined) =>
    eni?.ips.find(({ address }) => address === addresses[0])?.state
  const [there, here] = [stateOn(view.to), stateOn(view.from)]
  const verdict = ((): Verdict => {
    if (there === 'available') return here === undefined ? 'done' : 'under-way'
    if (there !== undefined || (here !== undefined && here !== 'available')) return 'under-way'
    return here === 'available' ? 'undone' : 'lost'
  })()
  // It may have been there a moment before, and gone: an old view would show that.
  const early = (state === 'recorded' || view.left === true) && now - createdAt < policy.staleFor
  return verdict === 'done' && early ? 'under-way' : verdict
}
