// The kubelet's own words, by their published field numbers: its device-plugin API (v1beta1), and what it says of the devices
// that pods have (podresources v1). Fields that nobody here needs are left out.
import { flag, inner, type Message, message, messages, text, texts, whole } from './protobuf.ts'

export const apiVersion = 'v1beta1'

export const empty = message({})

export const pluginOptions = message({ preStartRequired: flag(1), preferredAllocationAvailable: flag(2) })

export const registerRequest = message({
  version: text(1),
  endpoint: text(2),
  resourceName: text(3),
  options: inner(4, pluginOptions),
})

export const device = message({ id: text(1), health: text(2) })
export const deviceList = message({ devices: messages(1, device) })
export type Device = Message<typeof device>

const containerAllocation = message({ deviceIds: texts(1) })
export const allocateRequest = message({ containers: messages(1, containerAllocation) })
/** The container gets nothing by it: no environment, mounts, devices or annotations. */
export const allocateResponse = message({ containers: messages(1, empty) })

export const preStartRequest = message({ deviceIds: texts(1) })

const preferenceRequest = message({ available: texts(1), mustInclude: texts(2), size: whole(3) })
export const preferredRequest = message({ containers: messages(1, preferenceRequest) })
const preference = message({ deviceIds: texts(1) })
export const preferredResponse = message({ containers: messages(1, preference) })

const containerDevices = message({ resourceName: text(1), deviceIds: texts(2) })
const containerResources = message({ name: text(1), devices: messages(2, containerDevices) })
const podResources = message({
  name: text(1),
  namespace: text(2),
  containers: messages(3, containerResources),
})
export const podResourceList = message({ pods: messages(1, podResources) })
