// What can go wrong with one step of the agent: one call through a port.
import { IpamError } from '../../../internal/ipam/errors.ts'
import type { KernelChange, PodWiring } from '../../../internal/ipam/types.ts'
import type { NodePorts } from '../../../internal/node/agent.ts'
import type { Linux, NodeKube, NodeLedger, NodeTx } from '../../../internal/ports.ts'
import { withCrashPoints } from '../../crash/crash-points.ts'
import type { NodeWorld } from '../node-world.ts'

export const mishaps = {
  'die-before': 'the agent dies before it',
  'die-half': 'the agent dies half way through it',
  'die-after': 'the agent dies after it',
  'fail-before': 'it fails, and nothing is done',
  'fail-half': 'it fails half way',
  'fail-after': 'it is done, and reported as failed',
} as const

export type MishapId = keyof typeof mishaps

/** A call through a port, or a transaction that makes such a change. */
export type Step =
  | 'linux.connectPod'
  | 'linux.disconnectPod'
  | 'linux.apply'
  | 'kube.report'
  | `ledger.${keyof NodeTx}`

/** A transaction happens or does not, and so does a write to the API server. */
export function canHappen(step: Step, mishap: MishapId): boolean {
  if (step.startsWith('linux.')) return true
  return step === 'kube.report' ? !mishap.endsWith('half') : !/half|fail-after/.test(mishap)
}

export interface Armed {
  readonly step: Step
  readonly mishap: MishapId
  /** Earlier steps go well. */
  readonly when: () => boolean
  /** The agent is dead. */
  readonly died: () => void
}

/** Lets it happen to the first `step` from the next start on; returns whether it has. */
export function arm(world: NodeWorld, { step, mishap, when, died }: Armed): () => boolean {
  let happened = false
  const take = () => {
    const now = !happened && when()
    happened ||= now
    return now
  }
  const die = () => {
    died()
    return new Promise<never>(() => {})
  }
  const points = (point: string) => {
    const [, side = ''] = mishap.split('-')
    const matches = mishap.startsWith('die') && point.endsWith(`.${side}`) && isOf(point, step)
    if (!matches || !take()) return true
    died()
    return false
  }
  const fail = () =>
    new IpamError(step.startsWith('kube') ? 'unavailable' : 'kernel', 'Cannot do it: it is broken')

  async function around<T>(is: Step, whole: () => Promise<T>, half: () => Promise<unknown>): Promise<T> {
    if (is !== step || !(mishap.startsWith('fail') || mishap === 'die-half') || !take()) return whole()
    if (mishap.endsWith('half')) await half()
    if (mishap.endsWith('after')) await whole()
    if (mishap === 'die-half') return die()
    throw fail()
  }

  function linux(port: Linux): Linux {
    const { kernel } = world
    return {
      ...port,
      connectPod: (wiring: PodWiring) =>
        around(
          'linux.connectPod',
          () => port.connectPod(wiring),
          async () => {
            await port.connectPod(wiring)
            kernel.rules = kernel.rules.filter(({ to }) => to !== wiring.address)
          },
        ),
      disconnectPod: (wiring) =>
        around(
          'linux.disconnectPod',
          () => port.disconnectPod(wiring),
          async () => void kernel.podLinks.delete(wiring.hostLink),
        ),
      apply: (changes: readonly KernelChange[]) =>
        around(
          'linux.apply',
          () => port.apply(changes),
          () => port.apply(changes.slice(0, 1)),
        ),
    }
  }

  function kube(port: NodeKube): NodeKube {
    return {
      ...port,
      report: (report) =>
        around(
          'kube.report',
          () => port.report(report),
          async () => {},
        ),
    }
  }

  function ledger(port: NodeLedger): NodeLedger {
    return new Proxy(port, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key)
        if (key !== 'write' || mishap !== 'fail-before' || !step.startsWith('ledger.')) {
          return typeof value === 'function' ? value.bind(target) : value
        }
        return (change: (tx: NodeTx) => unknown) => target.write((tx) => change(refusing(tx)))
      },
    })
  }

  function refusing(tx: NodeTx): NodeTx {
    return new Proxy(tx, {
      get(target, key) {
        if (`ledger.${String(key)}` === step && take())
          throw new IpamError('storage', 'Cannot write: the disk is full')
        return Reflect.get(target, key)
      },
    })
  }

  world.between = (ports: NodePorts) => ({
    ...ports,
    linux: withCrashPoints('node.linux', linux(ports.linux), points),
    kube: withCrashPoints('node.kube', kube(ports.kube), points),
    ledger: withCrashPoints('node.ledger', ledger(ports.ledger), points),
  })
  return () => happened
}

/** `node.ledger.giveBack+setReleaseTimer.before` is of step `ledger.giveBack`. */
function isOf(point: string, step: Step): boolean {
  const [, port, names = ''] = point.split('.')
  return names.split('+').some((name) => `${port}.${name}` === step)
}
