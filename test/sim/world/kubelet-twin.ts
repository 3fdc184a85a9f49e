// A kubelet and its runtime: makes sandboxes for the pods of its node, asks the agent for their network, tries again
// with a new sandbox when that fails, and cleans up after pods that end. DELs may come late and twice.
import type { Clock } from '../../../internal/base/clock.ts'
import { type Random, randomInt } from '../../../internal/base/random.ts'
import type { EniMode, PodFact } from '../../../internal/ipam/types.ts'
import type { Agent } from '../../../internal/node/agent.ts'
import type { Ipv4 } from '../../../internal/value/ipv4.ts'
import type { Millis } from '../../../internal/value/millis.ts'
import { stream } from './chance.ts'
import type { KernelTwin } from './kernel-twin.ts'
import type { KubeTwin } from './kube-twin.ts'

interface Entry {
  readonly pod: PodFact
  /** Its own, so that other pods' lives do not change with this one's. */
  readonly random: Random
  sandbox: SandboxOfPod | undefined
  ending: boolean
  sandboxes: number
  /** In a row. */
  failures: number
}

interface SandboxOfPod {
  readonly containerId: string
  readonly netns: string
  address: Ipv4 | undefined
}

export interface KubeletOptions {
  readonly node: string
  readonly seed: number
  readonly kube: KubeTwin
  readonly kernel: KernelTwin
  readonly clock: Clock
  /** The agent as it answers now; undefined while it is down. */
  readonly agent: () => Agent | undefined
  readonly trace: (line: string) => void
  /** A pod has got its network, asked for at `askedAt`. */
  readonly connected?: (pod: PodFact, address: Ipv4, askedAt: Millis) => void
}

export class KubeletTwin {
  readonly #options: KubeletOptions
  readonly #pods = new Map<string, Entry>()
  stopped = false

  constructor(options: KubeletOptions) {
    this.#options = options
  }

  start(pod: PodFact): void {
    const random = stream(this.#options.seed, pod.uid)
    const entry = { pod, random, sandbox: undefined, ending: false, sandboxes: 0, failures: 0 }
    this.#pods.set(pod.uid, entry)
    this.#later(entry, 5, 200, () => this.#run(pod.uid))
  }

  end(uid: string): void {
    const entry = this.#pods.get(uid)
    if (entry === undefined) return
    entry.ending = true
    if (entry.sandbox === undefined) return this.#finish(uid)
    const { sandbox } = entry
    this.#later(entry, 5, 200, () => this.#clean(entry, sandbox, () => this.#finish(uid)))
  }

  /** The sandbox dies (runtime restart, out of memory); the kubelet makes another one before the old one's DEL has come. */
  replaceSandbox(uid: string): void {
    const entry = this.#pods.get(uid)
    if (entry?.sandbox === undefined || entry.ending) return
    const old = entry.sandbox
    entry.sandbox = undefined
    this.#options.kernel.destroyNamespace(old.netns)
    this.#later(entry, 0, 3000, () => this.#clean(entry, old, () => {}))
    this.#later(entry, 5, 500, () => this.#run(uid))
  }

  reboot(): void {
    this.#options.kernel.reboot()
    for (const [uid, entry] of this.#pods) {
      entry.sandbox = undefined
      if (entry.ending) this.#finish(uid)
      else this.#later(entry, 100, 3000, () => this.#run(uid))
    }
  }

  runningPods(): readonly {
    readonly uid: string
    readonly name: string
    readonly address: Ipv4 | undefined
    readonly netns: string | undefined
    readonly wants: EniMode | undefined
    /** It keeps its address for the next pod of its name. */
    readonly isStatic: boolean
  }[] {
    return [...this.#pods.values()]
      .filter(({ ending }) => !ending)
      .map(({ pod, sandbox }) => ({
        uid: pod.uid,
        name: pod.name,
        address: sandbox?.address,
        netns: sandbox?.netns,
        wants: pod.wants,
        isStatic: pod.keepsIp,
      }))
  }

  uids(): readonly string[] {
    return [...this.#pods.keys()]
  }

  #run(uid: string): void {
    const entry = this.#pods.get(uid)
    if (entry === undefined || entry.ending || entry.sandbox !== undefined || this.stopped) return
    const { kernel, agent, trace, kube, node } = this.#options
    const containerId = `${entry.pod.uid.replace('uid-', '')}-c${++entry.sandboxes}`
    const sandbox: SandboxOfPod = { containerId, netns: `/run/netns/${containerId}`, address: undefined }
    kernel.namespaces.add(sandbox.netns)
    entry.sandbox = sandbox
    const { pod } = entry
    const askedAt = this.#options.clock.now()
    let answered = false
    const retry = (why: string) => {
      if (answered) return
      answered = true
      if (entry.failures++ === 0) trace(`${node}: ADD ${containerId} failed: ${why}`)
      if (entry.sandbox === sandbox) entry.sandbox = undefined
      this.#showNoAddress(entry)
      this.#clean(entry, sandbox, () => {
        if (this.#pods.get(uid)?.ending) return this.#finish(uid)
        const patience = Math.min(2 ** entry.failures, 16)
        this.#later(entry, 200, 1000 * patience, () => this.#run(uid))
      })
    }
    const serving = agent()
    if (serving === undefined) return retry('the agent does not answer')
    this.#options.clock.after(45_000, () => retry('timed out'))
    serving
      .add(
        {
          containerId,
          ifname: 'eth0',
          netns: sandbox.netns,
          pod: { namespace: 'default', name: pod.name, uid },
        },
        undefined,
      )
      .then(
        ({ attachment }) => {
          if (answered || entry.sandbox !== sandbox) return
          answered = true
          sandbox.address = attachment.address
          entry.failures = 0
          this.#options.connected?.(pod, attachment.address, askedAt)
          trace(`${node}: ADD ${containerId} = ${attachment.address}`)
          this.#later(entry, 1, 300, () => {
            const fact = kube.pods.items.get(uid)
            if (fact !== undefined && this.#pods.get(uid)?.sandbox === sandbox)
              kube.pods.put(uid, { ...fact, ip: attachment.address })
          })
        },
        (error: Error) => retry(error.message),
      )
  }

