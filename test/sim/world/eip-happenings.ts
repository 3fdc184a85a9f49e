// What can happen to pods with public addresses and their EIPs, as data, and how it is done to a world.

import type { Millis } from '../../../internal/value/millis.ts'
import { releaseNow } from '../../leader/release.ts'
import type { Asks } from './static-pods.ts'
import type { World } from './world.ts'

export type EipWhat =
  | { readonly kind: 'start-eip'; readonly name: string; readonly node: string; readonly asks: Asks }
  /** As kubectl delete eipc. */
  | { readonly kind: 'release-eip'; readonly name: string; readonly force: boolean }
  | { readonly kind: 'deny-eips'; readonly actions: readonly string[]; readonly forMs: Millis }
  /** The account may have no more than so many. */
  | { readonly kind: 'eip-quota'; readonly most: number; readonly forMs: Millis }
  | { readonly kind: 'no-balance'; readonly forMs: Millis }
  /** What the cloud has taken on comes to nothing. */
  | { readonly kind: 'fail-eip-tasks'; readonly rate: number; readonly forMs: Millis }
  /** In the console. */
  | { readonly kind: 'eip-unbound' | 'eip-released' }
  | { readonly kind: 'eip-bound-elsewhere'; readonly forMs: Millis }
  /** An EIP is in arrears, or blocked. */
  | { readonly kind: 'eip-trouble'; readonly forMs: Millis }
  /** Somebody edits what ip-masq-agent is told. */
  | { readonly kind: 'masq-edited' }
  | { readonly kind: 'die-at-eip'; readonly point: string; readonly skip: number }

const kinds: Readonly<Record<EipWhat['kind'], true>> = {
  'start-eip': true,
  'release-eip': true,
  'deny-eips': true,
  'eip-quota': true,
  'no-balance': true,
  'fail-eip-tasks': true,
  'eip-unbound': true,
  'eip-released': true,
  'eip-bound-elsewhere': true,
  'eip-trouble': true,
  'masq-edited': true,
  'die-at-eip': true,
}

export function isOfEips<W extends { readonly kind: string }>(what: W | EipWhat): what is EipWhat {
  return Object.hasOwn(kinds, what.kind)
}

export function happenToEips(world: World, what: EipWhat): void {
  const { hands } = world.eips
  switch (what.kind) {
    case 'start-eip': {
      const node = world.nodes.find(({ gone, name }) => name === what.node && !gone)
      if (node !== undefined) world.statics.start(what.name, node, what.asks)
      return
    }
    case 'release-eip':
      return releaseEip(world, what.name, what.force)
    case 'deny-eips':
      return world.deny(what.actions, what.forMs)
    case 'eip-quota':
      return world.during(
        what.forMs,
        () => world.cloud.setLimits({ eips: what.most }),
        () => world.eips.raiseQuota(),
      )
    case 'no-balance':
      return world.during(
        what.forMs,
        () => world.cloud.setFaults({ noBalance: true }),
        () => world.cloud.setFaults({ noBalance: false }),
      )
    case 'fail-eip-tasks': {
      const rates = Object.fromEntries(eipTasks.map((action) => [action, what.rate]))
      return world.during(
        what.forMs,
        () => world.cloud.setFaults({ failTasks: rates }),
        () => world.cloud.setFaults({ failTasks: {} }),
      )
    }
    case 'eip-unbound':
      return hands.unbind()
    case 'eip-released':
      return hands.release()
    case 'eip-bound-elsewhere':
      return hands.bindElsewhere(what.forMs)
    case 'eip-trouble':
      return hands.trouble(what.forMs)
    case 'masq-edited':
      return world.eips.masq.edit()
    case 'die-at-eip':
      return world.fate.arm('leader', what.point, what.skip)
  }
}

const eipTasks = ['AllocateAddresses', 'AssociateAddress', 'DisassociateAddress', 'ReleaseAddresses']

/** Refused while its pod runs, unless by force; what was given up is nobody's. */
function releaseEip(world: World, name: string, force: boolean): void {
  const { leader } = world.host
  if (!world.host.leads() || leader === undefined) return
  // What its leader does not know yet may have been done all the same when it dies on it.
  if (force || world.statics.of(name).length === 0) world.eips.promises.release(name)
  releaseNow(leader.eips, world.ledger.eips.claim({ namespace: 'default', name }), { force }).then(
    (outcome) => {
      world.log(`eipc of ${name}: ${JSON.stringify(outcome)}`)
      if (typeof outcome === 'string') world.eips.promises.release(name)
    },
    () => {},
  )
}
