// A leader whose NECs are edited by whoever can: it takes no address from a pod, undoes what is not as it published, and ends in no
// fault of its own.
import fc from 'fast-check'
import { decodeNec } from '../../internal/wire/nec.ts'
import { known, nodeReport, warm } from '../given.ts'
import { fuzz } from './fuzz.ts'
import { assertKept, assertRecovers, inLeaderWorld, withPods } from './leader-inputs.ts'
import { type Mutation, mutate, mutations } from './mutate.ts'
import { necJson } from './nec-inputs.ts'

interface Edit {
  /** Addresses of the pool, by their place, that the agent says it gives back, with what it adds to their grants. */
  readonly returned: readonly (readonly [place: number, more: number])[]
  readonly changes: readonly Mutation[]
}

const edit: fc.Arbitrary<Edit> = fc.record({
  returned: fc.array(fc.tuple(fc.nat(7), fc.constantFrom(0, 0, 0, -1, 1, 1000)), { maxLength: 6 }),
  changes: fc.oneof(fc.constant([]), mutations),
})

fuzz(
  '[R6] NECs that are wrong in places take nothing from a pod, and are put right',
  fc.array(edit, { minLength: 1, maxLength: 4 }),
  (edits) =>
    inLeaderWorld({ defaults: warm(2, 3) }, async (world) => {
      world.start()
      const addresses = await withPods(world)
      for (const { returned, changes } of edits) {
        const publication = known(world.kube.necs.items.get('n1')?.publication)
        const pool = publication.enis.flatMap(({ ips }) => ips)
        const given = returned.flatMap(([place, more]) => {
          const one = pool[place % pool.length]
          return one === undefined ? [] : [{ ...one, grant: one.grant + more }]
        })
        const report = nodeReport({ returned: given, inUse: 3, idle: 2 })
        const nec = decodeNec(mutate(necJson(publication, report), changes))
        if (nec !== undefined) world.kube.necs.put(nec.name, nec)
        await world.clock.advance(40_000)
        if (nec?.name === 'n1') assertKept(world, addresses)
      }
      const nec = world.kube.necs.items.get('n1')
      if (nec !== undefined) world.kube.necs.put('n1', { ...nec, report: undefined }) // agents begin anew
      await assertRecovers(world, addresses)
    }),
  { cost: 20 },
)
