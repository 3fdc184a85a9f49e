// npm run requirements: each id of docs/requirements.md with the tests that name it ("[P3] …"), then the ids that none names.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const ids = requirementIds(readFileSync(join(root, 'docs/requirements.md'), 'utf8'))
const shown = new Map<string, string[]>(ids.map((id) => [id, []]))
const unknown: string[] = []

for (const path of globSync('test/**/*.ts', { cwd: root, exclude: ['test/requirements.ts'] }).toSorted()) {
  for (const { id, name } of namedIn(readFileSync(join(root, path), 'utf8'))) {
    const tests = shown.get(id)
    if (tests === undefined) unknown.push(`${id} (${path})`)
    else tests.push(`${path}: ${name}`)
  }
}

for (const [id, tests] of shown) {
  if (tests.length === 0) continue
  process.stdout.write(`${id}\n${tests.map((test) => `  ${test}\n`).join('')}`)
}
const bare = ids.filter((id) => shown.get(id)?.length === 0)
process.stdout.write(
  `\n${ids.length - bare.length} of ${ids.length} requirements have a test that names them\n`,
)
if (bare.length > 0) process.stdout.write(`without: ${bare.join(' ')}\n`)
if (unknown.length > 0) {
  process.stdout.write(`Cannot find in docs/requirements.md: ${unknown.join(', ')}\n`)
  process.exitCode = 1
}

/** The ids of the first column of the tables, in their order. */
function requirementIds(text: string): string[] {
  return [...text.matchAll(/^\| ([A-Z]\d+) \|/gm)].flatMap(([, id]) => id ?? [])
}

/** Strings that open with one or more ids: "[P3] …", "[R1][R9] …" or "[P1, P2] …". */
function namedIn(source: string): { id: string; name: string }[] {
  const strings = source.matchAll(/(['"`])(?<ids>(?:\[[A-Z]\d+(?:,? ?[A-Z]\d+)*\] ?)+)(?<name>[^\n]*?)\1/g)
  return [...strings].flatMap(({ groups }) => {
    const found = groups?.['ids']?.match(/[A-Z]\d+/g) ?? []
    return found.map((id) => ({ id, name: groups?.['name'] ?? '' }))
  })
}
