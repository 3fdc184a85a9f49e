// Where a pod may run, as its spec says it in JSON.
import { z } from 'zod'
import type { PodPlacement } from '../ipam/node-affinity.ts'

/** What the API server shows as absent, some write as null. */
const maybe = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined)
const requirement = z.object({ key: z.string(), operator: z.string(), values: maybe(z.array(z.string())) })
const term = z.object({
  matchExpressions: maybe(z.array(requirement)),
  matchFields: maybe(z.array(requirement)),
})
const nodeAffinity = z.object({
  requiredDuringSchedulingIgnoredDuringExecution: maybe(z.object({ nodeSelectorTerms: z.array(term) })),
})
const spec = z.object({
  nodeName: maybe(z.string()),
  nodeSelector: maybe(z.record(z.string(), z.string())),
  affinity: maybe(z.object({ nodeAffinity: maybe(nodeAffinity) })),
})

/** undefined: it is none that an API server would keep. */
export function readPlacement(json: unknown): PodPlacement | undefined {
  const { data } = spec.safeParse(json)
  if (data === undefined) return undefined
  const { affinity, nodeName, nodeSelector } = data
  const rules = affinity?.nodeAffinity
  return {
    ...(nodeName !== undefined && nodeName !== '' && { nodeName }),
    nodeSelector,
    terms: rules?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms,
    hasAffinity: affinity !== undefined,
    hasNodeAffinity: rules !== undefined,
  }
}
