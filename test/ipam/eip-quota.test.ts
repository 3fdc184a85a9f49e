import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eipsForPods, eipsOfInstance } from '../../internal/ipam/eip-quota.ts'

const rows = [
  { cpus: 1, eips: 2 },
  { cpus: 5, eips: 2 },
  { cpus: 6, eips: 3 },
  { cpus: 11, eips: 3 },
  { cpus: 12, eips: 4 },
  { cpus: 17, eips: 4 },
  { cpus: 18, eips: 5 },
  { cpus: 24, eips: 6 },
  { cpus: 30, eips: 7 },
  { cpus: 36, eips: 8 },
  { cpus: 42, eips: 9 },
  { cpus: 47, eips: 9 },
  { cpus: 48, eips: 10 },
  { cpus: 256, eips: 10 },
]

for (const { cpus, eips } of rows)
  test(`[E5] eipsForPods() leaves one of ${eips} to an instance of ${cpus} CPUs`, () => {
    assert.deepEqual([eipsOfInstance(cpus), eipsForPods(cpus)], [eips, eips - 1])
  })
