// The contract suite of the embedded API server on a real kube-apiserver: what the suite says of Kubernetes is so.
import { test } from 'node:test'
import { httpKubeServer } from '../contract/kube/server.ts'
import { kubeContract } from '../contract/kube.contract.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { startKubeApiserver } from './real-kube-apiserver.ts'

const missing = explainSkip(missingPieces('kube-apiserver'))

if (missing) test('kube contract on a real kube-apiserver', { skip: missing })
else
  kubeContract('a real kube-apiserver', async () => {
    const { url, ca, token, forget, stop } = await startKubeApiserver()
    const headers = { authorization: `Bearer ${token}` }
    return { server: httpKubeServer({ baseUrl: url, ca, headers }), forget, close: stop }
  })
