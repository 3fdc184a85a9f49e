// The dev cluster's kubelets speak to the API server with the product's own client.
import { errorCode } from '../../internal/ipam/errors.ts'
import { createEvents } from '../../internal/kube/events.ts'
import { type ReflectorTools, reflect } from '../../internal/kube/reflector.ts'
import type { KubeletApi, KubeletPod } from '../../internal/sim/kubelet/kubelet.ts'

interface Parts extends ReflectorTools {
  readonly node: string
}

export function kubeletApi(parts: Parts): KubeletApi {
  const { client, node, clock } = parts
  const events = createEvents({ ...parts, instance: node })
  return {
    watchPods: (feed) =>
      reflect(
        {
          what: 'pods',
          path: '/api/v1/pods',
          fieldSelector: `spec.nodeName=${node}`,
          read: readPod,
          freshness: 'consistent',
        },
        feed,
        parts,
      ),
    async setRunning(pod, address) {
      await client.call({
        doing: `write status of pod "${pod.name}"`,
        method: 'PATCH',
        path: `${pathOf(pod)}/status`,
        body: {
          metadata: { uid: pod.uid },
          status: runningStatus(pod, address, new Date(clock.now()).toISOString()),
        },
      })
    },
    tellFailure(pod, message) {
      events.notify({
        about: { kind: 'Pod', name: pod.name, namespace: pod.namespace, uid: pod.uid },
        type: 'Warning',
        reason: 'FailedCreatePodSandBox',
        message,
      })
    },
    async remove(pod) {
      try {
        await client.call({
          doing: `remove pod "${pod.name}"`,
          method: 'DELETE',
          path: pathOf(pod),
          body: { gracePeriodSeconds: 0, preconditions: { uid: pod.uid } },
        })
      } catch (error) {
        const code = errorCode(error)
        if (code !== 'not_found' && code !== 'conflict') throw error // gone, or another pod of the name
      }
    },
  }
}

function pathOf(pod: KubeletPod): string {
  return `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}`
}

interface PodJson {
  readonly metadata: {
    readonly namespace: string
    readonly name: string
    readonly uid: string
    readonly deletionTimestamp?: string
  }
  readonly spec: {
    readonly hostNetwork?: boolean
    readonly containers?: readonly { readonly name: string; readonly image: string }[]
  }
}

function readPod(object: unknown): KubeletPod {
  const { metadata, spec } = object as PodJson
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    containers: spec.containers ?? [],
    deleting: metadata.deletionTimestamp !== undefined,
    hostNetwork: spec.hostNetwork ?? false,
  }
}

function runningStatus(pod: KubeletPod, address: string, now: string): object {
  const condition = (type: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: now })
  return {
    phase: 'Running',
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: now,
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(condition),
    containerStatuses: pod.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: now } },
    })),
  }
}
