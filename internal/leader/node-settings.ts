// Keeps what each node may hold in step with its instance, its kubelet and the annotations of its NEC (P6–P9). A set of annotations
// that is wrong changes nothing: what was in force stays, and a condition and an event say why.
import type { Log } from '../base/log.ts'
import { readNecSettings } from '../ipam/nec-settings.ts'
import { type BoundsSource, boundsOf } from '../ipam/node-bounds.ts'
import type { NecCondition } from '../ipam/publication.ts'
import type { NodeFact, NodeName, Notice } from '../ipam/types.ts'
import type { LeaderLedger, LedgerNode, NodeChange } from '../ports.ts'
import { canonicalJson } from '../value/canonical-json.ts'
import type { ClusterFacts } from './facts.ts'
import type { Registrar } from './register-nodes.ts'
import type { LeaderSettings } from './settings.ts'

export interface NodeSettingsKeeper {
  /** The node with what is in force from now on, stored; and what to say of its annotations. Throws `storage`. */
  keep(node: LedgerNode, fact: NodeFact): Promise<{ node: LedgerNode; condition: NecCondition }>
  forget(name: NodeName): void
}

export interface NodeSettingsOptions {
  readonly ledger: LeaderLedger
  readonly facts: ClusterFacts
  readonly registrar: Registrar
  readonly settings: LeaderSettings
  readonly log: Log
  /** An event on the node, and on its NEC. */
  readonly tell: (name: NodeName, notice: Omit<Notice, 'about'>) => void
}

const applied: NecCondition = {
  type: 'SettingsApplied',
  ok: true,
  reason: 'Applied',
  message: 'what the annotations set is in force',
}

export function createNodeSettingsKeeper(options: NodeSettingsOptions): NodeSettingsKeeper {
  const { ledger, facts, registrar, settings, log, tell } = options
  /** What was last told of the annotations of each NEC. */
  const told = new Map<NodeName, string>()

  function refused(fault: string): NecCondition {
    const message = `Cannot apply ${fault}; what was in force before stays`
    return { type: 'SettingsApplied', ok: false, reason: 'InvalidAnnotation', message }
  }

  /** One event when annotations turn wrong, or other wrong ones; one when they are right again. */
  function tellChange(name: NodeName, condition: NecCondition): void {
    const before = told.get(name)
    const now = condition.ok ? '' : condition.message
    told.set(name, now)
    if (before === now || (before === undefined && condition.ok)) return
    const { message, ok, reason } = condition
    tell(name, { type: ok ? 'Normal' : 'Warning', reason: ok ? 'SettingsApplied' : reason, message })
    if (!ok) log.warn('annotations refused', { node: name, why: message })
  }

  return {
    async keep(node, fact) {
      const nec = facts.nec(node.name)
      const read = readNecSettings(nec?.annotations ?? {}, node.name, node.overrides, nec?.report)
      const source: BoundsSource = {
        quota: registrar.quota(node),
        defaults: node.defaults,
        // Before its NEC is seen, what was in force says more than the lack of annotations.
        overrides: nec !== undefined && read.ok ? read.overrides : node.overrides,
        maxPods: fact.maxPods,
      }
      const { quota, overrides } = source
      const change: NodeChange = { ...boundsOf(source, settings), quota, overrides }
      const kept = { ...node, ...change }
      if (canonicalJson(kept) !== canonicalJson(node)) {
        await ledger.write((tx) => tx.setBounds(node.name, change))
        const { shared, exclusive, instanceEnis } = change
        log.info('bounds of a node changed', { node: node.name, shared, exclusive, instanceEnis, overrides })
      }
      const condition = read.ok ? applied : refused(read.fault)
      tellChange(node.name, condition)
      return { node: kept, condition }
    },
    forget: (name) => told.delete(name),
  }
}
