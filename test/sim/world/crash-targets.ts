// The crash points that runs aim at: every call through a port that changes something, and every transaction, before and after.
import { callPoints } from '../../crash/crash-points.ts'

/** Steps of an intent in the leader's ledger: a crash beside one of them must neither lose nor double anything. */
const intentSteps = [
  'record',
  'resend',
  'acceptCreation',
  'acceptAssignment',
  'accept',
  'noteUnanswered',
  'noteMissing',
  'finish',
  'fail',
]
const otherLeaderSteps = [
  'addNode',
  'setPhase',
  'setBounds',
  'removeNode',
  'setPod',
  'prune',
  'rewind',
  'clear',
  'setComplete',
  'setSuspects',
  'adoptEni',
  'adoptIp',
  'correctEni',
  'dropIp',
  'forgetEni',
]
const nodeSteps = [
  'sync',
  'attach',
  'detach',
  'giveBack',
  'setBootId',
  'adopt',
  'setQuarantine',
  'letGo',
  'prune',
]

function around(prefix: string, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => [`${prefix}.${name}.before`, `${prefix}.${name}.after`])
}

const cloudMutations = ['createEni', 'attachEni', 'detachEni', 'deleteEni', 'assignIps', 'unassignIps']

/** Between an intent and its outcome. A long run in which nobody died at one of these has not tried enough. */
export const intentPoints: readonly string[] = [
  ...around('leader.cloud', cloudMutations),
  ...around('leader.ledger', intentSteps),
]

/** The same of claims. */
export const claimPoints: readonly string[] = [
  ...around('leader.cloud', ['reserveIp', 'releaseReservation', 'migrateIp']),
  ...around('leader.ledger', [
    'addClaim',
    'restoreClaim',
    'changeClaim',
    'removeClaim',
    'renewIp',
    'setExpiryClock',
  ]),
  ...around('node.ledger', ['setStaticIps']),
]

/** Those that came with public addresses. */
const eipCalls = around('leader.kube', ['keepSources', 'setPublicIp'])

/** The same of public addresses. */
export const eipPoints: readonly string[] = [
  ...around('leader.cloud', ['allocateEip', 'associateEip', 'disassociateEip', 'releaseEip']),
  ...around('leader.ledger', ['addEipClaim', 'restoreEipClaim', 'changeEipClaim', 'removeEipClaim']),
  ...eipCalls,
]

/** An ENI is on its way into a pod, or back: seldom called, and much can be left half done. */
const eniMoves = around('node.linux', ['giveEni', 'takeEni'])

export const crashTargets: readonly string[] = [
  ...eniMoves,
  ...eniMoves,
  ...eniMoves,
  ...intentPoints,
  ...intentPoints, // twice as often
  ...around('leader.ledger', otherLeaderSteps),
  ...around('node.ledger', nodeSteps),
  ...callPoints().filter(
    (point) =>
      !point.startsWith('leader.cloud.') && !point.includes('inspectPod') && !eipCalls.includes(point),
  ),
]
