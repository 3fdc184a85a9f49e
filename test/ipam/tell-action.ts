// What a plan does, as the tables write it down.
import type { Action } from '../../internal/ipam/plan-node.ts'

export function tellAction(action: Action): string {
  switch (action.kind) {
    case 'create':
      return `create ${action.slot} ${action.subnetId} ${action.mode === 'shared' ? action.ips : 'exclusive'}`
    case 'assign':
      return `assign ${action.eni / 100} +${action.count}`
    case 'unassign': {
      const { eni, addresses } = action
      return `unassign ${eni / 100} ${addresses.length < 10 ? addresses.join(' ') : `×${addresses.length}`}`
    }
    default:
      return `${action.kind} ${action.eni / 100}`
  }
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}
