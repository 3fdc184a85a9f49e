// What an operator can turn on the leader. Flags, environment, file, help and docs/settings.md follow from this table.
import { networkNames } from '../../internal/ipam/names.ts'
import { metadataUrl } from '../../internal/vpc/metadata.ts'
import {
  absolutePath,
  bool,
  choice,
  duration,
  httpUrl,
  integer,
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
  ipMinWarmTarget: setting(
    integer(0, 10_000),
    '5',
    'Least idle addresses a new node keeps bound. Nodes that have a NodeENIConfig already keep their own.',
  ),
  ipMaxWarmTarget: setting(
    integer(0, 10_000),
    '5',
    'Most idle addresses a new node keeps before it releases some.',
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
  listenHealth: setting(listenAddress, '127.0.0.1:61678', 'Where /healthz and /readyz are served.'),
  logLevel,
}

export const leaderSettings: SettingsOf<typeof table> = {
  mode: 'leader',
  table,
  *check(values) {
    if (values.ipMinWarmTarget > values.ipMaxWarmTarget) {
      yield {
        setting: 'ipMinWarmTarget' as const,
        found: `above ip-max-warm-target "${values.ipMaxWarmTarget}"`,
      }
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
