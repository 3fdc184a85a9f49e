// Which lists of the built-in types merge item by item, and by which field.
import type { StrategicRules } from './patch/strategic-patch.ts'

const metadata: StrategicRules = { ownerReferences: { key: 'uid' }, finalizers: { key: '' } }

const container: StrategicRules = {
  env: { key: 'name' },
  ports: { key: 'containerPort' },
  volumeMounts: { key: 'mountPath' },
  volumeDevices: { key: 'devicePath' },
}

const podSpec: StrategicRules = {
  containers: { key: 'name', below: container },
  initContainers: { key: 'name', below: container },
  ephemeralContainers: { key: 'name', below: container },
  volumes: { key: 'name' },
  imagePullSecrets: { key: 'name' },
  hostAliases: { key: 'ip' },
  topologySpreadConstraints: { key: 'topologyKey' },
}

const status: StrategicRules = {
  conditions: { key: 'type' },
  addresses: { key: 'type' },
  podIPs: { key: 'ip' },
  hostIPs: { key: 'ip' },
}

/** For core/v1: fields of spec that mean lists with keys are named differently in every kind, so one table serves all. */
export const coreStrategic: StrategicRules = {
  metadata: { below: metadata },
  spec: { below: { ...podSpec, taints: { key: 'key' }, ports: { key: 'port' }, podCIDRs: { key: '' } } },
  status: { below: status },
  secrets: { key: 'name' },
  imagePullSecrets: { key: 'name' },
}

export const workloadStrategic: StrategicRules = {
  metadata: { below: metadata },
  spec: { below: { template: { below: { metadata: { below: metadata }, spec: { below: podSpec } } } } },
  status: { below: status },
}
