// The calls about public addresses that the matrix is about, each where it matters.
export const eipKinds = [
  'allocate',
  'bind',
  'bind-own',
  'leave',
  'arrive',
  'follow',
  'rest',
  'unbind-own',
  'release',
  'find',
  'pick',
  'quota',
] as const

export type EipKind = (typeof eipKinds)[number]
