import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { editMasqConfig, type MasqNote } from '../../internal/wire/masq-config.ts'

const sample =
  '{"NonMasqueradeCIDRs":["172.16.0.0/16","10.67.0.0/16"],"NonMasqueradeSrcCIDRs":["172.16.0.2/32"],"MasqLinkLocal":true,"ResyncInterval":"1m0s","MasqLinkLocalIPv6":false}'

function edited(text: string, note: MasqNote | undefined, ...wanted: readonly string[]) {
  const found = editMasqConfig(text, note, wanted)
  assert.ok('text' in found, 'fault' in found ? found.fault : '')
  return found
}

test('[E9] the documented sample gets an address more, and loses nothing', () => {
  const { text, note } = edited(sample, undefined, '172.16.0.9/32')
  assert.equal(text, sample.replace('"172.16.0.2/32"]', '"172.16.0.2/32","172.16.0.9/32"]'))
  assert.deepEqual(note, { entries: ['172.16.0.9/32'], madeList: false })
  assert.deepEqual(edited(text, note), { text: sample, note: undefined })
})

for (const [does, text, more] of [
  [
    'JSON without the list',
    '{"MasqLinkLocal":true}',
    '{"MasqLinkLocal":true,"NonMasqueradeSrcCIDRs":["a","b"]}',
  ],
  [
    'JSON as people write it',
    '{\n  "ResyncInterval": "1m0s",\n  "MasqLinkLocal": true\n}\n',
    '{\n  "ResyncInterval": "1m0s",\n  "MasqLinkLocal": true,\n  "NonMasqueradeSrcCIDRs": ["a","b"]\n}\n',
  ],
  ['an empty object', '{}', '{"NonMasqueradeSrcCIDRs":["a","b"]}'],
  ['an empty list', '{"nonMasqueradeSrcCIDRs": [ ]}', '{"nonMasqueradeSrcCIDRs": ["a","b"]}'],
  ['an object of blanks', '{ \n}', '{"NonMasqueradeSrcCIDRs":["a","b"] \n}'],
  ['no text', '', '{"NonMasqueradeSrcCIDRs":["a","b"]}'],
  ['blanks', ' \n\n', ' \n\n{"NonMasqueradeSrcCIDRs":["a","b"]}'],
  ['a comment', '# none yet\n', '# none yet\n{"NonMasqueradeSrcCIDRs":["a","b"]}'],
  ['a comment without a line break', '# none yet', '# none yet\n{"NonMasqueradeSrcCIDRs":["a","b"]}'],
  ['a list that is null', '{"NonMasqueradeSrcCIDRs": null, "b": 1}', undefined],
  ['a list that is not said', 'nonMasqueradeSrcCIDRs:\nb: 1\n', undefined],
  ['a list that is not said, with a comment', 'nonMasqueradeSrcCIDRs: # none\nb: 1\n', undefined],
  ['a list that is ~, at the end', 'b: 1\nnonMasqueradeSrcCIDRs:  ~', undefined],
  [
    'a list over lines',
    '{\n "NonMasqueradeSrcCIDRs": [\n  "x",\n  "y"\n ], "Unknown": {"a": [1, 2.50]}\n}',
    '{\n "NonMasqueradeSrcCIDRs": [\n  "x",\n  "y",\n  "a",\n  "b"\n ], "Unknown": {"a": [1, 2.50]}\n}',
  ],
  [
    'YAML with comments',
    '# ours\nresyncInterval: 60s # often\nnonMasqueradeSrcCIDRs:\n  - x # a printer\n  # and\n  - y\nmasqLinkLocal: true\n',
    '# ours\nresyncInterval: 60s # often\nnonMasqueradeSrcCIDRs:\n  - x # a printer\n  # and\n  - y\n  - a\n  - b\nmasqLinkLocal: true\n',
  ],
  ['YAML whose list is last, without a line break', 'k: 1\nnonMasqueradeSrcCIDRs:\n- x', undefined],
  [
    'YAML without the list',
    'masqLinkLocal: true\n',
    'masqLinkLocal: true\nNonMasqueradeSrcCIDRs: ["a","b"]\n',
  ],
  [
    'YAML without list and line break',
    'masqLinkLocal: true',
    'masqLinkLocal: true\nNonMasqueradeSrcCIDRs: ["a","b"]',
  ],
  [
    'a trailing comma',
    '{nonMasqueradeSrcCIDRs: [x, y, ], b: 1}',
    '{nonMasqueradeSrcCIDRs: [x, y, "a", "b", ], b: 1}',
  ],
] as const)
  test(`[E9] ${does}: entries come, and go again without a trace`, () => {
    const first = edited(text, undefined, 'a', 'b')
    if (more !== undefined) assert.equal(first.text, more)
    assert.deepEqual(first.note?.entries, ['a', 'b'])
    const one = edited(first.text, first.note, 'b')
    const again = edited(one.text, one.note, 'b', 'c')
    assert.deepEqual(edited(again.text, again.note, 'c', 'b').text, again.text)
    const last = edited(again.text, again.note)
    assert.deepEqual(last, { text, note: undefined })
  })

