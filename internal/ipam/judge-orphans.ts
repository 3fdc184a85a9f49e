// ENIs with our tag that no ledger has: whose are they, and may they be touched?
import { isAtHome, purposeOf } from './eni-tags.ts'
import type { Judgement, Judgements, SurveyNode, SurveySnapshot } from './survey.ts'
import type { CloudEni } from './types.ts'

export function judgeOrphans(snapshot: SurveySnapshot): Judgements {
  const ledger = snapshot.enis
  const ids = new Set(ledger.map(({ id }) => id))
  const addresses = new Set(ledger.map(({ primaryIp }) => primaryIp))
  const unjudged = new Set<string>()
  const found: Judgement[] = []
  for (const eni of snapshot.cloud) {
    const { token } = purposeOf(eni)
    if (ids.has(eni.id) || eni.primary) continue
    const isOurs = snapshot.touched.has(eni.id) || (token !== undefined && snapshot.touched.has(token))
    // Its address in the ledger under another ENI: that one goes first.
    if (isOurs || eni.state !== 'available' || addresses.has(eni.primaryIp)) unjudged.add(eni.id)
    else found.push(judgeOrphan(eni, snapshot))
  }
  return { found, unjudged }
}

function judgeOrphan(eni: CloudEni, snapshot: SurveySnapshot): Judgement {
  const purpose = purposeOf(eni)
  const { nodes, kube, cidrs } = snapshot
  const about = { kind: 'eni-orphan', subject: eni.id, holds: false } as const
  const where = eni.instanceId === undefined ? 'attached to nothing' : `attached to "${eni.instanceId}"`
  const what = `it has the tag of this cluster, is ${where}, and is in no ledger`
  const later = (node: string | undefined, why: string, remedy: string): Judgement => ({
    ...about,
    node,
    reason: `${what}; ${why}`,
    remedy,
    settle: undefined,
  })
  /** Only a person can tell what becomes of it. */
  const never = (node: string | undefined, why: string, remedy: string): Judgement => ({
    ...later(node, why, remedy),
    holds: true,
  })
  const node = ownerOf(eni, nodes)
  const name = node?.name ?? purpose.node
  if (name === undefined) return never(undefined, 'its tags name no node', 'delete it in the console')
  if (!cidrs.has(eni.subnetId))
    return later(name, `its subnet "${eni.subnetId}" cannot be read`, 'check the permissions of the leader')
  if (eni.instanceId !== undefined && !isAtHome(eni))
    return never(
      name,
      `that is not the instance it was made for ("${purpose.instanceId ?? 'unknown'}")`,
      'detach it in the console',
    )
  if (node === undefined && isExpected(eni, name, snapshot))
    return later(name, `its node "${name}" is not registered yet`, 'none: looked at again')
  if (node === undefined && !kube.absent.has(name))
    return later(name, `whether its node "${name}" exists is not known`, 'none: looked at again')
  if (node !== undefined && eni.instanceId !== undefined && eni.instanceId !== node.instanceId)
    return never(name, `its node is "${node.instanceId}" now`, 'detach it in the console')
  return {
    ...about,
    node: name,
    reason: what,
    remedy: 'none: adopted or deleted when another view agrees',
    settle: {
      kind: 'orphan',
      eni,
      node: name,
      formerInstance: node === undefined ? (eni.instanceId ?? '') : undefined,
    },
  }
}

/** The instance it is on tells more than its tag: a node may have been given another name. */
function ownerOf(eni: CloudEni, nodes: readonly SurveyNode[]): SurveyNode | undefined {
  const host = nodes.find(({ instanceId }) => instanceId === eni.instanceId && instanceId !== '')
  return host ?? nodes.find(({ name }) => name === purposeOf(eni).node)
}

/** Kubernetes has the node, or a node on its instance: it will be in the ledger soon. */
function isExpected(eni: CloudEni, name: string, { kube }: SurveySnapshot): boolean {
  return kube.nodes.has(name) || (eni.instanceId !== undefined && kube.instances.has(eni.instanceId))
}
