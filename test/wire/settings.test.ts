import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { leaderSettings } from '../../cmd/settings/leader-settings.ts'
import { nodeSettings } from '../../cmd/settings/node-settings.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { bool, duration, integer, list, text } from '../../internal/wire/setting-kind.ts'
import {
  type GivenSettings,
  optional,
  required,
  resolveSettings,
  type SettingsOf,
  setting,
} from '../../internal/wire/settings.ts'
import { parseSettingsFile } from '../../internal/wire/settings-file.ts'
import { known } from '../given.ts'

const table = {
  name: required(text, 'A name.'),
  ipMinWarm: setting(integer(0, 10), '5', 'Least.'),
  ipMaxWarm: setting(integer(0, 10), '5', 'Most.'),
  every: setting(duration('1s', '1h'), '30s', 'How often.'),
  quick: setting(bool, 'false', 'Quickly.'),
  subnets: optional(list(text), 'Where.'),
}

const settings: SettingsOf<typeof table> = {
  mode: 'leader',
  table,
  *check({ ipMinWarm, ipMaxWarm }) {
    if (ipMinWarm > ipMaxWarm)
      yield { setting: 'ipMinWarm' as const, found: `above ip-max-warm "${ipMaxWarm}"` }
  },
}

function resolve(given: Partial<GivenSettings>) {
  return resolveSettings(settings, { flags: { name: 'a' }, env: {}, file: undefined, ...given })
}

function refusal(given: Partial<GivenSettings>): string {
  try {
    resolve(given)
  } catch (error) {
    assert.ok(error instanceof IpamError)
    assert.equal(error.code, 'bad_input')
    return error.message
  }
  assert.fail('it was accepted')
}

const file = (values: Record<string, unknown>) => ({ path: '/etc/x.yaml', values })

test('resolveSettings() takes flag, then environment, then file, then default', () => {
  const layers: Partial<GivenSettings> = {
    flags: { name: 'a', ipMinWarm: '1' },
    env: { TKE_ENI_IP_MIN_WARM: '2', TKE_ENI_EVERY: '2m', TKE_ENI_QUICK: '' },
    file: file({ 'ip-min-warm': 3, every: '3m', quick: true, subnets: ['a', 'b'] }),
  }
  assert.deepEqual(resolve(layers), {
    name: 'a',
    ipMinWarm: 1,
    ipMaxWarm: 5,
    every: 120_000,
    quick: true,
    subnets: ['a', 'b'],
  })
})

test('resolveSettings() takes lists with commas, from several flags and from YAML alike', () => {
  for (const given of [
    { flags: { name: 'a', subnets: ['a,b', 'c'] } },
    { env: { TKE_ENI_SUBNETS: 'a, b,c' } },
    { file: file({ subnets: ['a', 'b', 'c'] }) },
  ]) {
    assert.deepEqual(resolve(given).subnets, ['a', 'b', 'c'])
  }
})

test('[R6] resolveSettings() names the setting, its value, where it came from and what is wanted', () => {
  for (const [given, wanted] of [
    [
      { flags: {} },
      /"name" is missing: give a text with --name, TKE_ENI_NAME or in a file given with --config/,
    ],
    [
      { flags: { name: 'a', ipMinWarm: '11' } },
      /^Cannot start leader: setting "ip-min-warm" is "11" \(from --ip-min-warm\), wanted is a whole number from 0 to 10$/,
    ],
    [
      { env: { TKE_ENI_EVERY: '5' } },
      /"every" is "5" \(from environment TKE_ENI_EVERY\), wanted is a duration from 1s to 1h/,
    ],
    [
      { file: file({ quick: 'maybe' }) },
      /"quick" is "maybe" \(from \/etc\/x.yaml\), wanted is true or false/,
    ],
    [{ file: file({ subnets: { a: 1 } }) }, /"subnets" is "\{"a":1\}"/],
    [
      { file: file({ 'ip-min-wram': 1 }) },
      /"ip-min-wram" in .* is not a setting, did you mean "ip-min-warm"\?/,
    ],
    [
      { env: { TKE_ENI_IP_MIN_WRAM: '1' } },
      /TKE_ENI_IP_MIN_WRAM is not a setting, did you mean TKE_ENI_IP_MIN_WARM/,
    ],
    [
      { env: { TKE_ENI_IP_MIN_WARM: '7' }, file: file({ 'ip-max-warm': 3 }) },
      /"ip-min-warm" is "7" \(from environment TKE_ENI_IP_MIN_WARM\), above ip-max-warm "3"/,
    ],
    [{ flags: { name: 'a', ipMaxWarm: '3' } }, /"ip-min-warm" is "5" \(its default\), above ip-max-warm "3"/],
    [{ flags: { ipMinWarm: 'x', every: 'y' } }, /"name".*; .*"ip-min-warm".*; .*"every"/],
  ] as const) {
    assert.match(refusal(given), wanted)
  }
})

