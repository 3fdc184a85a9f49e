import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBenchOptions } from './options.ts'

test('parseBenchOptions() measures everything when nothing is said', () => {
  const options = parseBenchOptions([])
  assert.deepEqual([...options.only], ['q1', 'q2', 'q5', 'claims'])
  assert.equal(options.json, false)
  assert.ok(options.rounds > 0)
})

test('parseBenchOptions() takes figures, rounds and a directory', () => {
  const options = parseBenchOptions(['--json', '--only', 'q2,q5', '--rounds=9', '--directory', '/var/tmp'])
  assert.deepEqual([...options.only], ['q2', 'q5'])
  assert.deepEqual([options.json, options.rounds, options.directory], [true, 9, '/var/tmp'])
})

for (const refused of [
  { args: ['--only', 'q3'], want: /Cannot use --only "q3": expected q1, q2, q5, claims/ },
  { args: ['--rounds', '0'], want: /Cannot use --rounds "0": expected a whole number above 0/ },
  { args: ['--fast'], want: /--fast/ },
]) {
  test(`parseBenchOptions() refuses ${refused.args.join(' ')}`, () => {
    assert.throws(() => parseBenchOptions(refused.args), { message: refused.want })
  })
}
