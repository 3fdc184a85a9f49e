import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKubeconfig } from '../../internal/wire/kubeconfig.ts'

test('[R6] parseKubeconfig() names a cluster that is no text, and one of any length in short', () => {
  // An object that cannot be made a text ended with "Cannot convert object to primitive value".
  for (const [cluster, shown] of [
    [{ toString: 1 }, /^it has no cluster \{"toString":1\} with a server$/],
    ['x'.repeat(70_000), /^it has no cluster "x{70,80}\.\.\. with a server$/],
    [undefined, /^it has no cluster missing with a server$/],
  ] as const) {
    const config = { 'current-context': 'c', contexts: [{ name: 'c', context: { cluster } }] }
    const read = parseKubeconfig(JSON.stringify(config), '/etc')
    assert.ok('fault' in read)
    assert.match(read.fault, shown)
  }
})
