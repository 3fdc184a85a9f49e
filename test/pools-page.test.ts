// The tables of docs/pools.md are printed by the planners; `UPDATE=1 npm test` writes them anew.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { necAnnotations } from '../internal/ipam/nec-settings.ts'
import { poolTables } from './ipam/pools-page.ts'

const file = new URL('../docs/pools.md', import.meta.url)
const page = readFileSync(file, 'utf8')

test('docs/pools.md says what the planners do', () => {
  const text = Object.entries(poolTables).reduce((before, [name, table]) => {
    const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`)
    assert.match(before, place)
    return before.replace(place, `$1\n${table}\n$2`)
  }, page)
  if (process.env['UPDATE']) writeFileSync(file, text)
  assert.ok(readFileSync(file, 'utf8') === text, 'docs/pools.md is stale: UPDATE=1 npm test writes it')
})

test('docs/pools.md has every annotation of a NEC', () => {
  for (const name of Object.values(necAnnotations))
    assert.ok(page.includes(`\`${name.replace('tke.cloud.tencent.com/', '')}\``), name)
})
