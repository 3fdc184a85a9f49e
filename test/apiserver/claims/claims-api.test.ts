// The leader's own server of claims keeps the contract.
import { claimsContract } from '../../contract/claims.contract.ts'
import { httpKubeServer } from '../../contract/kube/server.ts'
import { openClaimServer } from './claim-server.ts'

claimsContract('the leader', async () => {
  const { url, db, forget, stop } = await openClaimServer()
  return { server: httpKubeServer({ baseUrl: url }), db, forget, close: stop }
})
