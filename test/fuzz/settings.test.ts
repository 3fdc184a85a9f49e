// Flags, environment and files that are not what they must be: every fault is told, in one error, before anything is done.
import assert from 'node:assert/strict'
import { Command, CommanderError } from 'commander'
import fc from 'fast-check'
import { leaderSettings } from '../../cmd/settings/leader-settings.ts'
import { nodeSettings } from '../../cmd/settings/node-settings.ts'
import { vpcSimSettings } from '../../cmd/settings/vpc-sim-settings.ts'
import { addSettings, readSettings } from '../../cmd/settings-input.ts'
import { isRecord } from '../../internal/wire/json.ts'
import { parseKubeconfig } from '../../internal/wire/kubeconfig.ts'
import { parseManifest } from '../../internal/wire/manifest.ts'
import { resolveSettings, settingName, settingVariable } from '../../internal/wire/settings.ts'
import { parseSettingsFile } from '../../internal/wire/settings-file.ts'
import { fuzz } from './fuzz.ts'
import { mutate, mutateText, mutations } from './mutate.ts'
import { oddName, oddText, oddValue } from './odd.ts'
import { outcome, outcomeOf } from './outcome.ts'

const modes = [leaderSettings, nodeSettings, vpcSimSettings] as const
const mode = fc.nat(2)
const modeOf = (nth: number) => modes[nth] as typeof leaderSettings
const keys = modes.flatMap(({ table }) => Object.keys(table))
const key = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...keys) }, { weight: 1, arbitrary: oddText })

const value = fc.oneof(
  oddText,
  fc.constantFrom(
    '5',
    '1s',
    '0',
    '24h',
    '999999999999999999h',
    '-1',
    '1e3',
    '0x10',
    '127.0.0.1:80',
    '[::1]:99999',
  ),
  fc.constantFrom('http://x', 'http://x/y?z', 'http://[', 'tke-route-eni', 'a,b', ',', 'a,,b', 'true', '/x'),
)

fuzz(
  '[R6] settings of any text give values, or an error that names each fault',
  fc.tuple(
    mode,
    fc.array(fc.tuple(key, fc.oneof(value, fc.boolean(), fc.array(value, { maxLength: 3 }))), {
      maxLength: 6,
    }),
    fc.array(fc.tuple(key, value), { maxLength: 6 }),
    fc.array(fc.tuple(key, oddName), { maxLength: 6 }),
  ),
  ([settings, flags, env, file]) => {
    const given = {
      flags: Object.fromEntries(flags),
      env: Object.fromEntries(env.map(([name, text]) => [settingVariable(name), text])),
      file: {
        path: '/x.yaml',
        values: Object.fromEntries(file.map(([name, odd]) => [settingName(name), oddValue(odd)])) as Readonly<
          Record<string, unknown>
        >,
      },
    }
    outcome(() => resolveSettings(modeOf(settings), given))
  },
)

const valid = {
  'cluster-id': 'cls-1',
  region: 'ap-guangzhou',
  subnets: ['subnet-1', 'subnet-2'],
  'ip-min-warm-target': 5,
  'reconcile-interval': '30s',
  'listen-health': '127.0.0.1:1',
}

const yaml: fc.Arbitrary<string> = fc.oneof(
  mutations.map((changes) => mutateText(valid, changes)),
  oddText,
  fc
    .array(fc.tuple(fc.constantFrom(...keys.map(settingName)), value))
    .map((all) => all.map(([name, text]) => `${name}: ${text}\n`).join('')),
  fc.constantFrom(
    'a: &a {b: *a}',
    'region: &r [*r]',
    'a: &a [1]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nd: [*c,*c,*c]',
    [
      'a: &a0 [x,x,x,x,x,x,x,x,x,x]',
      ...Array.from({ length: 9 }, (_, i) => `k${i}: &a${i + 1} [${Array(10).fill(`*a${i}`).join()}]`),
    ].join('\n'),
    '['.repeat(20_000),
    '{a: '.repeat(5000),
    `${'- '.repeat(5000)}x`,
    Array.from({ length: 5000 }, (_, i) => `k${i}: 1`).join('\n'),
    '? {a: 1}\n: 2',
    '? [a]\n: 2',
    '<<: {region: x}',
    '!!binary x',
    '!!js/function "x"',
    '%YAML 9.9\n---\na: 1',
    '--- 1\n--- 2',
    'region: 2026-01-01',
    'region: 0x1F\nsubnets: .inf',
    'region: >\n  x\n\ty',
    '__proto__: {region: x}\nconstructor: 1',
    '\u0000',
    '\ufeffregion: x',
    'a: *missing',
  ),
)

fuzz('[R6] a settings file of any text gives values, or an error that names the file', yaml, (text) => {
  const values = outcome(() => parseSettingsFile(text, '/etc/x.yaml'))
  if (values === undefined) return
  assert.ok(isRecord(values))
  for (const settings of modes.keys())
    outcome(() =>
      resolveSettings(modeOf(settings), {
        flags: {},
        env: {},
        file: { path: '/etc/x.yaml', values },
      }),
    )
})

const words = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(key, value).map(([name, text]) => [`--${settingName(name)}`, text]) },
  { weight: 2, arbitrary: fc.tuple(key, value).map(([name, text]) => [`--${settingName(name)}=${text}`]) },
  { weight: 1, arbitrary: key.map((name) => [`--${settingName(name)}`]) },
  { weight: 1, arbitrary: oddText.map((text) => [text]) },
)

fuzz(
  '[R6] a command line of any words is understood, or refused before anything is done',
  fc.tuple(mode, fc.array(words, { maxLength: 8 })),
  async ([settings, args]) => {
    const silent = { writeOut: () => {}, writeErr: () => {} }
    const command = addSettings(new Command().exitOverride().configureOutput(silent), modeOf(settings))
    let read: Promise<unknown> | undefined
    command.action((options) => {
      read = outcomeOf(readSettings(modeOf(settings), options, {}))
    })
    try {
      await command.parseAsync(args.flat(), { from: 'user' })
    } catch (error) {
      assert.ok(error instanceof CommanderError, String(error))
    }
    await read
  },
)

const kubeconfig = {
  'current-context': 'c',
  contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
  clusters: [
    { name: 'k', cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority-data': 'eA==' } },
  ],
  users: [{ name: 'u', user: { token: 't', 'client-certificate': 'x.pem', 'client-key-data': 'eA==' } }],
}

fuzz(
  '[R6] a kubeconfig of any text is read, or its fault is named',
  fc.oneof(
    mutations.map((changes) => mutateText(kubeconfig, changes)),
    yaml,
  ),
  (text) => {
    const read = parseKubeconfig(text, '/etc')
    if ('fault' in read) assert.ok(read.fault.length < 500, `${read.fault.length} characters`)
    else if (read.plain) assert.equal(typeof read.settings.server, 'string')
  },
)

fuzz(
  '[R6] a manifest of any text is read, or is none',
  fc.oneof(
    mutations.map((changes) => mutateText({ kind: 'Pod', metadata: { name: 'x' } }, changes)),
    yaml,
  ),
  (text) => {
    for (const object of parseManifest(text) ?? []) assert.ok(isRecord(object))
  },
)

fuzz(
  '[R6] the values of a file of any type give values, or an error that names each fault',
  mutations,
  (changes) => {
    const values = mutate(valid, changes)
    if (!isRecord(values)) return
    outcome(() =>
      resolveSettings(leaderSettings, { flags: {}, env: {}, file: { path: '/etc/x.yaml', values } }),
    )
  },
)
