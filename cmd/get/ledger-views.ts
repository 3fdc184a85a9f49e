// The resources that a database has: how each is read from it, and its columns.
import { expiryText } from '../../internal/apiserver/claims/expiry-text.ts'
import type { Column } from '../../internal/base/table.ts'
import type { Database } from '../../internal/sqlite/database.ts'
import { leaderClaims, type ShownClaim } from '../../internal/store/inspect/claims.ts'
import { leaderEipClaims, leaderEips, type ShownEipClaim } from '../../internal/store/inspect/eip-claims.ts'
import { type Eni, leaderEnis, nodeEnis } from '../../internal/store/inspect/enis.ts'
import type { Filter } from '../../internal/store/inspect/filter.ts'
import { leaderHistory, nodeHistory, type ShownHistory } from '../../internal/store/inspect/history.ts'
import { leaderIntents, type ShownIntent } from '../../internal/store/inspect/intents.ts'
import { leaderNodes, type Node } from '../../internal/store/inspect/nodes.ts'
import {
  leaderQuarantine,
  nodeQuarantine,
  type ShownSuspect,
} from '../../internal/store/inspect/quarantine.ts'
import { leaderSubnets, nodeSubnets, type Subnet } from '../../internal/store/inspect/subnets.ts'
import { leaderVips, nodeVips, type Vip } from '../../internal/store/inspect/vips.ts'
import type { Millis } from '../../internal/value/millis.ts'
import { addressOrPod } from './names.ts'
import { age, podName, shortId, type View } from './view.ts'

export type LedgerKind = 'leader' | 'node'

export interface LedgerView<Item> extends Omit<View<Item>, 'columns'> {
  readonly columns: (now: () => Millis, kind: LedgerKind) => readonly Column<Item>[]
  readonly read: {
    readonly leader: (db: Database, filter: Filter, now: Millis) => readonly Item[]
    /** Without it, a node agent's database has none. */
    readonly node?: (db: Database, filter: Filter, now: Millis) => readonly Item[]
  }
  /** Filters besides names that mean something here. */
  readonly filters: readonly ('node' | 'namespace' | 'expiring')[]
  /** When an item will be another without a change in the database. */
  readonly changesAt?: (item: Item) => string | null
  /** Where the next reading goes on, for what is only ever added to. */
  readonly position?: (item: Item) => number
}

export const vips: LedgerView<Vip> = {
  one: 'address',
  many: 'addresses',
  read: { leader: leaderVips, node: nodeVips },
  filters: ['node', 'namespace'],
  identity: ({ address }) => address,
  answersTo: (vip, name) => vip.address === name || podName(vip) === name,
  nameForm: addressOrPod,
  asGone: (vip) => ({ ...vip, state: 'gone' }),
  changesAt: ({ coolingUntil }) => coolingUntil,
  columns: (now, kind) => [
    { header: 'ADDRESS', cell: ({ address }) => address },
    { header: 'STATE', cell: ({ state }) => state },
    ...only<Vip>(kind === 'leader', { header: 'NODE', cell: ({ node }) => node }),
    { header: 'ENI', cell: ({ eni }) => eni },
    { header: 'SLOT', align: 'right', wide: true, cell: ({ slot }) => slot },
    { header: 'MODE', wide: true, cell: ({ mode }) => mode },
    { header: 'MAC', wide: true, cell: ({ mac }) => mac },
    { header: 'SUBNET', wide: true, cell: ({ subnet }) => subnet },
    { header: 'GRANT', align: 'right', wide: true, cell: ({ grant }) => grant },
    ...only<Vip>(
      kind === 'leader',
      { header: 'POLICY', wide: true, cell: ({ policy }) => policy },
      { header: 'RESERVATION', wide: true, cell: ({ reservation }) => reservation },
      { header: 'MESSAGE', wide: true, cell: ({ message }) => message },
    ),
    { header: 'POD', cell: podName },
    ...only<Vip>(
      kind === 'node',
      { header: 'CONTAINER', cell: ({ containerId }) => shortId(containerId) },
      { header: 'IFNAME', wide: true, cell: ({ ifname }) => ifname },
      { header: 'HOST-LINK', wide: true, cell: ({ hostLink }) => hostLink },
      { header: 'NETNS', wide: true, cell: ({ netns }) => netns },
      { header: 'COOLING-UNTIL', wide: true, cell: ({ coolingUntil }) => coolingUntil },
      {
        header: 'PUBLISHED',
        wide: true,
        cell: ({ published }) => (published === null ? null : published ? 'yes' : 'no'),
      },
    ),
    { header: 'POD-SINCE', wide: true, cell: ({ podSince }) => podSince },
    { header: 'CHANGED', wide: true, cell: ({ changedAt }) => changedAt },
    { header: 'AGE', cell: (vip) => age(vip.podSince ?? vip.changedAt, now) },
  ],
}

