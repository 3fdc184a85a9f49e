// What a harness and the processes of a test build tell each other, in files beside the executable. Every process finds them
// without being told, a CNI plugin with its empty environment too.

/** Points, one a line. */
export const files = {
  /** The process that gets to one of these first takes the file away and dies. One file for each role. */
  armed: (point: string) => `die-at.${point.slice(0, point.indexOf('.'))}`,
  /** Where processes died. */
  died: 'died',
  /** Where processes have been, once for each. */
  reached: 'reached',
} as const

/** Nothing is read or written while it does not exist. */
export function crashFolder(executable: string): string {
  return `${executable}.crash`
}
