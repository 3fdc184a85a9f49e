// What an operator can turn on the node agent. Flags, environment, file, help and docs/settings.md follow from this table.

import { hostname } from 'node:os'
import { networkNames } from '../../internal/ipam/names.ts'
import { netnsDirectories } from '../../internal/linux/netns.ts'
import {
  absolutePath,
  bool,
  choice,
  duration,
  integer,
  kubeName,
  list,
  listenAddress,
  text,
} from '../../internal/wire/setting-kind.ts'
import { computed, type Settings, type SettingsOf, setting } from '../../internal/wire/settings.ts'
import { kubeconfig, kubeServer, logLevel } from './common-settings.ts'

const table = {
  nodeName: computed(
    kubeName,
    () => hostname().toLowerCase(),
    'the host name',
    'Name of this node in Kubernetes, and of its NodeENIConfig.',
  ),
  stateDir: setting(absolutePath, '/var/lib/tke-eni', 'Directory of node.db; made when it is missing.'),
  runDir: setting(
    absolutePath,
    '/run/tke-eni',
    'Directory of cni.sock, where the CNI plugin finds the agent.',
  ),
  kubeconfig,
  kubeServer,
  defaultNetwork: setting(
    choice(networkNames.shared, networkNames.exclusive, 'other'),
    networkNames.shared,
    "Network of pods that do not ask for one; must be the leader's.",
  ),
  reportInterval: setting(
    duration('1s', '1h'),
    '1m',
    'How often at most the counts in the NodeENIConfig are renewed; returned addresses are reported at once.',
  ),
  enableQuickRelease: setting(
    bool,
    'false',
    'Release all surplus idle addresses at once, not one at a time.',
  ),
  releaseInterval: setting(duration('1s', '1h'), '2m', 'How often surplus idle addresses are released.'),
  cooldown: setting(
    duration('0', '1h'),
    '30s',
    'How long an address that was freed rests before a pod may get it.',
  ),
  routeTableBase: setting(
    integer(256, 2_000_000_000),
    '2000',
    'Route table of an ENI: this plus the index of its link. 4000 stays clear of Cilium.',
  ),
  netnsDirs: setting(
    list(absolutePath),
    netnsDirectories.join(','),
    'Where the container runtime keeps network namespaces: pods with an ENI of their own are found there when node.db is lost.',
  ),
  primaryLink: setting(text, 'auto', 'Link of the primary ENI; "auto": the one of the default route.'),
  mtu: setting(integer(576, 9216), '1500', 'MTU of pod links; not above that of the ENIs.'),
  addTimeout: setting(
    duration('1s', '5m'),
    '30s',
    'How long an ADD waits for an address before the runtime is told to try again.',
  ),
  installCni: setting(
    bool,
    'false',
    'Link the plugin and write the network configuration, once the socket is there.',
  ),
  cniConfDir: setting(
    absolutePath,
    '/etc/cni/net.d',
    'Directory of network configurations, for install-cni.',
  ),
  cniBinDir: setting(absolutePath, '/opt/cni/bin', 'Directory of CNI plugins, for install-cni.'),
  portMapping: setting(
    bool,
    'true',
    'Chain the portmap plugin behind ours, for install-cni: host ports of pods work.',
  ),
  extendedResources: setting(
    bool,
    'true',
    'Tell the kubelet how many addresses and exclusive ENIs the node has, for pods that ask for them by resource.',
  ),
  devicePluginDir: setting(
    absolutePath,
    '/var/lib/kubelet/device-plugins',
    'Directory of device plugins, where the kubelet has its socket; for extended-resources.',
  ),
  listenHealth: setting(listenAddress, '127.0.0.1:61679', 'Where /healthz and /readyz are served.'),
  logLevel,
}

export const nodeSettings: SettingsOf<typeof table> = {
  mode: 'node',
  table,
  *check({ nodeName }) {
    // What was given is checked already; a host name may be anything.
    if (kubeName.parse(nodeName) === undefined)
      yield { setting: 'nodeName' as const, found: `which is "${nodeName}", wanted is ${kubeName.wants}` }
  },
}

export type NodeSettings = Settings<typeof table>
