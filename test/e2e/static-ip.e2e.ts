// Pods that come back to static addresses, on a real kube-apiserver: what whoever makes them sees, and who is asked about which pods.
import { test } from 'node:test'
import { httpKubeServer } from '../contract/kube/server.ts'
import { staticIpContract } from '../contract/static-ip.contract.ts'
import { startAggregatedClaims } from './aggregated-claims.ts'
import { explainSkip, missingPieces } from './pieces.ts'

const missing = explainSkip(missingPieces('kube-apiserver'))

if (missing) test('static pods on a real kube-apiserver', { skip: missing })
else
  staticIpContract('a real kube-apiserver', async () => {
    const { real, ledger, startLeader, stopLeader, stop } = await startAggregatedClaims()
    const headers = { authorization: `Bearer ${real.token}` }
    const server = httpKubeServer({ baseUrl: real.url, ca: real.ca, headers })
    return { server, db: ledger.db, startLeader, stopLeader, close: stop }
  })
