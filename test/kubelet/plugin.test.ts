// Kubelets that are absent, refuse, or do not say which pod has what.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../internal/base/clock.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { createKubelet } from '../../internal/kubelet/kubelet.ts'
import { LogBook } from '../node/log-book.ts'
import { kubeletTwin } from './kubelet-twin.ts'

const resource = 'tke.cloud.tencent.com/eni-ip'
const registered = 'resource registered with the kubelet'

function setUp(t: TestContext, manners = {}) {
  const home = mkdtempSync(join(tmpdir(), 'tke-eni-kubelet-'))
  const twin = kubeletTwin(home, manners)
  const log = new LogBook()
  const kubelet = createKubelet({ directory: twin.directory, clock: systemClock, random: systemRandom, log })
  t.after(async () => {
    await kubelet.close()
    await twin.stop()
    rmSync(home, { recursive: true })
  })
  return { twin, log, kubelet }
}

test('createKubelet() tries again when it is refused, and says so once', async (t) => {
  const { twin, log, kubelet } = setUp(t, { refuse: 2 })
  await twin.start()
  const done = log.next(registered)
  kubelet.offer(resource, { capacity: 3, allocatable: 2 })
  await done
  assert.equal(twin.registrations(), 3)
  assert.equal(log.entries.filter(({ level }) => level === 'warn').length, 1)
})

test('createKubelet() is silent where there is no kubelet, and removes nothing of others at its end', async (t) => {
  const { twin, log, kubelet } = setUp(t)
  mkdirSync(twin.directory, { recursive: true })
  writeFileSync(join(twin.directory, 'other.sock'), '')
  kubelet.offer(resource, { capacity: 3, allocatable: 2 })
  await kubelet.withdraw(resource)
  await kubelet.withdraw('never/offered')
  await kubelet.close()
  kubelet.offer(resource, { capacity: 3, allocatable: 2 })
  assert.deepEqual(
    log.entries.filter(({ level }) => level !== 'debug'),
    [],
  )
})

test('what was handed out stays healthy where the kubelet does not say who has what', async (t) => {
  const { twin, log, kubelet } = setUp(t, { silent: true })
  await twin.start()
  const done = log.next(registered)
  kubelet.offer(resource, { capacity: 4, allocatable: 4 })
  await done
  const listed = async (allocatable: number) => {
    while ((await twin.resources())[resource]?.allocatable !== allocatable) await new Promise(setImmediate)
  }
  await listed(4)
  for (const pod of ['a', 'b', 'c']) await twin.allocate(pod, resource, 1)
  await twin.endPod('a')
  await twin.endPod('b')
  kubelet.offer(resource, { capacity: 4, allocatable: 1 })
  await listed(1)
  assert.deepEqual(await twin.allocate('c', resource, 1), ['eni-ip-2'])
})
