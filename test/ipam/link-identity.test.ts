// Aliases of pod links: what is written is read back whole, and what somebody else wrote is nobody's identity.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hostLinkName } from '../../internal/ipam/host-link.ts'
import {
  type LinkIdentity,
  linkAlias,
  readEniAlias,
  readLinkAlias,
} from '../../internal/ipam/link-identity.ts'
import { ip } from '../given.ts'

const identity: LinkIdentity = {
  containerId: 'f'.repeat(64),
  ifname: 'eth0',
  pod: { namespace: 'default', name: 'web-0', uid: '6f1c9d1e-9d0c-4d8b-9f0e-3f4f1a2b3c4d' },
  netns: '/var/run/netns/cni-6f1c9d1e-9d0c-4d8b-9f0e-3f4f1a2b3c4d',
  address: ip('10.0.1.5'),
}
const link = hostLinkName(identity.containerId, identity.ifname)

test('[R4] linkAlias() of a pod under containerd has everything, and is read back', () => {
  const alias = linkAlias(identity)
  assert.equal(
    alias,
    `tke-eni ${'f'.repeat(64)} eth0 6f1c9d1e-9d0c-4d8b-9f0e-3f4f1a2b3c4d /var/run/netns/cni-6f1c9d1e-9d0c-4d8b-9f0e-3f4f1a2b3c4d 10.0.1.5 default/web-0`,
  )
  assert.deepEqual(readLinkAlias(link, alias), identity)
})

test('[R4] readEniAlias() reads it whatever the link is called', () => {
  assert.deepEqual(readEniAlias(linkAlias(identity)), identity)
  for (const alias of [undefined, '', 'pod 10.0.1.5 eth0']) assert.equal(readEniAlias(alias), undefined)
})

test('linkAlias() leaves out a name that does not fit, and the uid that nobody told', () => {
  const long = { ...identity, pod: { ...identity.pod, name: 'x'.repeat(200) } }
  assert.deepEqual(readLinkAlias(link, linkAlias(long)), {
    ...identity,
    pod: { namespace: '', name: '', uid: identity.pod.uid },
  })
  const plain = { ...identity, pod: { namespace: '', name: '', uid: '' } }
  assert.deepEqual(readLinkAlias(link, linkAlias(plain)), plain)
})

test('linkAlias() gives none rather than a part', () => {
  assert.equal(linkAlias({ ...identity, netns: `/${'n'.repeat(200)}` }), undefined)
  assert.equal(linkAlias({ ...identity, netns: '/run/a b' }), undefined)
  assert.equal(linkAlias({ ...identity, containerId: 'a"b' }), undefined)
})

for (const { of, alias } of [
  { of: 'nothing', alias: undefined },
  { of: 'an empty one', alias: '' },
  { of: 'the words of an earlier version', alias: 'pod 10.0.1.5 eth0' },
  { of: 'another link', alias: linkAlias({ ...identity, containerId: 'other' }) },
  { of: 'a part', alias: linkAlias(identity)?.split(' ').slice(0, 5).join(' ') },
  { of: 'an address that is none', alias: linkAlias(identity)?.replace('10.0.1.5', '10.0.1.500') },
  { of: 'more words than there are', alias: `${linkAlias(identity)} and more` },
]) {
  test(`[R6] readLinkAlias() finds nobody in the alias of ${of}`, () => {
    assert.equal(readLinkAlias(link, alias), undefined)
  })
}

test('[R6] linkAlias() fits the kernel and ends no quotes, whatever the words', () => {
  const text = fc.string({ maxLength: 120 })
  fc.assert(
    fc.property(text, text, text, text, text, text, (containerId, ifname, namespace, name, uid, netns) => {
      const given = { containerId, ifname, pod: { namespace, name, uid }, netns, address: identity.address }
      const alias = linkAlias(given)
      if (alias === undefined) return
      assert.ok(alias.length <= 255)
      assert.match(alias, /^[A-Za-z0-9_.:@%+=,/ -]+$/)
      const read = readLinkAlias(hostLinkName(containerId, ifname), alias)
      assert.equal(read?.containerId, containerId)
      assert.equal(read?.netns, netns)
    }),
  )
})
