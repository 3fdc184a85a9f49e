// What annotations of a NEC mean, or why they are refused: whoever reads or admits them is held to this table. The node is n1.
import type { NodeOverrides, NodeUse } from '../../internal/ipam/types.ts'

export interface NecSettingsCase {
  readonly does: string
  /** Without the prefix that they all have. */
  readonly set: Readonly<Record<string, string>>
  /** What annotations that were right before have put in force. */
  readonly inForce?: NodeOverrides
  /** Absent: the node has said nothing yet. */
  readonly use?: NodeUse
  /** What is in force from now on; or the words of the fault: then all stays as it was. */
  readonly want: NodeOverrides | string
}

/** As they are in a NEC. */
export function annotationsOf({ set }: Pick<NecSettingsCase, 'set'>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(set).map(([name, value]) => [`tke.cloud.tencent.com/${name}`, value]),
  )
}

const minIps = 'route-eni-ip-min-warm-target'
const maxIps = 'route-eni-ip-max-warm-target'
const minEnis = 'direct-eni-min-warm-target'
const maxEnis = 'direct-eni-max-warm-target'
const sharedEnis = 'route-eni-max-attach'
const ipsPerEni = 'max-ip-per-route-eni'
const exclusiveEnis = 'direct-eni-max-attach'

const busy: NodeUse = { inUse: 14, enisInUse: 3, mostInUse: 9, exclusiveInUse: 2 }

const notWhole = (name: string, value: string, least = 0) =>
  `${name} "${value}" on node n1: it is not a whole number from ${least} to 10000`

