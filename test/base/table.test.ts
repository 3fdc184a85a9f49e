import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Column, createTable } from '../../internal/base/table.ts'

interface Pet {
  readonly name: string
  readonly legs: number | null
  readonly note?: string
}

const columns: readonly Column<Pet>[] = [
  { header: 'NAME', cell: ({ name }) => name },
  { header: 'LEGS', align: 'right', cell: ({ legs }) => legs },
  { header: 'NOTE', wide: true, cell: ({ note }) => note },
]

test('createTable() aligns columns below a header and cuts nothing off', () => {
  const long = 'a'.repeat(300)
  assert.equal(
    createTable(columns, false).add([
      { name: long, legs: 4 },
      { name: 'hen', legs: null },
    ]),
    `${'NAME'.padEnd(300)}     LEGS\n${long}        4\n${'hen'.padEnd(300)}   <none>\n`,
  )
})

test('createTable() shows wide columns on request', () => {
  assert.equal(
    createTable(columns, true).add([{ name: 'cat', legs: 4, note: 'sleeps' }]),
    'NAME   LEGS   NOTE\ncat       4   sleeps\n',
  )
})

test('createTable() puts later rows below the first, without another header', () => {
  const table = createTable(columns, false)
  assert.equal(table.add([]), '')
  table.add([{ name: 'ostrich', legs: 2 }])
  assert.equal(table.add([{ name: 'cat', legs: 4 }]), 'cat          4\n')
})

test('[R6] createTable() keeps what was written elsewhere on one line, without control characters', () => {
  const note = 'refused:\n\tbusy \u001b[2J!'
  assert.equal(
    createTable(columns, true)
      .add([{ name: 'x', legs: 1, note }])
      .split('\n')[1],
    'x         1   refused: busy ?[2J!',
  )
})
