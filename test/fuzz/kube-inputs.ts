// Nodes and pods as an API server tells them.
export const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'n1',
    uid: 'uid-n1',
    resourceVersion: '11',
    labels: { 'cloud.tencent.com/node-instance-id': 'ins-1', 'kubernetes.io/os': 'linux' },
    annotations: { note: 'x' },
  },
  spec: { providerID: 'qcloud:///100003/ins-1', taints: [{ key: 'a', effect: 'NoSchedule' }] },
  status: { addresses: [{ type: 'InternalIP', address: '10.0.8.5' }] },
}

export const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'default',
    uid: 'uid-web',
    resourceVersion: '12',
    deletionTimestamp: '2026-01-01T00:00:00Z',
    annotations: {
      'tke.cloud.tencent.com/networks': '[{"name":"tke-route-eni"},"tke-bridge@eth1"]',
      'tke.cloud.tencent.com/vpc-ip-claim-delete-policy': 'Never',
      'tke.cloud.tencent.com/claim-expired-duration': '1h30m',
      'tke.cloud.tencent.com/nominated-vpc-ip': '10.0.1.77',
      'tke.cloud.tencent.com/nominated-eni-subnets': 'subnet-1,subnet-2',
    },
    ownerReferences: [
      { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'uid-n1' },
      { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-set', controller: true },
    ],
  },
  spec: {
    nodeName: 'n1',
    hostNetwork: false,
    containers: [
      { name: 'app', resources: { requests: { 'tke.cloud.tencent.com/eni-ip': '1' }, limits: { cpu: '1' } } },
    ],
    initContainers: [{ name: 'init', resources: { limits: { 'tke.cloud.tencent.com/direct-eni': '0' } } }],
  },
  status: { phase: 'Running', podIP: '10.0.1.5', podIPs: [{ ip: 'fd00::5' }, { ip: '10.0.1.5' }] },
}
