// docs/settings.md and the schemas are printed from the tables; `UPDATE=1 npm test` writes them anew.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { leaderSettings } from '../../cmd/settings/leader-settings.ts'
import { nodeSettings } from '../../cmd/settings/node-settings.ts'
import { vpcSimSettings } from '../../cmd/settings/vpc-sim-settings.ts'
import { editDistance } from '../../internal/base/nearest.ts'
import { settingsMarkdown, settingsSchema, settingVariable } from '../../internal/wire/settings.ts'

const modes = [leaderSettings, nodeSettings, vpcSimSettings]

function golden(name: string, text: string): void {
  const file = new URL(`../../docs/${name}`, import.meta.url)
  if (process.env['UPDATE']) writeFileSync(file, text)
  assert.ok(readFileSync(file, 'utf8') === text, `docs/${name} is stale: UPDATE=1 npm test writes it`)
}

test('docs/settings.md has every setting', () => {
  const introduction = `# Settings

Printed from the tables in \`cmd/settings/\`; \`UPDATE=1 npm test\` writes it anew.

A setting \`ip-min-warm-target\` is given, in this order of precedence, as the flag \`--ip-min-warm-target 5\`, as the
environment variable \`TKE_ENI_IP_MIN_WARM_TARGET=5\`, or as \`ip-min-warm-target: 5\` in the YAML file named with
\`--config\` (or \`TKE_ENI_CONFIG\`). Lists are written with commas, as several flags, or as a YAML list. Durations
are \`90s\`, \`2m\`, \`1h30m\`. An empty variable counts as not set. Everything is checked at start: a wrong or unknown
setting is named with where it came from, and the program ends with code 2 before it has done anything.
JSON Schemas of the files, for editors: \`settings-leader.schema.json\`, \`settings-node.schema.json\`.

Besides, \`TKE_ENI_CACHE_DIR\` names a directory for the unpacked SQLite library (see \`cli.md\`).
`
  const sections = modes.map((settings) => `\n## tke-eni ${settings.mode}\n\n${settingsMarkdown(settings)}`)
  golden('settings.md', introduction + sections.join(''))
})

for (const settings of [leaderSettings, nodeSettings]) {
  test(`docs/settings-${settings.mode}.schema.json describes the file`, () => {
    golden(`settings-${settings.mode}.schema.json`, `${JSON.stringify(settingsSchema(settings), null, 2)}\n`)
  })
}

test('no variable of one mode looks like a mistyped one of another', () => {
  const variables = modes.map(({ table }) => Object.keys(table).map(settingVariable))
  for (const own of variables) {
    for (const foreign of variables.flat().filter((name) => !own.includes(name))) {
      for (const name of own) assert.ok(editDistance(name, foreign) > 2, `${name} and ${foreign}`)
    }
  }
})

test('every default is a value of its kind', () => {
  for (const { mode, table } of modes) {
    for (const [key, { defaultText, fallback }] of Object.entries(table)) {
      if (defaultText !== undefined) assert.notEqual(fallback(), undefined, `${mode} ${key}`)
    }
  }
})
