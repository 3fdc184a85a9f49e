import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributesOf, wordsOf } from '../../../internal/apiserver/aggregated/attributes.ts'
import { type FrontProxy, identityIn, mayProxy } from '../../../internal/apiserver/aggregated/front-proxy.ts'

const proxy: FrontProxy = {
  clientCa: '',
  allowedNames: ['front-proxy'],
  userHeaders: ['X-Remote-User'],
  groupHeaders: ['X-Remote-Group'],
  uidHeaders: ['X-Remote-Uid'],
  extraPrefixes: ['X-Remote-Extra-'],
}

test('mayProxy() takes the names that the cluster allows, any when it allows any', () => {
  assert.equal(mayProxy(proxy, 'front-proxy'), true)
  assert.equal(mayProxy(proxy, 'other'), false)
  assert.equal(mayProxy({ ...proxy, allowedNames: [] }, 'other'), true)
})

test('identityIn() reads user, groups and what else is said of them', () => {
  const identity = identityIn(
    {
      'x-remote-user': ['ann'],
      'x-remote-uid': ['7'],
      'x-remote-group': ['dev', 'a, system:masters'],
      'x-remote-extra-scopes%2fnice': ['one', 'two'],
    },
    proxy,
  )
  assert.deepEqual(identity, {
    user: 'ann',
    uid: '7',
    groups: ['dev', 'a, system:masters', 'system:authenticated'],
    extra: { 'scopes/nice': ['one', 'two'] },
  })
})

test('identityIn() does not take an anonymous one for an authenticated one', () => {
  const headers = { 'x-remote-user': ['system:anonymous'], 'x-remote-group': ['system:unauthenticated'] }
  assert.deepEqual(identityIn(headers, proxy)?.groups, ['system:unauthenticated'])
})

test('identityIn() is nobody without a user, or where the cluster names no header for it', () => {
  assert.equal(identityIn({ 'x-remote-group': ['system:masters'] }, proxy), undefined)
  assert.equal(identityIn({ 'x-remote-user': ['ann'] }, { ...proxy, userHeaders: [] }), undefined)
})

const group = '/apis/ipam.tke.cloud.tencent.com/v1beta1'
for (const [method, url, words] of [
  [
    'GET',
    `${group}/vpcips`,
    'list resource "vpcips" in API group "ipam.tke.cloud.tencent.com" at the cluster scope',
  ],
  ['GET', `${group}/vpcips/10.0.0.5`, 'get resource "vpcips" in'],
  ['GET', `${group}/vpcips?watch=true`, 'watch resource "vpcips" in'],
  ['GET', `${group}/watch/vpcips`, 'watch resource "vpcips" in'],
  ['DELETE', `${group}/namespaces/a/vpcipclaims/b`, 'delete resource "vpcipclaims" in'],
  ['DELETE', `${group}/namespaces/a/vpcipclaims`, 'deletecollection resource "vpcipclaims" in'],
  ['PUT', `${group}/namespaces/a/vpcipclaims`, 'put resource "vpcipclaims" in'],
  ['PATCH', `${group}/namespaces/a/vpcipclaims/b/status`, 'patch resource "vpcipclaims/status" in'],
  ['GET', group, `get path "${group}"`],
  ['GET', '/openapi/v3', 'get path "/openapi/v3"'],
] as const) {
  test(`attributesOf() ${method} ${url}`, () => {
    const attributes = attributesOf(method, url)
    assert.ok(attributes !== undefined && wordsOf(attributes).startsWith(words), JSON.stringify(attributes))
  })
}

for (const [method, query, name] of [
  ['GET', 'fieldSelector=metadata.name%3Db', 'b'],
  ['GET', 'watch=true&fieldSelector=metadata.name%3Db', 'b'],
  ['GET', 'fieldSelector=metadata.name%3D..', ''],
  ['GET', 'fieldSelector=metadata.name%21%3Db', ''],
  ['DELETE', 'fieldSelector=metadata.name%3Db', ''],
] as const)
  test(`[K4] attributesOf() ${method} ?${query} is about ${name || 'no name'}`, () => {
    const attributes = attributesOf(method, `${group}/namespaces/a/vpcipclaims?${query}`)
    assert.equal(attributes !== undefined && 'name' in attributes && attributes.name, name)
  })

test('attributesOf() knows nothing of a path that could be taken for another', () => {
  for (const url of ['//evil/apis', '/healthz/../apis', '/healthz/%2E%2e/apis', 'http://evil/apis'])
    assert.equal(attributesOf('GET', url), undefined)
})
