// What a harness and the processes of a test build tell each other, in files beside the executable. Every process finds them
// without being told, a CNI plugin with its empty environment too.

export type Role = 'leader' | 'node'

/** Lines of text, if nothing else is said. */
export const files = {
  /** Points: the process that gets to one of these first takes the file away and dies. One file for each role. */
  armed: (point: string) => `die-at.${point.slice(0, point.indexOf('.'))}`,
  /** What happened, in order: "reached <point>" when a process got there first, "passed <point>" when it did again, "died <point>". */
  journal: 'journal',
  /** JSON: settings of a role that no flag has, such as how long the cloud's answers may lag. */
  waits: (role: Role) => `test-waits.${role}`,
} as const

/** Nothing is read or written while it does not exist. */
export function crashFolder(executable: string): string {
  return `${executable}.crash`
}
