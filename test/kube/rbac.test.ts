import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, listAt } from '../../internal/kube/json.ts'
import { leaderRbac, masqRbac, nodeRbac, ownersRbac, taintRbac } from '../../internal/kube/rbac.ts'
import { parseManifest } from '../../internal/wire/manifest.ts'

test('[K4] nodeRbac() keeps an agent to its own NEC, and from writing anything else but events', () => {
  for (const rule of rulesOf(nodeRbac('node-1.example'))) {
    const writes = listAt(rule, 'verbs').filter((verb) => !['get', 'list', 'watch'].includes(String(verb)))
    const [resource] = listAt(rule, 'resources')
    if (String(resource).startsWith('nodeeniconfigs'))
      assert.deepEqual(listAt(rule, 'resourceNames'), ['node-1.example'])
    if (writes.length > 0) assert.ok(resource === 'events' || resource === 'nodeeniconfigs/status')
  }
})

test('[K4] leaderRbac() and nodeRbac() have no wildcard, and see no secrets', () => {
  for (const rule of [
    ...rulesOf(leaderRbac()),
    ...rulesOf(taintRbac()),
    ...rulesOf(ownersRbac()),
    ...rulesOf(masqRbac()),
    ...rulesOf(nodeRbac('node-1')),
  ])
    for (const part of ['apiGroups', 'resources', 'verbs'])
      for (const value of listAt(rule, part)) assert.ok(value !== '*' && value !== 'secrets')
})

test('[K4] leaderRbac() lets the leader change no webhook but its own', () => {
  const rules = rulesOf(leaderRbac()).filter((rule) =>
    listAt(rule, 'resources').includes('mutatingwebhookconfigurations'),
  )
  assert.deepEqual(
    rules.map((rule) => [listAt(rule, 'verbs'), listAt(rule, 'resourceNames')]),
    [
      [['create'], []],
      [['get', 'update', 'delete'], ['tke-eni-static-ip']],
    ],
  )
})

test('[E9] leaderRbac() lets the leader change one ConfigMap, and make none', () => {
  const writers = rulesOf(leaderRbac()).filter(
    (rule) =>
      listAt(rule, 'resources').includes('configmaps') &&
      !listAt(rule, 'verbs').every((verb) => verb === 'get'),
  )
  assert.deepEqual(
    writers.map((rule) => [listAt(rule, 'verbs'), listAt(rule, 'resourceNames')]),
    [[['get', 'patch'], ['ip-masq-agent-config']]],
  )
})

test('[S7] ownersRbac() lets the leader read workloads, and change none', () => {
  const rules = rulesOf(ownersRbac())
  assert.ok(rules.length > 0)
  for (const rule of rules) assert.deepEqual(listAt(rule, 'verbs'), ['get', 'list', 'watch'])
})

test('[K5] taintRbac() alone lets the leader change nodes', () => {
  const writers = (manifest: string) =>
    rulesOf(manifest).filter(
      (rule) => listAt(rule, 'resources').includes('nodes') && listAt(rule, 'verbs').includes('patch'),
    )
  assert.equal(writers(leaderRbac()).length, 0)
  assert.equal(writers(taintRbac()).length, 1)
})

test('[R6] nodeRbac() refuses what is no node name', () => {
  for (const name of ['', 'a b', 'A', '*', 'x\n- y', '-a'])
    assert.throws(() => nodeRbac(name), { code: 'bad_input' })
})

function rulesOf(manifest: string): readonly unknown[] {
  const objects = parseManifest(manifest)
  assert.ok(objects && objects.length >= 2)
  return objects.flatMap((object) => listAt(object, 'rules')).filter((rule) => at(rule, 'verbs'))
}