export const claims: LedgerView<ShownClaim> = {
  one: 'claim',
  many: 'claims',
  read: { leader: leaderClaims },
  filters: ['node', 'namespace', 'expiring'],
  identity: ({ namespace, name }) => `${namespace}/${name}`,
  answersTo: ({ namespace, name }, wanted) => name === wanted || `${namespace}/${name}` === wanted,
  asGone: (claim) => ({ ...claim, phase: 'gone' }),
  columns: (now) => [
    { header: 'NAMESPACE', cell: ({ namespace }) => namespace },
    { header: 'NAME', cell: ({ name }) => name },
    { header: 'PHASE', cell: ({ phase }) => phase },
    { header: 'IP', cell: ({ address }) => address },
    { header: 'NODE', cell: ({ node }) => node },
    { header: 'POLICY', cell: ({ policy }) => policy },
    { header: 'EXPIRES', cell: (claim) => expires(claim, now()) },
    { header: 'AGE', cell: ({ createdAt }) => age(createdAt, now) },
    { header: 'OWNER', wide: true, cell: ownerText },
    { header: 'SUBNET', wide: true, cell: ({ subnet }) => subnet },
    { header: 'ENI', wide: true, cell: ({ eni }) => eni },
    { header: 'RESERVATION', wide: true, cell: ({ reservation }) => reservation },
    { header: 'REASON', wide: true, cell: ({ reason }) => reason || null },
    { header: 'MESSAGE', wide: true, cell: ({ message }) => message || null },
  ],
}

export const eipClaims: LedgerView<ShownEipClaim> = {
  one: 'EIP claim',
  many: 'EIP claims',
  read: { leader: leaderEipClaims },
  filters: ['node', 'namespace', 'expiring'],
  identity: ({ namespace, name }) => `${namespace}/${name}`,
  answersTo: ({ namespace, name }, wanted) => name === wanted || `${namespace}/${name}` === wanted,
  asGone: (claim) => ({ ...claim, phase: 'gone' }),
  columns: (now) => [
    { header: 'NAMESPACE', cell: ({ namespace }) => namespace },
    { header: 'NAME', cell: ({ name }) => name },
    { header: 'PHASE', cell: ({ phase }) => phase },
    { header: 'IP', cell: ({ address }) => address },
    { header: 'EIP', cell: ({ eip }) => eip },
    { header: 'NODE', cell: ({ node }) => node },
    { header: 'POLICY', cell: ({ policy }) => policy },
    { header: 'EXPIRES', cell: (claim) => expires(claim, now()) },
    { header: 'AGE', cell: ({ createdAt }) => age(createdAt, now) },
    { header: 'PRIVATE-IP', wide: true, cell: ({ privateIp }) => privateIp },
    { header: 'BANDWIDTH', align: 'right', wide: true, cell: ({ bandwidth }) => bandwidth },
    { header: 'ISP', wide: true, cell: ({ isp }) => isp },
    { header: 'COST', wide: true, cell: ({ cost }) => cost },
    { header: 'OWNER', wide: true, cell: ownerText },
    { header: 'ASKED', wide: true, cell: ({ asked }) => asked },
    { header: 'REASON', wide: true, cell: ({ reason }) => reason || null },
    { header: 'MESSAGE', wide: true, cell: ({ message }) => message || null },
  ],
}