export const necSettingsCases: readonly NecSettingsCase[] = [
  { does: 'changes nothing without annotations', set: {}, want: {} },
  { does: 'passes over annotations of others', set: { note: 'x', 'route-eni-max': 'y' }, want: {} },
  {
    does: 'takes back what annotations that are gone have set',
    set: {},
    inForce: { sharedWarm: { minWarm: 1, maxWarm: 2 }, maxSharedEnis: 1 },
    use: busy,
    want: {},
  },
  {
    does: 'shows of a long value its beginning, on one line',
    set: { [ipsPerEni]: `two\nlines \u{1f600}${'x'.repeat(200)}` },
    want: notWhole(ipsPerEni, `two lines \u{1f600}${'x'.repeat(26)}...`, 1),
  },
  {
    does: 'shows nothing that a terminal would obey or that begins another line',
    set: { [ipsPerEni]: '\r\t\u0007\u001b[31m\u007f\u0085\u009b\u200e\u202e\u2028\u2029\ufeff\u{e0001}é' },
    want: notWhole(ipsPerEni, '    [31m         é', 1),
  },
  // warm targets
  {
    does: '[P6] takes both warm targets of addresses',
    set: { [minIps]: '3', [maxIps]: '8' },
    want: { sharedWarm: { minWarm: 3, maxWarm: 8 } },
  },
  {
    does: '[P10] takes targets of 0',
    set: { [minIps]: '0', [maxIps]: '0' },
    want: { sharedWarm: { minWarm: 0, maxWarm: 0 } },
  },
  {
    does: '[P6][X2] takes both warm targets of exclusive ENIs',
    set: { [minEnis]: '1', [maxEnis]: '1' },
    want: { exclusiveWarm: { minWarm: 1, maxWarm: 1 } },
  },
  {
    does: '[P6] takes the largest number',
    set: { [minIps]: '0', [maxIps]: '10000' },
    want: { sharedWarm: { minWarm: 0, maxWarm: 10_000 } },
  },
  {
    does: 'takes leading zeros as decimal',
    set: { [minIps]: '010', [maxIps]: '00012' },
    want: { sharedWarm: { minWarm: 10, maxWarm: 12 } },
  },
  {
    does: '[P6] takes targets whatever is in use',
    set: { [minIps]: '0', [maxIps]: '1' },
    use: busy,
    want: { sharedWarm: { minWarm: 0, maxWarm: 1 } },
  },
  {
    does: '[P7] refuses a minimum above the maximum',
    set: { [minIps]: '6', [maxIps]: '5' },
    want: `${minIps} "6" on node n1: it is above ${maxIps} "5"; set both annotations`,
  },
  {
    does: '[P7][X2] refuses a minimum of exclusive ENIs above the maximum',
    set: { [minEnis]: '2', [maxEnis]: '1' },
    want: `${minEnis} "2" on node n1: it is above ${maxEnis} "1"; set both annotations`,
  },
  {
    does: '[P7] compares targets as numbers',
    set: { [minIps]: '9', [maxIps]: '10' },
    want: { sharedWarm: { minWarm: 9, maxWarm: 10 } },
  },
  {
    does: '[P7] refuses a minimum without a maximum',
    set: { [minIps]: '3' },
    want: `${minIps} "3" on node n1: ${maxIps} is not set; set both annotations in one command`,
  },
  {
    does: '[P7] refuses a maximum without a minimum',
    set: { [maxIps]: '3' },
    want: `${maxIps} "3" on node n1: ${minIps} is not set; set both annotations in one command`,
  },
  {
    does: '[P7][X2] refuses a minimum of exclusive ENIs without a maximum',
    set: { [minEnis]: '3' },
    want: `${minEnis} "3" on node n1: ${maxEnis} is not set; set both annotations in one command`,
  },
  {
    does: '[P7][X2] refuses a maximum of exclusive ENIs without a minimum',
    set: { [maxEnis]: '3' },
    want: `${maxEnis} "3" on node n1: ${minEnis} is not set; set both annotations in one command`,
  },
  {
    does: '[P7] refuses half of a pair that was in force',
    set: { [minIps]: '3' },
    inForce: { sharedWarm: { minWarm: 3, maxWarm: 8 } },
    want: `${minIps} "3" on node n1: ${maxIps} is not set; set both annotations in one command`,
  },
  // what is no number
  ...[
    '',
    ' 3',
    '3 ',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    'five',
    '٣',
    '10001',
    '100000',
    '4294967296',
    'NaN',
  ].map(
    (value): NecSettingsCase => ({
      does: `[P7] refuses ${JSON.stringify(value)} as a target`,
      set: { [minIps]: value, [maxIps]: '10000' },
      want: notWhole(minIps, value),
    }),
  ),
  ...[sharedEnis, exclusiveEnis].map(
    (name): NecSettingsCase => ({
      does: `[P7] refuses a ${name} that is no number`,
      set: { [name]: '2x' },
      want: notWhole(name, '2x'),
    }),
  ),
  ...['0', '-1', 'x'].map(
    (value): NecSettingsCase => ({
      does: `[P7] refuses ENIs of ${value} addresses`,
      set: { [ipsPerEni]: value },
      want: notWhole(ipsPerEni, value, 1),
    }),
  ),
  // maxima
  {
    does: '[P8] takes all three maxima',
    set: { [sharedEnis]: '4', [ipsPerEni]: '12', [exclusiveEnis]: '3' },
    use: busy,
    want: { maxSharedEnis: 4, maxIpsPerEni: 12, maxExclusiveEnis: 3 },
  },
  {
    does: '[P8] takes maxima of just what is in use',
    set: { [sharedEnis]: '3', [ipsPerEni]: '9', [exclusiveEnis]: '2' },
    use: busy,
    want: { maxSharedEnis: 3, maxIpsPerEni: 9, maxExclusiveEnis: 2 },
  },
  {
    does: '[P8] takes maxima of none where none is in use',
    set: { [sharedEnis]: '0', [exclusiveEnis]: '0' },
    use: { inUse: 0, enisInUse: 0, mostInUse: 0, exclusiveInUse: 0 },
    want: { maxSharedEnis: 0, maxExclusiveEnis: 0 },
  },
  {
    does: '[P8] refuses fewer shared ENIs than pods use',
    set: { [sharedEnis]: '2' },
    use: busy,
    want: `${sharedEnis} "2" on node n1: pods use 3 shared ENIs; set at least 3`,
  },
  {
    does: '[P8] refuses fewer addresses than pods use of one ENI',
    set: { [ipsPerEni]: '8' },
    use: busy,
    want: `${ipsPerEni} "8" on node n1: pods use 9 addresses of one ENI; set at least 9`,
  },
  {
    does: '[P8][X3] refuses fewer exclusive ENIs than pods have',
    set: { [exclusiveEnis]: '1' },
    use: busy,
    want: `${exclusiveEnis} "1" on node n1: pods use 2 exclusive ENIs; set at least 2`,
  },
  {
    does: '[P8][X3] counts one as one',
    set: { [sharedEnis]: '0', [exclusiveEnis]: '0' },
    use: { inUse: 2, enisInUse: 1, mostInUse: 2, exclusiveInUse: 1 },
    want: [
      `${sharedEnis} "0" on node n1: pods use 1 shared ENI; set at least 1`,
      `${exclusiveEnis} "0" on node n1: pods use 1 exclusive ENI; set at least 1`,
    ].join('; '),
  },
  {
    does: '[P8] refuses a lower maximum than the one in force when more is in use',
    set: { [sharedEnis]: '1' },
    inForce: { maxSharedEnis: 2 },
    use: busy,
    want: `${sharedEnis} "1" on node n1: pods use 3 shared ENIs; set at least 3`,
  },
  {
    does: '[P8] keeps maxima that are in force, whatever is in use since',
    set: { [sharedEnis]: '2', [ipsPerEni]: '5', [exclusiveEnis]: '0' },
    inForce: { maxSharedEnis: 2, maxIpsPerEni: 5, maxExclusiveEnis: 0 },
    use: busy,
    want: { maxSharedEnis: 2, maxIpsPerEni: 5, maxExclusiveEnis: 0 },
  },
  {
    does: '[P8] takes other targets beside a maximum in force that is below what is in use',
    set: { [sharedEnis]: '2', [minIps]: '1', [maxIps]: '2' },
    inForce: { maxSharedEnis: 2 },
    use: busy,
    want: { maxSharedEnis: 2, sharedWarm: { minWarm: 1, maxWarm: 2 } },
  },
  {
    does: '[P8] takes any maximum while the node has said nothing',
    set: { [sharedEnis]: '0', [ipsPerEni]: '1', [exclusiveEnis]: '0' },
    want: { maxSharedEnis: 0, maxIpsPerEni: 1, maxExclusiveEnis: 0 },
  },
  // several at once
  {
    does: '[P7] refuses all when one is wrong',
    set: { [minIps]: '1', [maxIps]: '2', [sharedEnis]: 'all' },
    inForce: { sharedWarm: { minWarm: 5, maxWarm: 5 } },
    want: notWhole(sharedEnis, 'all'),
  },
  {
    does: '[P7] names all that is wrong',
    set: { [minIps]: 'a', [minEnis]: '2', [maxEnis]: '1', [exclusiveEnis]: '1' },
    use: busy,
    want: [
      notWhole(minIps, 'a'),
      `${minIps} "a" on node n1: ${maxIps} is not set; set both annotations in one command`,
      `${minEnis} "2" on node n1: it is above ${maxEnis} "1"; set both annotations`,
      `${exclusiveEnis} "1" on node n1: pods use 2 exclusive ENIs; set at least 2`,
    ].join('; '),
  },
  {
    does: '[P6][P8] takes everything at once',
    set: {
      [minIps]: '1',
      [maxIps]: '2',
      [minEnis]: '3',
      [maxEnis]: '4',
      [sharedEnis]: '5',
      [ipsPerEni]: '6',
      [exclusiveEnis]: '7',
    },
    use: { inUse: 2, enisInUse: 1, mostInUse: 2, exclusiveInUse: 0 },
    want: {
      sharedWarm: { minWarm: 1, maxWarm: 2 },
      exclusiveWarm: { minWarm: 3, maxWarm: 4 },
      maxSharedEnis: 5,
      maxIpsPerEni: 6,
      maxExclusiveEnis: 7,
    },
  },
]
