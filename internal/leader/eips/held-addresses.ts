// An address that an EIP is on, or may come to, does not leave its ENI: the EIP goes first. Whatever takes addresses off ENIs is asked here,
// in the transaction that records it; and so is whatever enters an EIP as being on one.
import type { Action } from '../../ipam/plan-node.ts'
import type { LeaderLedger } from '../../ports.ts'
import type { Ipv4 } from '../../value/ipv4.ts'

export interface Unheld {
  /** What may be done now; undefined: nothing. */
  readonly action: Action | undefined
  /** Addresses that EIPs have to leave. */
  readonly held: readonly Ipv4[]
}

export function withoutHeld(action: Action, ledger: Pick<LeaderLedger, 'addressesOf' | 'eips'>): Unheld {
  const isHeld = (address: Ipv4) => ledger.eips.onAddress(address) !== undefined
  const held = leaving(action, ledger).filter(isHeld)
  if (held.length === 0) return { action, held }
  if (action.kind !== 'unassign') return { action: undefined, held }
  const addresses = action.addresses.filter((address) => !isHeld(address))
  return { action: addresses.length === 0 ? undefined : { ...action, addresses }, held }
}

/** Something that takes it off its ENI has been asked: an EIP that is found on it will be on nothing. */
export function isLeaving(address: Ipv4, ledger: Pick<LeaderLedger, 'nodeOf' | 'pool'>): boolean {
  const enis = ledger.pool(ledger.nodeOf(address) ?? '')?.enis ?? []
  return enis.some(({ goal, ips }) =>
    ips.some((ip) => ip.address === address && (goal === 'delete' || ip.state === 'unassigning')),
  )
}

function leaving(action: Action, ledger: Pick<LeaderLedger, 'addressesOf'>): readonly Ipv4[] {
  switch (action.kind) {
    case 'unassign':
      return action.addresses
    case 'migrate':
      return [action.address]
    case 'detach':
    case 'delete':
      return [...ledger.addressesOf(action.eni)]
    case 'create':
    case 'attach':
    case 'assign':
      return []
  }
}