/** What there is of public addresses, whoever they are kept for. */
export const eips: LedgerView<ShownEipClaim> = {
  ...{ one: 'EIP', many: 'EIPs', filters: ['node', 'namespace', 'expiring'] },
  read: { leader: leaderEips },
  identity: ({ eip }) => eip ?? '',
  answersTo: ({ address, eip, name, namespace, privateIp }, wanted) =>
    [eip, address, privateIp, `${namespace}/${name}`].includes(wanted),
  asGone: (claim) => ({ ...claim, phase: 'gone' }),
  columns: (now) => [
    { header: 'EIP', cell: ({ eip }) => eip },
    { header: 'ADDRESS', cell: ({ address }) => address },
    { header: 'PHASE', cell: ({ phase }) => phase },
    { header: 'POD', cell: ({ name, namespace }) => `${namespace}/${name}` },
    { header: 'NODE', cell: ({ node }) => node },
    { header: 'BANDWIDTH', align: 'right', cell: ({ bandwidth }) => bandwidth },
    { header: 'ISP', cell: ({ isp }) => isp },
    { header: 'POLICY', cell: ({ policy }) => policy },
    { header: 'COST', cell: ({ cost }) => cost },
    { header: 'PRIVATE-IP', wide: true, cell: ({ privateIp }) => privateIp },
    { header: 'ENI', wide: true, cell: ({ eni }) => eni },
    { header: 'SOURCE', wide: true, cell: ({ source }) => source },
    { header: 'CHARGE', wide: true, cell: ({ chargeType }) => chargeType },
    { header: 'EXPIRES', wide: true, cell: (claim) => expires(claim, now()) },
    { header: 'AGE', cell: ({ createdAt }) => age(createdAt, now) },
    { header: 'MESSAGE', wide: true, cell: ({ message }) => message || null },
  ],
}

function ownerText({ owner }: Pick<ShownClaim, 'owner'>): string | null {
  return owner === null ? null : `${owner.kind}/${owner.name}`
}

type Ending = Pick<ShownClaim, 'phase' | 'policy' | 'expiresAt' | 'expireAfterMs'>

function expires({ phase, policy, expiresAt, expireAfterMs }: Ending, now: Millis): string {
  return expiryText({
    isReleasing: phase === 'Releasing',
    policy,
    left: expiresAt === null ? undefined : Date.parse(expiresAt) - now,
    // Of one that is kept already it would be counted; the setting is known to the leader alone.
    keptFor: expireAfterMs ?? (phase === 'Retained' ? undefined : 'by setting'),
  })
}

export const enis: LedgerView<Eni> = {
  one: 'ENI',
  many: 'ENIs',
  read: { leader: leaderEnis, node: nodeEnis },
  filters: ['node'],
  identity: ({ id, node, slot }) => `${node ?? id} ${slot}`,
  answersTo: ({ id }, name) => id === name,
  asGone: (eni) => ({ ...eni, state: 'gone' }),
  columns: (now, kind) => [
    { header: 'ENI', cell: ({ id }) => id ?? '<creating>' },
    ...only<Eni>(kind === 'leader', { header: 'NODE', cell: ({ node }) => node }),
    { header: 'SLOT', align: 'right', cell: ({ slot }) => slot },
    { header: 'MODE', cell: ({ mode }) => mode },
    { header: 'STATE', cell: ({ state }) => state },
    { header: 'GOAL', wide: true, cell: ({ goal }) => goal },
    { header: 'ADDRESSES', align: 'right', cell: ({ addresses }) => addresses },
    { header: 'IN-USE', align: 'right', cell: ({ inUse }) => inUse },
    { header: 'IDLE', align: 'right', cell: ({ idle }) => idle },
    { header: 'SUBNET', cell: ({ subnet }) => subnet },
    { header: 'CIDR', wide: true, cell: ({ subnetCidr }) => subnetCidr },
    { header: 'PRIMARY-IP', wide: true, cell: ({ primaryIp }) => primaryIp },
    { header: 'MAC', wide: true, cell: ({ mac }) => mac },
    ...only<Eni>(
      kind === 'leader',
      { header: 'CHANGED', wide: true, cell: ({ changedAt }) => changedAt },
      { header: 'AGE', cell: ({ changedAt }) => age(changedAt, now) },
    ),
  ],
}

