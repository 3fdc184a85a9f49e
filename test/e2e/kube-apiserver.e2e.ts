// Shows that the real kube-apiserver of the end-to-end tests is one: it knows kubectl, keeps objects, and RBAC refuses strangers.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { explainSkip, missingPieces } from './pieces.ts'
import { startKubeApiserver } from './real-kube-apiserver.ts'

const missing = explainSkip(missingPieces('kube-apiserver'))

test('startKubeApiserver() starts a server that keeps objects over a restart and refuses strangers', {
  skip: missing,
}, async () => {
  const users = [{ token: 'a-stranger', name: 'stranger' }]
  const server = await startKubeApiserver({ users })
  after(() => server.stop())
  assert.match(await server.kubectl('version'), /Server Version: v1\./)
  await server.kubectl('create', 'configmap', 'kept', '--from-literal=a=b')
  await assert.rejects(server.kubectl('--token=a-stranger', 'get', 'configmaps'), /forbidden.*"stranger"/is)
  await server.interrupt()
  await server.resume()
  assert.equal(await server.kubectl('get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}'), 'b')
})
