// The embedded API server keeps the contract that a real kube-apiserver keeps.

import { httpKubeServer } from '../contract/kube/server.ts'
import { kubeContract } from '../contract/kube.contract.ts'
import { openServer } from './open-server.ts'

kubeContract('the embedded server', async () => {
  const { url, forget, close } = await openServer()
  return { server: httpKubeServer({ baseUrl: url }), forget: async () => forget(), close }
})
