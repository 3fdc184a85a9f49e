// Epochs: each leader's is one above the highest it finds. NECs and the lease can be edited by hand, so a number is believed only
// where leaders can have got to; what is beyond is nobody's, and is written over.

/** More leaders than follow each other while somebody looks away: one a second for three years. */
const farthest = 100_000_000

/** Can a leader of `epoch` have come after one of `known`? */
export function isLater(epoch: number, known: number): boolean {
  return epoch > known && epoch - known <= farthest
}

/** The highest of `shown` that can be true, given that `known` is. */
export function highestEpoch(known: number, shown: readonly number[]): number {
  const rising = shown.toSorted((a, b) => a - b)
  return rising.reduce((highest, epoch) => (isLater(epoch, highest) ? epoch : highest), known)
}
