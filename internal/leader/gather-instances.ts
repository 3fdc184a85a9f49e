// Nodes that join in one turn share a describe call: a cluster of thousands would spend minutes of its quota otherwise.
import type { Clock } from '../base/clock.ts'
import { errorCode } from '../ipam/errors.ts'
import type { CloudInstance, InstanceId } from '../ipam/types.ts'
import type { Cloud, Priority } from '../ports.ts'
import type { Millis } from '../value/millis.ts'

/** Finds an instance; undefined when there is none. Throws what the cloud throws. */
export type FindInstance = (id: InstanceId) => Promise<CloudInstance | undefined>

/** `within`: what is asked for in it goes into one call. */
export function gatherInstances(
  cloud: Cloud,
  clock: Clock,
  { within, priority }: { readonly within: Millis; readonly priority: Priority },
): FindInstance {
  let gathering: ReturnType<typeof gather> | undefined
  const describe = (ids: Iterable<InstanceId>) => cloud.describeInstances([...ids], priority)

  function gather() {
    const ids = new Set<InstanceId>()
    const found = new Promise<readonly CloudInstance[]>((resolve) => {
      clock.after(within, () => {
        gathering = undefined
        resolve(describe(ids))
      })
    })
    return { ids, found }
  }

  return async (id) => {
    gathering ??= gather()
    const { ids, found } = gathering
    ids.add(id)
    const instances = await found.catch((error: unknown) => {
      // An id that the cloud refuses to read must not keep the others from joining.
      if (errorCode(error) !== 'bad_input' || ids.size === 1) throw error
      return describe([id])
    })
    return instances.find((instance) => instance.id === id)
  }
}
