// What comes of each mishap with looking for EIPs that were made.
import type { EipOutcomes } from './outcomes.ts'

const usual = ['no claim', 'Pending', 'Attaching', 'Bound']
const refused = ['no claim', 'Pending', 'Pending (FailedAllocateEIP)', 'Attaching', 'Bound']

export const outcomesOfFind: EipOutcomes = {
  nothing: { calls: 3, within: 15, shows: usual },
  'time-out-undone': { calls: 5, within: 31, shows: usual },
  'time-outs': { atMost: 110, within: 630, shows: refused },
  throttled: { atMost: 15, within: 41, shows: usual },
  'answer-garbled': { calls: 4, within: 16, shows: usual },
  outage: { atMost: 155, within: 210, shows: refused },
  unavailable: { atMost: 105, within: 210, shows: refused },
}
