// Pods of a dev cluster, once all of them have addresses.
import type { DevCluster } from '../../cmd/dev/cluster.ts'
import { podsWithAddresses } from '../../cmd/dev/look.ts'
import type { SeenPod } from '../../cmd/dev/pods.ts'
import { until } from './service.ts'

/** In the order of `wanted`. Throws after a minute. */
export async function addressedPods(
  { kube }: DevCluster,
  wanted: readonly string[],
): Promise<readonly SeenPod[]> {
  let pods: readonly SeenPod[] | undefined
  const all = async () => {
    pods = await podsWithAddresses(kube, wanted)
    return pods !== undefined
  }
  await until(`${wanted.join(', ')} have addresses`, all, [], 60_000)
  return pods ?? []
}
