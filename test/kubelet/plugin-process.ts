// Offers to a kubelet what its parent says, for as long as that lives.
import { systemClock } from '../../internal/base/clock.ts'
import { createLog, type LogLevel } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { createKubelet } from '../../internal/kubelet/kubelet.ts'

const [directory = ''] = process.argv.slice(2)
const log = createLog((process.env['TEST_LOG'] ?? 'error') as LogLevel)
const kubelet = createKubelet({ directory, clock: systemClock, random: systemRandom, log })

type Said = 'stop' | { withdraw: string } | { resource: string; capacity: number; allocatable: number }

process.on('message', (said: Said) => {
  if (said === 'stop') void kubelet.close().then(() => process.disconnect())
  else if ('withdraw' in said) void kubelet.withdraw(said.withdraw)
  else kubelet.offer(said.resource, said)
})
process.on('disconnect', () => process.exit())