export const nodes: LedgerView<Node> = {
  one: 'node',
  many: 'nodes',
  read: { leader: leaderNodes },
  filters: [],
  identity: ({ name }) => name,
  answersTo: ({ name }, wanted) => name === wanted,
  asGone: (node) => ({ ...node, phase: 'gone' }),
  columns: (now) => [
    { header: 'NAME', cell: ({ name }) => name },
    { header: 'PHASE', cell: ({ phase }) => phase },
    { header: 'ENIS', align: 'right', cell: ({ enis, maxEnis }) => `${enis}/${maxEnis}` },
    { header: 'BOUND', align: 'right', cell: ({ bound, maxBound }) => `${bound}/${maxBound}` },
    { header: 'IN-USE', align: 'right', cell: ({ inUse }) => inUse },
    { header: 'IDLE', align: 'right', cell: ({ idle }) => idle },
    { header: 'WARM', align: 'right', cell: ({ minWarm, maxWarm }) => `${minWarm}-${maxWarm}` },
    { header: 'EXCLUSIVE', align: 'right', cell: (node) => `${node.exclusiveEnis}/${node.maxExclusiveEnis}` },
    { header: 'EXCL-IN-USE', align: 'right', cell: ({ exclusiveInUse }) => exclusiveInUse },
    {
      header: 'EXCL-WARM',
      align: 'right',
      wide: true,
      cell: ({ exclusiveMaxWarm, exclusiveMinWarm }) => `${exclusiveMinWarm}-${exclusiveMaxWarm}`,
    },
    { header: 'INSTANCE', wide: true, cell: ({ instance }) => instance },
    { header: 'TYPE', wide: true, cell: ({ instanceType }) => instanceType },
    { header: 'ZONE', cell: ({ zone }) => zone },
    { header: 'ADDED', wide: true, cell: ({ addedAt }) => addedAt },
    { header: 'AGE', cell: ({ addedAt }) => age(addedAt, now) },
  ],
}

export const subnets: LedgerView<Subnet> = {
  one: 'subnet',
  many: 'subnets',
  read: { leader: leaderSubnets, node: nodeSubnets },
  filters: ['node'],
  identity: ({ id }) => id,
  answersTo: ({ id }, name) => id === name,
  asGone: (subnet) => ({
    ...subnet,
    nodes: subnet.nodes === null ? null : 0,
    enis: 0,
    primaryIps: 0,
    addresses: 0,
    inUse: 0,
    idle: 0,
    cooling: 0,
    assigning: 0,
    unassigning: 0,
    returning: 0,
  }),
  columns: (_now, kind) => [
    { header: 'SUBNET', cell: ({ id }) => id },
    { header: 'CIDR', cell: ({ cidr }) => cidr },
    { header: 'SIZE', align: 'right', wide: true, cell: ({ size }) => size },
    ...only<Subnet>(kind === 'leader', { header: 'NODES', align: 'right', cell: (subnet) => subnet.nodes }),
    { header: 'ENIS', align: 'right', cell: (subnet) => subnet.enis },
    { header: 'PRIMARY-IPS', align: 'right', wide: true, cell: ({ primaryIps }) => primaryIps },
    { header: 'ADDRESSES', align: 'right', cell: ({ addresses }) => addresses },
    { header: 'IN-USE', align: 'right', cell: ({ inUse }) => inUse },
    { header: 'IDLE', align: 'right', cell: ({ idle }) => idle },
    ...only<Subnet>(
      kind === 'leader',
      { header: 'ASSIGNING', align: 'right', cell: ({ assigning }) => assigning },
      { header: 'UNASSIGNING', align: 'right', cell: ({ unassigning }) => unassigning },
    ),
    ...only<Subnet>(
      kind === 'node',
      { header: 'COOLING', align: 'right', cell: ({ cooling }) => cooling },
      { header: 'RETURNING', align: 'right', cell: ({ returning }) => returning },
    ),
  ],
}

