// A leader whose cloud answers wrongly for some minutes: what pods have stays theirs, and once the cloud is sane again every call
// is resolved, nothing is lost and nothing is left over.
import fc from 'fast-check'
import type { Transport } from '../../internal/vpc/transport.ts'
import { warm } from '../given.ts'
import { fuzz } from './fuzz.ts'
import { assertKept, assertRecovers, inLeaderWorld, withPods } from './leader-inputs.ts'
import { type Mutation, mutate, mutations } from './mutate.ts'

interface Weather {
  /** What is wrong with one answer after the other, round and round; undefined: nothing. */
  readonly wrong: readonly (readonly Mutation[] | undefined)[]
  /** What happens meanwhile. */
  readonly events: readonly ('pod' | 'pods' | 'gone' | 'crash' | 'wait')[]
}

const weather: fc.Arbitrary<Weather> = fc.record({
  wrong: fc.array(fc.option(mutations, { nil: undefined }), { minLength: 3, maxLength: 12 }),
  events: fc.array(fc.constantFrom('pod', 'pods', 'gone', 'crash', 'wait'), { minLength: 2, maxLength: 5 }),
})

fuzz(
  '[R6][R2] a cloud that answers wrongly takes nothing from a pod, and what was asked of it is resolved',
  weather,
  ({ wrong, events }) =>
    inLeaderWorld({ defaults: warm(2, 3) }, async (world) => {
      let sane = true
      let nth = 0
      world.between = (transport): Transport => ({
        async request(...call) {
          const answer = await transport.request(...call)
          const changes = sane ? undefined : wrong[nth++ % wrong.length]
          return changes === undefined ? answer : (mutate(answer, changes) as typeof answer)
        },
      })
      world.start()
      const addresses = await withPods(world)
      sane = false
      for (const [i, event] of events.entries()) {
        if (event === 'pod') world.addPods('n1', `one-${i}`)
        if (event === 'pods') world.addPods('n1', ...Array.from({ length: 6 }, (_, n) => `many-${i}-${n}`))
        if (event === 'gone')
          for (const key of world.kube.pods.items.keys()) if (key.includes('-1')) world.kube.pods.remove(key)
        if (event === 'crash') {
          world.crash()
          world.start()
        }
        await world.clock.advance(30_000)
        assertKept(world, addresses)
      }
      sane = true
      await assertRecovers(world, addresses)
    }),
  { cost: 25 },
)
