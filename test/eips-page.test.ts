// The tables of docs/eips.md are printed by the code that reads annotations; `UPDATE=1 npm test` writes them anew.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { eipKeys } from '../internal/ipam/eip-wish.ts'
import { eipTables } from './ipam/eips-page.ts'

const file = new URL('../docs/eips.md', import.meta.url)
const page = readFileSync(file, 'utf8')

test('[E1] [E4] docs/eips.md says what annotations ask for', () => {
  const text = Object.entries(eipTables).reduce((before, [name, table]) => {
    const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`)
    assert.match(before, place)
    return before.replace(place, (_all, begin: string, end: string) => `${begin}\n${table}\n${end}`)
  }, page)
  if (process.env['UPDATE']) writeFileSync(file, text)
  assert.ok(readFileSync(file, 'utf8') === text, 'docs/eips.md is stale: UPDATE=1 npm test writes it')
})

test('docs/eips.md has every annotation of a pod', () => {
  for (const name of Object.values(eipKeys)) assert.ok(page.includes(name), name)
})
