// Pods that got a shared address because nobody knew in time what they ask for: whoever asked for an ENI of its own is told, once
// that is known.
import type { Log } from '../base/log.ts'
import type { NodeKube, NodeLedger, Sandbox } from '../ports.ts'
import type { PodFacts } from './pod-facts.ts'

export interface GuessedModes {
  /** The sandbox has its address. */
  note(sandbox: Sandbox): void
  /** More may be known of pods. */
  look(): void
}

export interface GuessedModesOptions {
  readonly ledger: NodeLedger
  readonly pods: Pick<PodFacts, 'get'>
  readonly log: Log
  readonly notify: NodeKube['notify']
}

export function createGuessedModes({ ledger, pods, log, notify }: GuessedModesOptions): GuessedModes {
  /** By container id; those that are gone are dropped at the next look, so that there are never more than sandboxes. */
  const guesses = new Map<string, Sandbox>()

  function judge(sandbox: Sandbox): 'open' | 'settled' {
    const given = ledger.attachment(sandbox)
    if (given === undefined) return 'settled'
    const pod = pods.get(sandbox.pod.uid)
    if (pod === undefined) return 'open'
    const { address } = given
    if (pod.wants !== 'exclusive' || ledger.eniOf(address)?.mode !== 'shared') return 'settled'
    const message = `asks for an ENI of its own and has ${address} of a shared one: it was not known in time what it asks for; delete the pod to have it made again`
    log.warn('pod has an address of the wrong kind', { address, ...sandbox.pod })
    notify({ about: { kind: 'Pod', ...sandbox.pod }, type: 'Warning', reason: 'SharedAddressGiven', message })
    return 'settled'
  }

  function look(): void {
    for (const [id, sandbox] of guesses) if (judge(sandbox) === 'settled') guesses.delete(id)
  }

  return {
    note(sandbox) {
      log.warn('kind of address guessed: the pod is not known yet', { ...sandbox.pod })
      guesses.set(sandbox.containerId, sandbox)
      look()
    },
    look,
  }
}
