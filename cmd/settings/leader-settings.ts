// What an operator can turn on the leader. Flags, environment, file, help and docs/settings.md follow from this table.
import { networkNames } from '../../internal/ipam/names.ts'
import type { WarmTargets } from '../../internal/ipam/types.ts'
import { metadataUrl } from '../../internal/vpc/metadata.ts'
import {
  absolutePath,
  bool,
  choice,
  duration,
  httpUrl,
  integer,
  ipv4,
  list,
  listenAddress,
  text,
} from '../../internal/wire/setting-kind.ts'
import { optional, required, type Settings, type SettingsOf, setting } from '../../internal/wire/settings.ts'
import { kubeconfig, kubeServer, logLevel } from './common-settings.ts'

const table = {
  clusterId: required(text, 'Identifier of the cluster: tags every ENI, so that each leader knows its own.'),
  region: required(text, 'Region of the VPC, such as ap-guangzhou.'),
  subnets: required(list(text), 'Subnets that pods get addresses from; each node uses those of its zone.'),
  securityGroups: optional(
    list(text),
    'Security groups of new ENIs; without any, the VPC takes its default one.',
  ),
  ipMinWarmTarget: optional(
    integer(0, 10_000),
    'Least idle addresses a new node keeps bound; without it 5, with enable-static-ip 0. Nodes that have a NodeENIConfig already keep their own.',
  ),
  ipMaxWarmTarget: optional(
    integer(0, 10_000),
    'Most idle addresses a new node keeps before it releases some; without it 5, with enable-static-ip 0.',
  ),
  enableDirectEni: setting(
    bool,
    'false',
    'Give pods that ask for tke-direct-eni an ENI of their own, and keep some warm on each node.',
  ),
  eniMinWarmTarget: setting(
    integer(0, 100),
    '1',
    'Least idle exclusive ENIs a new node keeps bound, with enable-direct-eni.',
  ),
  eniMaxWarmTarget: setting(
    integer(0, 100),
    '1',
    'Most idle exclusive ENIs a new node keeps before it releases some.',
  ),
  maxEniPerNode: optional(
    integer(1, 64),
    "Most ENIs for pods per node; without it, what the node's instance type allows.",
  ),
  enableStaticIp: setting(
    bool,
    'false',
    'Pods may keep their addresses (annotation vpc-ip-claim-delete-policy: Never). New nodes hold nothing warm then, unless the warm targets say so: every address is bound when a pod wants it.',
  ),
  staticIpAffinity: setting(
    bool,
    'true',
    'Pods that come back to a static address are only scheduled to its zone, by an admission webhook for such pods. Needs serve-claims.',
  ),
  claimExpiredDuration: optional(
    duration('5m', '4380h'),
    'A static address, or an EIP that is kept, is given up so long after its pod has ended; without it, never.',
  ),
  enableOwnerref: setting(
    bool,
    'false',
    'A static address, or an EIP that is kept, is given up when the workload of its pod is deleted: the topmost one, of any kind. Claims that were made before stay. Needs a role of its own.',
  ),
  defaultNetwork: setting(
    choice(networkNames.shared, networkNames.exclusive, 'other'),
    networkNames.shared,
    'Network of pods that do not ask for one; "other": only pods that ask for an address get one from the VPC.',
  ),
  manageTaint: setting(
    bool,
    'false',
    'Keep the taint tke.cloud.tencent.com/eni-ip-unavailable:NoSchedule on new nodes until their pool is ready. Needs a role of its own.',
  ),
  manageMasqConfig: setting(
    bool,
    'true',
    'Keep the addresses of pods with a bound EIP in NonMasqueradeSrcCIDRs of ConfigMap kube-system/ip-masq-agent-config, so that what they send leaves with their EIP. Nothing else in it is touched.',
  ),
  createMasqConfig: setting(
    bool,
    'false',
    'Make that ConfigMap where there is none, with what ip-masq-agent does without one. Needs a role of its own.',
  ),
  stateDir: setting(absolutePath, '/var/lib/tke-eni', 'Directory of leader.db; made when it is missing.'),
  kubeconfig,
  kubeServer,
  credentials: setting(
    choice('auto', 'environment', 'file', 'cvm-role'),
    'auto',
    'Where the keys for Tencent Cloud come from; "auto": environment, then file when named, then the role of the instance.',
  ),
  credentialsFile: optional(
    absolutePath,
    'File with the keys, for credentials "file": YAML with secret-id, secret-key and token.',
  ),
  metadataUrl: setting(httpUrl, metadataUrl, 'Metadata service of the instance, for credentials "cvm-role".'),
  vpcEndpoint: optional(httpUrl, 'Another address of the VPC and CVM APIs, such as a simulator.'),
  reconcileInterval: setting(
    duration('1s', '1h'),
    '30s',
    'Every node is looked at this often even when nothing is heard of it.',
  ),
  surveyInterval: setting(
    duration('10s', '24h'),
    '5m',
    'Ledger, cloud and Kubernetes are compared this often when nothing is suspected.',
  ),
  nodeLeaveAfter: setting(
    duration('1s', '24h'),
    '30s',
    'A node must be gone from Kubernetes for so long before its ENIs are taken back.',
  ),
  leaderElect: setting(
    bool,
    'true',
    'Lead only while holding the lease "tke-eni-leader" in kube-system; "false": nobody else leads, ever.',
  ),
  leaseDuration: setting(
    duration('3s', '10m'),
    '15s',
    'How long others wait after the last sign of the leader before one takes over. It gives up by itself after two thirds of it.',
  ),
  serveClaims: setting(
    bool,
    'true',
    'Show VpcIPs, VpcIPClaims and EIPClaims to kubectl by API aggregation. A cluster that does not permit it is told once, and led all the same.',
  ),
  apiBindPort: setting(
    integer(0, 65_535),
    '8448',
    "Port that the cluster's API server reaches the leader on, over TLS; 0 takes a free one.",
  ),
  apiAdvertiseAddress: optional(
    ipv4,
    "Address that the API server reaches the leader on; without it, this machine's on the way to the API server.",
  ),
  listenHealth: setting(listenAddress, '127.0.0.1:61678', 'Where /healthz and /readyz are served.'),
  logLevel,
}

