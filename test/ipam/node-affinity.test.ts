// Which nodes a pod may run on, as the scheduler reads it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Labels, selects } from '../../internal/ipam/node-affinity.ts'
import { readPlacement } from '../../internal/wire/pod-placement.ts'

const node = { name: 'node-1', labels: { disk: 'ssd', cores: '8' } }
const term = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
})
const fields = (...values: string[]) => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values }] })

const cases: readonly { selector?: Labels; terms: readonly object[] | undefined; want: boolean }[] = [
  { terms: undefined, want: true },
  { selector: { disk: 'ssd' }, terms: undefined, want: true },
  { selector: { disk: 'hdd' }, terms: undefined, want: false },
  { selector: { toString: 'x' }, terms: undefined, want: false },
  { terms: [], want: false },
  { terms: [{}], want: false },
  { terms: [{}, term('disk', 'In', 'ssd')], want: true },
  { terms: [term('disk', 'In', 'hdd', 'ssd')], want: true },
  { terms: [term('disk', 'NotIn', 'ssd')], want: false },
  { terms: [term('zone', 'NotIn', 'a')], want: true },
  { terms: [term('zone', 'Exists')], want: false },
  { terms: [term('zone', 'DoesNotExist')], want: true },
  { terms: [term('cores', 'Gt', '4')], want: true },
  { terms: [term('cores', 'Lt', '4')], want: false },
  { terms: [term('disk', 'Gt', '4')], want: false },
  { terms: [term('disk', 'Like', 'ssd')], want: false },
  { terms: [fields('node-1')], want: true },
  { terms: [fields('node-2')], want: false },
  { terms: [{ ...term('disk', 'In', 'ssd'), ...fields('node-2') }], want: false },
  { selector: { disk: 'hdd' }, terms: [term('disk', 'In', 'ssd')], want: false },
]

for (const { selector = {}, terms, want } of cases)
  test(`selects() of ${JSON.stringify(selector)} and ${JSON.stringify(terms)} is ${want}`, () => {
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } }
    const affinity = terms === undefined ? null : { nodeAffinity: required }
    const placement = readPlacement({ nodeSelector: selector, affinity })
    assert.ok(placement)
    assert.equal(selects(placement, node), want)
  })
