// A leader's claims behind a real kube-apiserver, with the leader's own role there.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ServedClaims, serveClaims } from '../../cmd/leader-claims.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { type Log, silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { leaderRbac } from '../../internal/kube/rbac.ts'
import { type ClaimLedger, openClaimLedger } from '../apiserver/claims/claim-server.ts'
import { zoneOfNodes } from '../contract/static-ip.contract.ts'
import { type FrontProxyFiles, makeFrontProxy } from './front-proxy.ts'
import {
  type ApiserverUser,
  kubeconfigOf,
  type RealKubeApiserver,
  startKubeApiserver,
} from './real-kube-apiserver.ts'
import { freePort, temporaryFolder, until } from './service.ts'

export interface AggregatedClaims {
  readonly real: RealKubeApiserver
  readonly ledger: ClaimLedger
  readonly frontProxy: FrontProxyFiles
  readonly port: number
  readonly warnings: readonly string[]
  /** Of what the leader was asked. */
  readonly paths: readonly string[]
  stopLeader(): Promise<void>
  /** Another machine leads, with a ledger, an authority and a port of its own. */
  replaceLeader(): Promise<void>
  startLeader(keepsZones?: boolean): Promise<void>
  stop(): Promise<void>
}

export const leaderUser: ApiserverUser = {
  token: 'leader-token',
  name: 'system:serviceaccount:kube-system:tke-eni-leader',
  groups: ['system:serviceaccounts'],
}

/** Resolves when the API server passes requests on. `permitted`: the leader has its role, which `roles` says. */
export async function startAggregatedClaims(
  users: readonly ApiserverUser[] = [],
  { permitted = true, roles = leaderRbac() }: { permitted?: boolean; roles?: string } = {},
): Promise<AggregatedClaims> {
  const frontProxy = makeFrontProxy()
  const real = await startKubeApiserver({ users: [leaderUser, ...users], flags: frontProxy.flags })
  const folder = temporaryFolder('leader')
  const file = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  if (permitted) await real.kubectl('apply', '-f', file('roles.yaml', roles))
  let ledger = openClaimLedger()
  const ledgers = [ledger]
  let port = await freePort()
  const warnings: string[] = []
  const paths: string[] = []
  const log: Log = {
    ...silentLog,
    debug: (_, fields) => void paths.push(String(fields?.['url'])),
    warn: (event, fields) => void warnings.push(`${event}: ${fields?.['why']}`),
  }
  const client = await connectKube(
    { kubeconfig: file('kubeconfig', kubeconfigOf(real.url, real.ca, leaderUser.token)) },
    systemClock,
  )
  let served: ServedClaims | undefined
  const startLeader = async (keepsZones = true) => {
    const settings = {
      serveClaims: true,
      apiBindPort: port,
      apiAdvertiseAddress: undefined,
      defaultNetwork: 'tke-route-eni' as const,
    }
    served = serveClaims(
      { ...settings, stateDir: ledger.folder },
      {
        db: ledger.db,
        releases: ledger.releases,
        client,
        clock: systemClock,
        log,
        random: systemRandom,
        zone: zoneOfNodes,
        keepsZones: () => keepsZones,
        claimExpiry: () => undefined,
      },
    )
  }
  const stopLeader = async () => {
    await served?.close()
    served = undefined
  }
  await startLeader()
  // The API server merges what it can explain a moment after what it can get.
  const available = () =>
    real.kubectl('explain', 'vpcips').then(
      () => true,
      () => false,
    )
  if (permitted) await until('claims are served', available)
  return {
    real,
    get ledger() {
      return ledger
    },
    frontProxy,
    get port() {
      return port
    },
    warnings,
    paths,
    startLeader,
    stopLeader,
    async replaceLeader() {
      await stopLeader()
      ledger = openClaimLedger()
      ledgers.push(ledger)
      port = await freePort()
      await startLeader()
    },
    async stop() {
      await stopLeader()
      client.close()
      for (const each of ledgers) each.close()
      await real.stop()
    },
  }
}
