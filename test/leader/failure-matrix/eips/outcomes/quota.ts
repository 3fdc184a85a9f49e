// What comes of each mishap with asking for the figures of a quota.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['no claim', 'Pending', 'Pending (FailedAllocateEIP)', 'Attaching', 'Bound']

export const outcomesOfQuota: EipOutcomes = {
  nothing: { calls: 2, within: 90, shows: usual },
  'time-out-undone': { calls: 3, within: 90, shows: usual },
  'time-outs': { atMost: 20, within: 100, shows: usual },
  throttled: { atMost: 15, within: 90, shows: usual },
  'answer-garbled': { calls: 2, within: 90, shows: usual },
}