  /** DEL until it succeeds, then the namespace goes, if it has not died before; now and then it comes once more. */
  #clean(entry: Entry, sandbox: SandboxOfPod, done: () => void): void {
    const { agent, kernel, node, trace } = this.#options
    if (entry.random.next() < 0.15) kernel.destroyNamespace(sandbox.netns)
    const attempt = () => {
      if (this.stopped) return
      let answered = false
      const settle = (error: Error | undefined) => {
        if (answered) return
        answered = true
        if (error !== undefined) return this.#later(entry, 500, 3000, attempt)
        kernel.destroyNamespace(sandbox.netns)
        if (sandbox.address !== undefined) trace(`${node}: DEL ${sandbox.containerId}`)
        if (entry.random.next() < 0.1)
          this.#later(
            entry,
            100,
            60_000,
            () =>
              void agent()
                ?.remove({ containerId: sandbox.containerId, ifname: 'eth0' })
                .catch(() => {}),
          )
        done()
      }
      const serving = agent()
      if (serving === undefined) return settle(new Error('the agent does not answer'))
      this.#options.clock.after(20_000, () => settle(new Error('timed out')))
      serving
        .remove({ containerId: sandbox.containerId, ifname: 'eth0' })
        .then(() => settle(undefined), settle)
    }
    attempt()
  }

  /** A pod whose sandbox is gone, and that cannot get another one, does not show the address of that any more. */
  #showNoAddress(entry: Entry): void {
    const { kube } = this.#options
    this.#later(entry, 1, 300, () => {
      const fact = kube.pods.items.get(entry.pod.uid)
      if (fact?.ip !== undefined && entry.sandbox?.address === undefined)
        kube.pods.put(fact.uid, { ...fact, ip: undefined })
    })
  }

  #finish(uid: string): void {
    this.#pods.delete(uid)
    this.#options.kube.pods.remove(uid)
  }

  #later({ random }: Entry, minMs: number, maxMs: number, run: () => void): void {
    this.#options.clock.after(randomInt(random, minMs, maxMs), () => {
      if (!this.stopped) run()
    })
  }
}
