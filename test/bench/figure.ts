// What a measurement gives: rows of a number beside its reference.

export type Unit = 'ms' | '/s' | 'MB' | 'calls'

export interface Row {
  readonly what: string
  readonly value: number
  readonly unit: Unit
  /** Measured in the same run, in the same unit. */
  readonly reference?: { readonly what: string; readonly value: number }
}

export interface Figure {
  /** The requirement it belongs to, or what it is about. */
  readonly id: FigureId
  readonly title: string
  readonly rows: readonly Row[]
  /** What a reader should know: what was left out and why. */
  readonly notes: readonly string[]
}

export const figureIds = ['q1', 'q2', 'q5', 'claims'] as const
export type FigureId = (typeof figureIds)[number]

/** How many times the reference; undefined without one. */
export function ratioOf({ value, reference }: Row): number | undefined {
  return reference === undefined ? undefined : value / reference.value
}