export const intents: LedgerView<ShownIntent> = {
  one: 'intent',
  many: 'intents',
  read: { leader: leaderIntents },
  filters: ['node'],
  identity: ({ id }) => String(id),
  answersTo: ({ id }, name) => String(id) === name,
  nameForm: { wants: 'a number', matches: (name) => /^[1-9]\d{0,15}$/.test(name) },
  columns: (now) => [
    { header: 'ID', align: 'right', cell: ({ id }) => id },
    { header: 'KIND', cell: ({ kind }) => kind },
    { header: 'STATE', cell: ({ state }) => state },
    { header: 'NODE', cell: ({ node }) => node },
    { header: 'ENI', cell: ({ eni }) => eni },
    { header: 'SLOT', align: 'right', wide: true, cell: ({ slot }) => slot },
    { header: 'MODE', wide: true, cell: ({ mode }) => mode },
    { header: 'SUBNET', wide: true, cell: ({ subnet }) => subnet },
    { header: 'COUNT', align: 'right', cell: ({ count }) => count },
    { header: 'RESENT', align: 'right', wide: true, cell: ({ resent }) => resent },
    { header: 'CREATED', wide: true, cell: ({ createdAt }) => createdAt },
    { header: 'CHANGED', wide: true, cell: ({ changedAt }) => changedAt },
    { header: 'AGE', cell: ({ createdAt }) => age(createdAt, now) },
    { header: 'ADDRESSES', wide: true, cell: ({ addresses }) => addresses.join(',') },
    { header: 'REASON', cell: ({ reason }) => reason },
    { header: 'ERROR', cell: ({ error }) => error },
  ],
}

export const history: LedgerView<ShownHistory> = {
  one: 'history of',
  many: 'history',
  read: { leader: leaderHistory, node: nodeHistory },
  filters: ['node', 'namespace'],
  identity: ({ seq }) => String(seq),
  answersTo: (entry, name) => entry.address === name || podName(entry) === name,
  nameForm: addressOrPod,
  position: ({ seq }) => seq,
  columns: (_now, kind) => [
    { header: 'TIME', cell: ({ at }) => at },
    { header: 'ADDRESS', cell: ({ address }) => address },
    { header: 'EVENT', cell: ({ event }) => event },
    ...only<ShownHistory>(
      kind === 'leader',
      { header: 'NODE', cell: ({ node }) => node },
      { header: 'ENI', wide: true, cell: ({ eni }) => eni },
    ),
    { header: 'POD', cell: podName },
    { header: 'POD-UID', wide: true, cell: ({ podUid }) => podUid },
    ...only<ShownHistory>(kind === 'node', {
      header: 'CONTAINER',
      cell: ({ containerId }) => shortId(containerId),
    }),
    { header: 'REASON', cell: ({ reason }) => reason },
  ],
}

export const quarantine: LedgerView<ShownSuspect> = {
  one: 'suspect',
  many: 'suspects',
  read: { leader: leaderQuarantine, node: nodeQuarantine },
  filters: ['node'],
  identity: ({ kind, subject }) => `${kind} ${subject}`,
  answersTo: ({ subject }, name) => subject === name,
  asGone: (suspect) => ({ ...suspect, state: 'gone' }),
  columns: (now, kind) => [
    { header: 'KIND', cell: (suspect) => suspect.kind },
    { header: 'SUBJECT', cell: ({ subject }) => subject },
    { header: 'STATE', cell: ({ state }) => state },
    ...only<ShownSuspect>(kind === 'leader', { header: 'NODE', cell: ({ node }) => node }),
    ...only<ShownSuspect>(kind === 'node', { header: 'ADDRESS', cell: ({ address }) => address }),
    { header: 'READS', align: 'right', cell: ({ reads }) => reads },
    { header: 'LAST-SEEN', wide: true, cell: ({ lastSeenAt }) => lastSeenAt },
    { header: 'AGE', cell: ({ firstSeenAt }) => age(firstSeenAt, now) },
    { header: 'REASON', cell: ({ reason }) => reason },
    { header: 'REMEDY', cell: ({ remedy }) => remedy },
  ],
}

function only<Item>(condition: boolean, ...columns: readonly Column<Item>[]): readonly Column<Item>[] {
  return condition ? columns : []
}
