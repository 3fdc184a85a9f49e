// Labels, annotations and all else in nodes and pods: one odd object must not stop a watch.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { toNodeFact, toPodFact } from '../../internal/kube/facts.ts'
import { parseNetworks } from '../../internal/kube/networks.ts'
import { parseIpv4 } from '../../internal/value/ipv4.ts'
import { fuzz } from './fuzz.ts'
import { node, pod } from './kube-inputs.ts'
import { mutate, mutateText, mutations } from './mutate.ts'
import { oddName, oddText, oddValue } from './odd.ts'

fuzz('[R6] a pod that is wrong in places is read as far as it can be', mutations, (changes) => {
  const object = mutate(pod, changes)
  for (const network of ['tke-route-eni', 'tke-direct-eni', 'other'] as const) {
    const fact = toPodFact(object, network)
    if (fact === undefined) continue
    for (const key of ['namespace', 'name', 'uid'] as const)
      assert.ok(typeof fact[key] === 'string' && fact[key] !== '')
    for (const key of ['hostNetwork', 'terminal', 'deleting'] as const)
      assert.equal(typeof fact[key], 'boolean')
    assert.ok([undefined, 'shared', 'exclusive'].includes(fact.wants))
    if (fact.ip !== undefined) assert.ok(parseIpv4(fact.ip))
    assert.ok(fact.node === undefined || typeof fact.node === 'string')
  }
})

fuzz('[R6] a node that is wrong in places is read as far as it can be', mutations, (changes) => {
  const fact = toNodeFact(mutate(node, changes))
  if (fact === undefined) return
  for (const key of ['name', 'uid'] as const) assert.ok(typeof fact[key] === 'string' && fact[key] !== '')
  assert.ok(fact.instanceId === undefined || typeof fact.instanceId === 'string')
  assert.ok(fact.maxPods === undefined || (Number.isSafeInteger(fact.maxPods) && fact.maxPods >= 0))
})

fuzz('[R6] values of any type are read as a pod or a node, or as none', oddName, (name) => {
  const value = oddValue(name)
  for (const object of [value, { ...pod, metadata: value }, { ...pod, spec: value, status: value }]) {
    toPodFact(object, 'tke-route-eni')
    toNodeFact(object)
  }
})

const annotation = fc.oneof(
  oddText,
  fc.json(),
  mutations.map((changes) => mutateText([{ name: 'tke-route-eni' }, 'tke-bridge@eth1', 'a/b'], changes)),
)

fuzz('[R6] the annotation that names networks is read, or names none', annotation, (text) => {
  for (const name of parseNetworks(text)) assert.ok(typeof name === 'string' && name !== '')
})
