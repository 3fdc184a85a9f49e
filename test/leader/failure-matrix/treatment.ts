// What happens to one sending of a call on its way to the cloud and back.
import { sleep } from '../../../internal/base/clock.ts'
import { ApiError } from '../../../internal/sim/vpc/api-error.ts'
import { TencentError, type Transport } from '../../../internal/vpc/transport.ts'
import type { LeaderWorld } from '../leader-world.ts'

type Answer = Readonly<Record<string, unknown>>
type Params = Readonly<Record<string, unknown>>

export type Treatment<World extends LeaderWorld = LeaderWorld> =
  /** The process dies before the request leaves, or when the answer arrives. */
  | { readonly kind: 'die-before' | 'die-after' }
  /** Never arrives; or does, and its answer never comes. */
  | { readonly kind: 'lose-request' | 'lose-answer' }
  /** Arrives so long after it was sent; its answer never comes. */
  | { readonly kind: 'arrive-late'; readonly afterMs: number }
  /** The process dies before the request leaves, and that arrives so long after. */
  | { readonly kind: 'die-and-arrive'; readonly afterMs: number }
  /** Arrives twice, and the answer of the second is heard. */
  | { readonly kind: 'double' }
  | { readonly kind: 'refuse'; readonly code: string }
  /** Answered with `code`, although it takes effect. */
  | { readonly kind: 'do-and-refuse'; readonly code: string }
  /** Takes effect for one less than asked for; `answer` tells so, does not come, or tells of all. */
  | { readonly kind: 'do-in-part'; readonly answer: 'honest' | 'lost' | 'of all' }
  | { readonly kind: 'garble-answer' }
  /** Accepted, and undone by the cloud afterwards. */
  | { readonly kind: 'undo' }
  /** Somebody else does something to the ENI just before it arrives. */
  | { readonly kind: 'meanwhile'; readonly happens: (world: World, eni: string) => void }

/** What happens to the n-th sending, from 1, with `token` as its ClientToken; undefined: nothing does. */
export type Treat<World extends LeaderWorld = LeaderWorld> = (
  n: number,
  token: string,
) => Treatment<World> | undefined

/** The way of `action`, and of it alone. */
export class Link<World extends LeaderWorld> {
  readonly action: string | undefined
  sent = 0
  /** The process is to be taken for dead. */
  died = false
  treat: Treat<World> = () => undefined
  readonly #world: World

  constructor(world: World, action: string | undefined) {
    this.#world = world
    this.action = action
    world.between = (cloud) => ({
      request: (product, name, params, options) =>
        name === action
          ? this.#request(cloud, name, params as Params, options.timeoutMs)
          : cloud.request(product, name, params, options),
    })
  }

  async #request(cloud: Transport, action: string, params: Params, timeoutMs: number): Promise<Answer> {
    const treatment = this.treat(++this.sent, String(params['ClientToken']))
    const { clock, cloud: sim } = this.#world
    const perform = (changed: Params = params): Promise<Answer> =>
      cloud.request('vpc', action, changed, { timeoutMs })
    const timeOut = async (): Promise<never> => {
      await sleep(clock, timeoutMs)
      throw new TencentError({ message: `no answer within ${timeoutMs} ms`, sent: true })
    }
    switch (treatment?.kind) {
      case undefined:
        return perform()
      case 'die-before':
        return this.#die()
      case 'die-and-arrive':
        clock.after(treatment.afterMs, () => this.#arrive(action, params))
        return this.#die()
      case 'die-after':
        await perform()
        return this.#die()
      case 'lose-request':
        return timeOut()
      case 'lose-answer':
        void perform().catch(() => {})
        return timeOut()
      case 'arrive-late':
        clock.after(treatment.afterMs, () => void perform().catch(() => {}))
        return timeOut()
      case 'double':
        await perform()
        return perform()
      case 'refuse':
        throw new TencentError({ message: 'refused', code: treatment.code, requestId: 'r-1' })
      case 'do-and-refuse':
        await perform()
        throw new TencentError({ message: 'refused', code: treatment.code, requestId: 'r-1' })
      case 'garble-answer':
        await perform()
        return { RequestId: 'r-1', NetworkInterface: {}, PrivateIpAddressSet: {} }
      case 'undo': {
        sim.setFaults({ failTasks: { [action]: 1 } })
        return perform().finally(() => sim.setFaults({ failTasks: {} }))
      }
      case 'do-in-part': {
        const answer = await perform(oneLess(params))
        if (treatment.answer === 'lost') return timeOut()
        return treatment.answer === 'honest' ? answer : withOneMore(answer)
      }
      case 'meanwhile':
        treatment.happens(this.#world, String(params['NetworkInterfaceId']))
        return perform()
    }
  }

  /** Nobody hears what comes of it. */
  #arrive(action: string, params: Params): void {
    try {
      this.#world.cloud.handle(action, params, this.#world.clock.now(), 'vpc')
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  #die(): Promise<never> {
    this.died = true
    return new Promise(() => {})
  }
}

function oneLess(params: Params): Params {
  const count = params['SecondaryPrivateIpAddressCount']
  if (typeof count === 'number') return { ...params, SecondaryPrivateIpAddressCount: count - 1 }
  const named = params['PrivateIpAddresses']
  return Array.isArray(named) ? { ...params, PrivateIpAddresses: named.slice(1) } : params
}

function withOneMore(answer: Answer): Answer {
  const set = answer['PrivateIpAddressSet']
  if (!Array.isArray(set)) return answer
  return { ...answer, PrivateIpAddressSet: [...set, { ...set[0], PrivateIpAddress: '10.0.1.250' }] }
}