for (const text of [
  '',
  '\n',
  'null\n',
  '{"NonMasqueradeSrcCIDRs": null, "b": 1}',
  'nonMasqueradeSrcCIDRs:\nb: 1\n',
])
  test(`[E9] nothing becomes a list in ${JSON.stringify(text)}`, () => {
    const before = text.replace('null\n', '\n')
    const { note, text: now } = edited(before, undefined, 'a')
    assert.match(now, /onMasqueradeSrcCIDRs"?:\s?\["a"\]/)
    assert.deepEqual(edited(now, note), { text: before, note: undefined })
  })

test('[E9] what others put there stays, though it be the same', () => {
  const text = '{"NonMasqueradeSrcCIDRs":["a","b"]}'
  const { note } = edited(text, undefined, 'a')
  assert.equal(note, undefined)
  const mine = edited(text, undefined, 'a', 'c')
  assert.deepEqual(mine.note?.entries, ['c'])
  assert.equal(edited(mine.text, mine.note).text, text)
  const twice = '{"NonMasqueradeSrcCIDRs":["a","a"]}'
  assert.equal(edited(twice, { entries: ['a'], madeList: true }).text, '{"NonMasqueradeSrcCIDRs":["a"]}')
})

test('[E9] a list of ours that others have added to stays', () => {
  const made = edited('{"b":1}', undefined, 'a')
  const theirs = made.text.replace('"a"', '"a","x"')
  assert.deepEqual(edited(theirs, made.note), {
    text: '{"b":1,"NonMasqueradeSrcCIDRs":["x"]}',
    note: undefined,
  })
})

test('[E9] a map of ours that others have added to stays', () => {
  const made = edited('# none\n', undefined, 'a')
  const theirs = made.text.replace('{', '{"b": 1, ')
  assert.deepEqual(edited(theirs, made.note), { text: '# none\n{"b": 1}', note: undefined })
})

test('[E9] where there was no list, one that others have written anew stays', () => {
  const made = edited('k:\nnonMasqueradeSrcCIDRs:\n', undefined, 'a')
  const theirs = 'k:\nnonMasqueradeSrcCIDRs:\n- a\n'
  assert.deepEqual(edited(theirs, made.note).note, undefined)
  assert.deepEqual(edited(theirs.replace('- a', '- a\n- x'), made.note), {
    text: 'k:\nnonMasqueradeSrcCIDRs:\n- x\n',
    note: undefined,
  })
})

test('[E9] what somebody has overwritten is put back, and is ours again', () => {
  const { note } = edited('{"b":1}', undefined, 'a')
  assert.deepEqual(edited('{"b":2}', note, 'a'), {
    text: '{"b":2,"NonMasqueradeSrcCIDRs":["a"]}',
    note: { entries: ['a'], madeList: true },
  })
})

test('[E9] a note without anything in the text removes no list of others', () => {
  assert.equal(
    edited('{"NonMasqueradeSrcCIDRs":[]}', { entries: ['a'], madeList: true }).text,
    '{"NonMasqueradeSrcCIDRs":[]}',
  )
})

for (const [text, fault] of [
  ['{"a"', /neither JSON nor YAML/],
  ['[1]', /no map/],
  ['a: 1\n---\nb: 2\n', /several documents/],
  ['{"NonMasqueradeSrcCIDRs":[],"nonMasqueradeSrcCIDRs":[]}', /2 times/],
  ['{"NonMasqueradeSrcCIDRs":"10.0.0.1/32"}', /is no list/],
  ['{"NonMasqueradeSrcCIDRs":[7]}', /no text/],
  ['a: *b\n', /./],
  ['a: 1\n...\n', /./],
  ['{"NonMasqueradeSrcCIDRs":["x" # why\n]}', undefined],
] as const)
  test(`[R6] editMasqConfig() ${fault === undefined ? 'takes' : 'refuses'} ${JSON.stringify(text)}`, () => {
    const found = editMasqConfig(text, undefined, ['a'])
    if (fault === undefined) return assert.ok('text' in found)
    assert.ok('fault' in found, JSON.stringify(found))
    assert.match(found.fault, fault)
  })

test('[E9] of any JSON, however it is written, an edit and its way back leave every byte', () => {
  const entries = fc.uniqueArray(
    fc.ipV4().map((address) => `${address}/32`),
    { maxLength: 4 },
  )
  const others = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__' && key.toLowerCase() !== 'nonmasqueradesrccidrs'),
    fc.jsonValue(),
    { maxKeys: 4 },
  )
  fc.assert(
    fc.property(others, fc.option(entries), entries, fc.nat(3), (config, theirs, wanted, indent) => {
      const list = theirs === null ? {} : { NonMasqueradeSrcCIDRs: theirs }
      const text = JSON.stringify({ ...config, ...list }, undefined, indent)
      const first = editMasqConfig(text, undefined, wanted)
      if ('fault' in first) return // refused: nothing is changed
      const now = JSON.parse(first.text).NonMasqueradeSrcCIDRs ?? []
      assert.deepEqual(now, [
        ...(theirs ?? []),
        ...wanted.filter((entry) => theirs?.includes(entry) !== true),
      ])
      assert.equal(edited(first.text, first.note).text, text)
    }),
    { numRuns: 200 },
  )
})