export const leaderSettings: SettingsOf<typeof table> = {
  mode: 'leader',
  table,
  *check(values) {
    const { minWarm, maxWarm } = sharedTargets(values)
    if (minWarm > maxWarm) {
      yield values.ipMinWarmTarget === undefined
        ? { setting: 'ipMaxWarmTarget' as const, found: `below ip-min-warm-target "${minWarm}"` }
        : { setting: 'ipMinWarmTarget' as const, found: `above ip-max-warm-target "${maxWarm}"` }
    }
    if (values.eniMinWarmTarget > values.eniMaxWarmTarget) {
      yield {
        setting: 'eniMinWarmTarget' as const,
        found: `above eni-max-warm-target "${values.eniMaxWarmTarget}"`,
      }
    }
    if (values.credentials === 'file' && values.credentialsFile === undefined) {
      yield { setting: 'credentials' as const, found: 'but credentials-file is missing' }
    }
  },
}

export type LeaderSettings = Settings<typeof table>

/** Warm targets of new nodes: with static addresses nothing is bound in advance unless somebody says so (S1). */
export function sharedTargets(
  settings: Pick<LeaderSettings, 'enableStaticIp' | 'ipMinWarmTarget' | 'ipMaxWarmTarget'>,
): WarmTargets {
  const otherwise = settings.enableStaticIp ? 0 : 5
  return {
    minWarm: settings.ipMinWarmTarget ?? otherwise,
    maxWarm: settings.ipMaxWarmTarget ?? otherwise,
  }
}
