import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../../internal/base/log.ts'
import { seededRandom } from '../../../internal/base/random.ts'
import type { Feed } from '../../../internal/ports.ts'
import { addNetwork } from '../../../internal/sim/kubelet/cni-chain.ts'
import { type KubeletPod, startKubelet } from '../../../internal/sim/kubelet/kubelet.ts'
import { VirtualClock } from '../../fake/virtual-clock.ts'
import { known } from '../../given.ts'

/** A kubelet of a node at 10.0.0.1 whose plugin hands out 10.1.0.9; `done` says in order what it did. */
function kubelet() {
  const done: string[] = []
  const clock = new VirtualClock()
  let feed: Feed<KubeletPod> | undefined
  startKubelet({
    api: {
      watchPods(to) {
        feed = to
        return () => {}
      },
      async setRunning({ name }, address) {
        done.push(`${name} runs at ${address}`)
      },
      tellFailure: ({ name }, message) => void done.push(`${name} fails: ${message}`),
      async remove({ name }) {
        done.push(`${name} is removed`)
      },
    },
    runtime: {
      async makeNamespace(name) {
        return `/run/netns/${name}`
      },
      async removeNamespace() {},
      async runPlugin(_plugin, env) {
        done.push(String(env['CNI_COMMAND']))
        return { status: 0, stdout: '{"ips":[{"address":"10.1.0.9/32"}]}', stderr: '' }
      },
      conflist: () => ({ cniVersion: '1.1.0', name: 'n', plugins: [{ type: 'p' }] }),
    },
    address: '10.0.0.1',
    clock,
    random: seededRandom(1),
    log: silentLog,
  })
  return { done, clock, feed: known(feed) }
}

function pod(more: Partial<KubeletPod>): KubeletPod {
  const is = { namespace: 'default', name: 'a', uid: 'uid-a', containers: [] }
  return { ...is, deleting: false, hostNetwork: false, ...more }
}

for (const { hostNetwork, wanted } of [
  { hostNetwork: false, wanted: ['ADD', 'a runs at 10.1.0.9', 'DEL', 'a is removed'] },
  { hostNetwork: true, wanted: ['a runs at 10.0.0.1', 'a is removed'] },
]) {
  test(`startKubelet() runs and removes a pod with hostNetwork ${hostNetwork}`, async () => {
    // Pods on the node's network stayed Pending for ever.
    const { done, clock, feed } = kubelet()
    feed.changed(pod({ hostNetwork }))
    await clock.settle()
    feed.changed(pod({ hostNetwork })) // as its own status comes back
    await clock.settle()
    feed.changed(pod({ hostNetwork, deleting: true }))
    await clock.settle()
    assert.deepEqual(done, wanted)
  })
}

for (const { how, said, says } of [
  { how: 'in its result', said: { stdout: '{"msg":"no","details":"why"}' }, says: 'no (why)' },
  { how: 'on standard error', said: { stderr: 'oh no\n' }, says: 'oh no' },
  { how: 'with nothing', said: {}, says: 'exit status 7' },
])
  test(`addNetwork() tells a failure as the plugin does: ${how}`, async () => {
    const run = () => Promise.resolve({ status: 7, stdout: '', stderr: '', ...said })
    const list = { cniVersion: '1.1.0', name: 'n', plugins: [{ type: 'p' }] }
    const of = { namespace: 'default', name: 'a', uid: 'u' }
    const call = { containerId: 'c', netns: '/run/netns/a', ifname: 'eth0', pod: of }
    await assert.rejects(addNetwork(run, list, call), { message: `Cannot ADD "default/a": ${says}` })
  })
