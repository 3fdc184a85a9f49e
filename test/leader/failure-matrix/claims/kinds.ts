// The steps of a static address's life that the matrix is about.
export const claimKinds = [
  'reserve',
  'bind',
  'rebind',
  'leave',
  'arrive',
  'migrate',
  'rest',
  'find',
  'release',
  'expire',
  'cascade',
] as const

export type ClaimKind = (typeof claimKinds)[number]
