// Shows that the test machines do what the tests of our plugin rest on: with the stock plugins of containernetworking-plugins,
// a real runtime gives containers an address, a way to each other and a host port, and takes them back.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { startContainerd } from './containerd.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { temporaryFolder } from './service.ts'

const missing = explainSkip(missingPieces('root', 'containerd', 'runc', 'busybox', 'cni-plugins', 'iptables'))

test('a container gets an address from stock CNI plugins and gives it back', { skip: missing }, async () => {
  const before = readdirSync('/etc')
  const cniConfDir = temporaryFolder('cni')
  writeFileSync(`${cniConfDir}/10-reference.conflist`, JSON.stringify(conflist))
  const containerd = await startContainerd({ cniConfDir, cniBinDir: '/usr/lib/cni' })
  after(() => containerd.stop())

  const one = await containerd.startContainer('one')
  const two = await containerd.startContainer('two')
  const shown = await two.exec('ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0')
  assert.match(shown.stdout, /inet 10\.88\.0\.3\//)
  const ping = await one.exec('ping', '-c', '1', '-W', '2', '10.88.0.3')
  assert.equal(ping.code, 0, ping.stdout + ping.stderr)
  assert.match(await containerd.machine.run('ip', '-o', 'route'), /10\.88\.0\.2 dev veth/)

  await two.stop()
  await one.stop()
  assert.deepEqual(await containerd.list(), [])
  assert.doesNotMatch(await containerd.machine.run('ip', '-o', 'link'), /veth/)
  assert.deepEqual(readdirSync('/etc'), before, 'the host keeps nothing')
  assert.equal(existsSync('/var/lib/cni/networks/reference'), false, 'the host keeps nothing')
})

test('startContainer() tells what a plugin answered', { skip: missing }, async () => {
  const cniConfDir = temporaryFolder('cni')
  const broken = {
    cniVersion: '1.0.0',
    name: 'broken',
    plugins: [{ type: 'ptp', ipam: { type: 'host-local' } }],
  }
  writeFileSync(`${cniConfDir}/10-broken.conflist`, JSON.stringify(broken))
  const containerd = await startContainerd({ cniConfDir, cniBinDir: '/usr/lib/cni' })
  after(() => containerd.stop())
  await assert.rejects(containerd.startContainer('one'), /no IP ranges specified/)
  assert.deepEqual(await containerd.list(), [])
})

const conflist = {
  cniVersion: '1.0.0',
  name: 'reference',
  plugins: [
    {
      type: 'ptp',
      ipMasq: false,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.88.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
}
