// What an action of the API is: who offers it, how often it may be called, what it takes, what it does.
import type { Shape } from './shape.ts'
import type { Call, Fields } from './world.ts'

export type Product = 'vpc' | 'cvm' | 'sts'

export interface ActionSpec<P> {
  readonly product: Product
  /** Documented calls per second. */
  readonly rate: number
  readonly params: Shape<P>
  /** Changes the cloud; others see it as of `staleDescribeMs` ago. */
  readonly writes: boolean
  /** It is about EIPs: their permissions are of CVM. */
  readonly eips?: boolean
  run(call: Call, params: P): Fields
}

/** An action whose parameter type is behind a closure. */
export interface Action {
  readonly product: Product
  readonly rate: number
  readonly writes: boolean
  readonly eips: boolean
  fromText(params: unknown): unknown
  /** Checks the parameters; the result performs the call. */
  bind(params: unknown): (call: Call) => Fields
}

export function action<P>(spec: ActionSpec<P>): Action {
  return {
    product: spec.product,
    rate: spec.rate,
    writes: spec.writes,
    eips: spec.eips ?? false,
    fromText: (params) => spec.params.fromText(params),
    bind(params) {
      const read = spec.params.read(params, '')
      return (call) => spec.run(call, read)
    },
  }
}
