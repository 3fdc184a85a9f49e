// What must be true of a database beyond what its schema can say, as SQL that finds what is not so.

export interface Invariant {
  readonly name: string
  /** One sentence for people. */
  readonly says: string
  /** Rows with a column `found`: a sentence each about what is not so. */
  readonly sql: string
}

/** The number of an address that is in the text `column`. */
function numberOf(column: string): string {
  const part = (i: number) => `json_extract('[' || replace(${column}, '.', ',') || ']', '$[${i}]')`
  return `(${part(0)} * 16777216 + ${part(1)} * 65536 + ${part(2)} * 256 + ${part(3)})`
}

/** Is the address of one column in the block of the other? */
export function isInBlock(address: string, cidr: string): string {
  const rest = `(32 - CAST(substr(${cidr}, instr(${cidr}, '/') + 1) AS INTEGER))`
  const base = `substr(${cidr}, 1, instr(${cidr}, '/') - 1)`
  return `((${numberOf(address)} >> ${rest}) = (${numberOf(base)} >> ${rest}))`
}
