// The house style as a test: import direction, one owner per package, banned calls and words, names of files.
import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { callFaults, importFaults, nameFaults, type Sources, textFaults } from './tidy-rules.ts'

const root = join(import.meta.dirname, '..')
const made = /(?:^|\/)(?:node_modules|dist|\.git|\.cache)(?:\/|$)|\.log$/

test('sources import in one direction, and each package has one owner', () => {
  assert.deepEqual(importFaults(repository()), [])
})

test('internal/ takes time, chance and logs from its caller', () => {
  assert.deepEqual(callFaults(repository()), [])
})

test('files and folders are named in kebab-case', () => {
  assert.deepEqual(nameFaults(repository().keys()), [])
})

test('no file has leftovers, paths of one machine or hosts of registries', () => {
  assert.deepEqual(textFaults(repository()), [])
})

for (const planted of [
  {
    does: 'lets an adapter use the ports',
    path: 'internal/vpc/a.ts',
    text: "import type { Cloud } from '../ports.ts'",
    want: 0,
  },
  {
    does: 'finds an adapter in an adapter',
    path: 'internal/vpc/a.ts',
    text: "import { a } from '../kube/a.ts'",
    want: 1,
  },
  {
    does: 'finds the core reaching out',
    path: 'internal/ipam/a.ts',
    text: "import {\n  a,\n} from '../base/clock.ts'",
    want: 1,
  },
  {
    does: 'finds a loop in an adapter',
    path: 'internal/store/a.ts',
    text: "export { a } from '../leader/a.ts'",
    want: 1,
  },
  {
    does: 'finds a lazy import',
    path: 'internal/leader/a.ts',
    text: "const a = await import('../vpc/a.ts')",
    want: 1,
  },
  {
    does: 'finds the tests in the product',
    path: 'internal/sim/a.ts',
    text: "import { a } from '../../test/fake/a.ts'",
    want: 1,
  },
  {
    does: 'lets cmd import all',
    path: 'cmd/leader.ts',
    text: "import { a } from '../internal/vpc/a.ts'",
    want: 0,
  },
  {
    does: 'finds a package away from its owner',
    path: 'internal/node/a.ts',
    text: "import Sqlite from 'better-sqlite3'",
    want: 1,
  },
  {
    does: 'finds a part of such a package',
    path: 'cmd/a.ts',
    text: "import { a } from '@kubernetes/client-node/dist/a.js'",
    want: 1,
  },
  {
    does: 'lets an owner use its package',
    path: 'internal/linux/a.ts',
    text: "import { spawn } from 'node:child_process'",
    want: 0,
  },
  {
    does: 'finds a package without an owner',
    path: 'internal/kube/a.ts',
    text: "import { a } from 'left-pad'",
    want: 1,
  },
  {
    does: 'finds a part without a place',
    path: 'internal/utils/a.ts',
    text: "import { a } from '../value/a.ts'",
    want: 1,
  },
])
  test(`importFaults() ${planted.does}`, () => {
    assert.equal(importFaults(new Map([[planted.path, planted.text]])).length, planted.want)
  })

for (const planted of [
  { does: 'finds the clock', path: 'internal/leader/a.ts', text: 'const now = Date.now()', want: 1 },
  { does: 'finds a date of now', path: 'internal/leader/a.ts', text: 'const now = new Date()', want: 1 },
  {
    does: 'lets a given date be formatted',
    path: 'internal/leader/a.ts',
    text: 'new Date(now).toISOString()',
    want: 0,
  },
  { does: 'finds chance', path: 'internal/ipam/a.ts', text: 'const id = Math.random()', want: 1 },
  { does: 'finds printing', path: 'internal/node/a.ts', text: "console.log('hello')", want: 1 },
  { does: 'reads past comments', path: 'internal/node/a.ts', text: '// never console.log here', want: 0 },
  { does: 'leaves the doors to base', path: 'internal/base/clock.ts', text: 'Date.now()', want: 0 },
])
  test(`callFaults() ${planted.does}`, () => {
    assert.equal(callFaults(new Map([[planted.path, planted.text]])).length, planted.want)
  })

test('textFaults() finds what it looks for', () => {
  const todo = ['TO', 'DO'].join('')
  const planted = [
    ['FIX', 'ME'].join(''),
    `${todo}: later`,
    ['https://registry.', 'npmjs', '.org'].join(''),
    ['/ro', 'ot/.kube'].join(''),
  ]
  for (const text of planted) assert.equal(textFaults(new Map([['a.ts', text]])).length, 1, text)
  assert.deepEqual(textFaults(new Map([['a.ts', `${todo}(#7): later`]])), [])
})

test('nameFaults() finds other cases than kebab-case', () => {
  assert.deepEqual(nameFaults(['a/b-c.test.ts', 'README.md']), [])
  assert.deepEqual(nameFaults(['a/bC.ts', 'a_b/c.ts']), ['a/bC.ts', 'a_b/c.ts'])
})

/** Every text file of the repository that is not made by a tool. */
function repository(): Sources {
  const files = ['**/*', '.ci/*', '.github/**/*'].flatMap((pattern) =>
    globSync(pattern, { cwd: root, exclude: (path) => made.test(path) }),
  )
  const present = files.filter((path) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile())
  return new Map(present.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}
