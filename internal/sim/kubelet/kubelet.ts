// A small kubelet for the dev cluster: gives each pod of its node a network namespace, has the CNI plugin executed as a
// container runtime does, reports the pod's status, and cleans up. No containers run: a pod is its network, and one on the
// node's network is nothing but its status.
import { type Clock, sleep } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { randomToken } from '../../base/random-token.ts'
import type { Feed, Stop } from '../../ports.ts'
import { addNetwork, type CniResult, type Conflist, deleteNetwork, type RunPlugin } from './cni-chain.ts'

/** A pod as a kubelet needs it. */
export interface KubeletPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly containers: readonly { readonly name: string; readonly image: string }[]
  readonly deleting: boolean
  readonly hostNetwork: boolean
}

export interface KubeletApi {
  watchPods(feed: Feed<KubeletPod>): Stop
  /** The pod runs with this address. */
  setRunning(pod: KubeletPod, address: string): Promise<void>
  /** The pod cannot be started (yet), and why: an event. */
  tellFailure(pod: KubeletPod, message: string): void
  /** Its deletion is complete. */
  remove(pod: KubeletPod): Promise<void>
}

export interface KubeletRuntime {
  /** Makes a network namespace; returns its path. */
  makeNamespace(name: string): Promise<string>
  removeNamespace(name: string): Promise<void>
  readonly runPlugin: RunPlugin
  /** The network configuration; undefined while none is installed. */
  conflist(): Conflist | undefined
}

export interface Kubelet {
  /** Starts a pod of the kubelet's own, without the API server, as from a manifest on its disk; returns its address. */
  runStatic(name: string): Promise<string>
  /** Ends such a pod. */
  endStatic(name: string): Promise<void>
  /** Network namespace of a running pod, by "namespace/name". */
  namespaceOf(pod: string): string | undefined
  stop(): void
}

interface Sandbox {
  readonly id: string
  readonly netns: string
  result: CniResult | undefined
}

interface Entry {
  pod: KubeletPod
  /** None when it is on the node's network. */
  sandbox: Sandbox | undefined
  started: boolean
  busy: boolean
}

export interface KubeletOptions {
  readonly api: KubeletApi
  readonly runtime: KubeletRuntime
  /** Of the node; its pods on the node's network have it too. */
  readonly address: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const retryMs = 1000

export function startKubelet(options: KubeletOptions): Kubelet {
  const { api, runtime, clock, random, log } = options
  const pods = new Map<string, Entry>()
  let stopped = false

  async function start(pod: KubeletPod): Promise<Sandbox & { address: string }> {
    const id = randomToken(random) + randomToken(random)
    const name = `pod-${id.slice(0, 12)}`
    const sandbox: Sandbox = { id, netns: await runtime.makeNamespace(name), result: undefined }
    const list = runtime.conflist()
    try {
      if (list === undefined) throw new Error('no network configuration is installed')
      sandbox.result = await addNetwork(runtime.runPlugin, list, callOf(pod, sandbox))
      const address = sandbox.result.ips?.[0]?.address.split('/')[0]
      if (address === undefined) throw new Error('the plugin named no address')
      return { ...sandbox, address }
    } catch (error) {
      await clean(pod, sandbox)
      throw error
    }
  }

  /** Gives the pod a network of its own; returns its address. */
  async function connect(entry: Entry): Promise<string> {
    const { address, ...sandbox } = await start(entry.pod)
    entry.sandbox = sandbox
    return address
  }

  /** DEL until it succeeds, as runtimes do: the address is the pod's until then. */
  async function clean(pod: KubeletPod, sandbox: Sandbox): Promise<void> {
    while (!stopped) {
      try {
        const list = runtime.conflist()
        if (list !== undefined)
          await deleteNetwork(runtime.runPlugin, list, callOf(pod, sandbox), sandbox.result)
        return await runtime.removeNamespace(`pod-${sandbox.id.slice(0, 12)}`)
      } catch (error) {
        log.warn('sandbox not removed', { pod: pod.name, error: (error as Error).message })
        await sleep(clock, retryMs)
      }
    }
  }

  /** Brings one pod to where the API server wants it; a change meanwhile is seen by the next round. */
  async function drive(uid: string): Promise<void> {
    const entry = pods.get(uid)
    if (entry === undefined || entry.busy || stopped) return
    entry.busy = true
    try {
      if (entry.pod.deleting) {
        if (entry.sandbox !== undefined) await clean(entry.pod, entry.sandbox)
        entry.sandbox = undefined
        await api.remove(entry.pod)
        pods.delete(uid)
      } else if (!entry.started) {
        const address = entry.pod.hostNetwork ? options.address : await connect(entry)
        entry.started = true
        await tellRunning(entry, address)
      }
    } catch (error) {
      const message = (error as Error).message
      log.warn('pod not driven', { pod: entry.pod.name, error: message })
      if (!entry.pod.deleting) api.tellFailure(entry.pod, message)
      clock.after(retryMs, () => void drive(uid))
    } finally {
      entry.busy = false
    }
    if (pods.get(uid)?.pod.deleting) void drive(uid)
  }

  /** The address is told until the API server has heard it. */
  async function tellRunning(entry: Entry, address: string): Promise<void> {
    while (!stopped && !entry.pod.deleting) {
      try {
        return await api.setRunning(entry.pod, address)
      } catch (error) {
        log.warn('pod status not written', { pod: entry.pod.name, error: (error as Error).message })
        await sleep(clock, retryMs)
      }
    }
  }

  function take(pod: KubeletPod): void {
    const entry = pods.get(pod.uid)
    if (entry === undefined) pods.set(pod.uid, { pod, sandbox: undefined, started: false, busy: false })
    else entry.pod = pod
    void drive(pod.uid)
  }

  /** Gone from the API server without a word: its network is cleaned all the same. */
  function lose(uid: string): void {
    const entry = pods.get(uid)
    if (entry === undefined || isStatic(entry.pod)) return
    entry.pod = { ...entry.pod, deleting: true }
    void drive(uid)
  }

  const stopWatch = api.watchPods({
    replaced(items) {
      const present = new Set(items.map(({ uid }) => uid))
      for (const uid of [...pods.keys()]) if (!present.has(uid)) lose(uid)
      for (const pod of items) take(pod)
    },
    changed: take,
    removed: ({ uid }) => lose(uid),
  })

  return {
    async runStatic(name) {
      const pod: KubeletPod = {
        namespace: 'static',
        name,
        uid: `static-${name}`,
        containers: [],
        deleting: false,
        hostNetwork: false,
      }
      const entry: Entry = { pod, sandbox: undefined, started: true, busy: false }
      const address = await connect(entry)
      pods.set(pod.uid, entry)
      return address
    },
    async endStatic(name) {
      const entry = pods.get(`static-${name}`)
      if (entry?.sandbox === undefined) return
      pods.delete(entry.pod.uid)
      await clean(entry.pod, entry.sandbox)
    },
    namespaceOf(wanted) {
      for (const { pod, sandbox } of pods.values())
        if (`${pod.namespace}/${pod.name}` === wanted) return sandbox?.netns
      return undefined
    },
    stop() {
      stopped = true
      stopWatch()
    },
  }
}

function isStatic(pod: KubeletPod): boolean {
  return pod.namespace === 'static'
}

function callOf(pod: KubeletPod, sandbox: Sandbox) {
  return { containerId: sandbox.id, netns: sandbox.netns, ifname: 'eth0', pod }
}