test('resolveSettings() leaves variables alone that Kubernetes sets for a service of our name', () => {
  assert.ok(
    resolve({ env: { TKE_ENI_SERVICE_HOST: '10.0.0.1', TKE_ENI_PORT_443_TCP: 'tcp://10.0.0.1:443' } }),
  )
})

test('[R6] resolveSettings() either refuses any text or reads it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.anything()), fc.string(), (values, flag) => {
      try {
        resolve({ file: file(values), flags: { name: flag, every: flag, subnets: [flag] } })
      } catch (error) {
        assert.ok(error instanceof IpamError && error.code === 'bad_input', String(error))
      }
    }),
  )
})

test('[R6] parseSettingsFile() says what is wrong with a file', () => {
  for (const [text, wanted] of [
    ['a: [', /"x.yaml": it is not YAML: .* at line 1/],
    ['a: 1\na: 2', /unique/],
    ['- a', /it is not a mapping/],
  ] as const) {
    assert.throws(() => parseSettingsFile(text, 'x.yaml'), wanted)
  }
  assert.deepEqual(parseSettingsFile('# nothing\n', 'x.yaml'), {})
})

test('leaderSettings refuse a minimum above the maximum', () => {
  const flags = { clusterId: 'cls-1', region: 'ap-guangzhou', subnets: 'subnet-a', ipMinWarmTarget: '7' }
  assert.throws(() => resolveSettings(leaderSettings, { flags, env: {}, file: undefined }), {
    message:
      'Cannot start leader: setting "ip-min-warm-target" is "7" (from --ip-min-warm-target), above ip-max-warm-target "5"',
  })
})

test('[R6] nodeSettings take a name that a Kubernetes node can have, and no other', () => {
  const resolved = (nodeName: string) =>
    resolveSettings(nodeSettings, { flags: { nodeName }, env: {}, file: undefined }).nodeName
  const label = 'a'.repeat(63)
  for (const name of [
    'n',
    'node-1',
    '10.0.0.1',
    'vm-1.example.org',
    `${label}.${label}.${label}.${label}`.slice(0, 253),
  ])
    assert.equal(resolved(name), name)
  for (const name of [
    'Node-1',
    'node_1',
    '-n',
    'n-',
    'a..b',
    '.a',
    'a.',
    'a/b',
    'a b',
    'a\n',
    'a'.repeat(254),
  ]) {
    assert.throws(() => resolved(name), {
      code: 'bad_input',
      message:
        /^Cannot start node: setting "node-name" is "[^"]*" \(from --node-name\), wanted is a Kubernetes name/,
    })
  }
})

test('[R6] nodeSettings refuse a host name that no Kubernetes node can have as their default', () => {
  const values = resolveSettings(nodeSettings, {
    flags: { nodeName: 'n1' },
    env: {},
    file: undefined,
  })
  assert.deepEqual([...nodeSettings.check(values)], [])
  const [objection] = nodeSettings.check({ ...values, nodeName: 'my_host' })
  assert.match(known(objection).found, /^which is "my_host", wanted is a Kubernetes name/)
})

test('[R6] a settings file that refers to itself is refused with a sentence', () => {
  // It ended with "Converting circular structure to JSON" and a stack trace.
  const values = parseSettingsFile('region: &r [*r]', 'x.yaml')
  assert.throws(
    () => resolveSettings(leaderSettings, { flags: {}, env: {}, file: { path: 'x.yaml', values } }),
    /^IpamError: Cannot start leader: .*setting "region" is "nested very deep" \(from x.yaml\)/,
  )
})

test('[R6] a settings file of the wrong kind is refused at once and in short', () => {
  // Each of its keys was compared with each other one, for half a minute, and then told.
  const lines = Array.from({ length: 20_000 }, (_, i) => `key-${i}-${'x'.repeat(i % 300)}: 1`)
  const values = parseSettingsFile(lines.join('\n'), 'x.yaml')
  assert.throws(
    () => resolveSettings(leaderSettings, { flags: {}, env: {}, file: { path: 'x.yaml', values } }),
    ({ message }: Error) => message.length < 8000 && / and \d{5} more$/.test(message),
  )
  assert.throws(() => parseSettingsFile([...lines, lines[0]].join('\n'), 'x.yaml'), {
    message:
      'Cannot read settings file "x.yaml": it is not YAML: Map keys must be unique at line 20001, column 1',
  })
})
