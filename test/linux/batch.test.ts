import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BatchLine, exists, firstFault, readBatch, readJson } from '../../internal/linux/batch.ts'

const lines: readonly BatchLine[] = [
  { text: 'link add name a type veth', tolerates: exists },
  { text: 'link set dev a up' },
  { text: 'rule del from 10.0.1.5' },
]

test('readBatch() gives each failed line what ip said of it', () => {
  const output =
    'RTNETLINK answers: File exists\nCommand failed -:1\nError: one.\nMore of it.\nCommand failed -:3\n'
  const result = readBatch({ status: 1, output })
  assert.deepEqual(
    [...result.failures],
    [
      [0, 'RTNETLINK answers: File exists'],
      [2, 'Error: one.; More of it.'],
    ],
  )
  assert.equal(result.aborted, undefined)
})

const faults: readonly (readonly [string, number, string, string | undefined])[] = [
  ['nothing failed', 0, '', undefined],
  ['what is so already is no fault', 1, 'RTNETLINK answers: File exists\nCommand failed -:1\n', undefined],
  [
    'the first fault counts',
    1,
    'Cannot find device "a"\nCommand failed -:2\nother\nCommand failed -:3\n',
    '"ip link set dev a up": Cannot find device "a"',
  ],
  [
    'ip gave up at a line of its choice',
    255,
    'Error: argument "/run/netns/x" is wrong: Invalid "netns" value\n\n',
    'Error: argument "/run/netns/x" is wrong: Invalid "netns" value',
  ],
  [
    'nsenter could not enter',
    1,
    'nsenter: cannot open /run/netns/x: No such file or directory\n',
    'nsenter: cannot open /run/netns/x: No such file or directory',
  ],
  ['ip was killed', 137, '', 'exit status 137'],
]
for (const [what, status, output, fault] of faults) {
  test(`firstFault(): ${what}`, () => {
    assert.equal(firstFault(lines, readBatch({ status, output })), fault)
  })
}

test('readJson() gives each line its document, and undefined to one that failed', () => {
  const answer = {
    status: 1,
    output: 'Device "x" does not exist.\nCommand failed -:2\n[{"ifname":"lo"}]\n[]\n[{"dst":"default"}]',
  }
  assert.deepEqual(readJson(['a', 'b', 'c', 'd'], answer), [
    [{ ifname: 'lo' }],
    undefined,
    [],
    [{ dst: 'default' }],
  ])
})
