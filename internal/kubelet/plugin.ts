// One resource at the kubelet: served on its socket, registered, and registered anew whenever the kubelet has lost it, as it
// does at each of its own starts, when it removes all sockets.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Fields, Log } from '../base/log.ts'
import { createPause } from '../base/pause.ts'
import type { Random } from '../base/random.ts'
import { startRounds } from '../base/rounds.ts'
import type { ResourceCounts } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import type * as KubeletCalls from './call-kubelet.ts'
import { chooseDevices } from './choose-devices.ts'
import type * as DeviceServers from './device-server.ts'
import type { Device } from './messages.ts'

export interface Plugin {
  setCounts(counts: ResourceCounts): void
  /** The kubelet may be another one. */
  look(): void
  /** Ends it, and removes its socket. */
  close(): Promise<void>
}

export interface PluginOptions {
  /** Of device plugins; the kubelet's own socket is there. */
  readonly directory: string
  readonly resource: string
  readonly counts: ResourceCounts
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** When nobody says that something has changed. */
const lookEvery: Millis = 10_000
/** The kubelet begins to listen right after it took the plugin. */
const watchWithin: Millis = 5000
/** So long after it was handed out, a device may be missing in what the kubelet tells. */
const handedOutFor: Millis = 2000
const retry = { firstMs: 500, maxMs: 60_000 }

/** Loaded when there is a kubelet: it is some megabytes. */
interface Grpc {
  readonly serve: typeof DeviceServers
  readonly call: typeof KubeletCalls
}

interface Registered {
  readonly server: DeviceServers.DeviceServer
  /** Of the kubelet's socket and of ours. */
  readonly kubelet: string
  readonly own: string
  readonly at: Millis
}

export function startPlugin(options: PluginOptions): Plugin {
  const { directory, resource, clock, random } = options
  const log = options.log.child({ resource })
  const name = resource.slice(resource.indexOf('/') + 1)
  const endpoint = `tke-eni-${name}.sock`
  const kubeletSocket = join(directory, 'kubelet.sock')
  const podResources = join(directory, '../pod-resources/kubelet.sock')
  const pause = createPause(retry, clock, random)
  let { counts } = options
  let registered: Registered | undefined
  /** As the kubelet told it last; undefined when it has not since the plugin is registered. */
  let ofPods: ReadonlySet<string> | undefined
  const handedOut = new Map<string, Millis>()
  let listed: readonly Device[] = []
  /** The kubelet that was last seen, and that has refused us once. */
  let seen: string | undefined
  let told = false
  let stopped = false
  let settled: Promise<void> = Promise.resolve()

  function used(): ReadonlySet<string> {
    return new Set([...(ofPods ?? []), ...handedOut.keys()])
  }

  /** What the kubelet does not tell, is known by what it asked for; when it tells nothing at all, by that alone. */
  async function askPods({ call }: Grpc): Promise<void> {
    const asked = clock.now()
    try {
      ofPods = await call.devicesOfPods(podResources, resource, clock)
      for (const [id, at] of handedOut) if (at < asked - handedOutFor) handedOut.delete(id)
    } catch (error) {
      log.debug('devices of pods not known', { error: (error as Error).message })
      const kept = [...handedOut].toSorted(([, a], [, b]) => b - a).slice(0, counts.allocatable)
      handedOut.clear()
      for (const [id, at] of kept.reverse()) handedOut.set(id, at)
    }
  }

  function healthy(devices: readonly Device[]): ReadonlySet<string> {
    return new Set(devices.flatMap(({ id, health }) => (health === 'Healthy' ? [id] : [])))
  }

  /** Pods have more than there should be: for a while, or for as long as they live. */
  function exceeds(devices: readonly Device[]): boolean {
    return devices.length > counts.capacity || healthy(devices).size > counts.allocatable
  }

  /** Nothing is taken out or made unhealthy before the kubelet was asked who has it. */
  async function choose(grpc: Grpc): Promise<readonly Device[]> {
    const devices = chooseDevices(name, counts, used())
    const now = healthy(devices)
    const shrinks = devices.length < listed.length || [...healthy(listed)].some((id) => !now.has(id))
    if (ofPods !== undefined && !shrinks && !exceeds(devices)) return devices
    await askPods(grpc)
    return chooseDevices(name, counts, used())
  }

  async function enroll(kubelet: string, grpc: Grpc): Promise<void> {
    drop()
    ofPods = undefined
    listed = await choose(grpc)
    if (stopped) return
    const path = join(directory, endpoint)
    const server = await grpc.serve.serveDevices({
      path,
      devices: listed,
      allocated(ids) {
        for (const id of ids) handedOut.set(id, clock.now())
      },
      watchChanged: () => rounds.wake(100),
    })
    registered = { server, kubelet, own: identityOf(path) ?? '', at: clock.now() }
    const { options: wants } = grpc.serve
    await grpc.call.register(kubeletSocket, { endpoint, resourceName: resource, options: wants }, clock)
    log[told ? 'debug' : 'info']('resource registered with the kubelet', { ...counts })
  }

  /** Once, until all is well again. */
  function complain(event: string, fields: Fields): void {
    if (told) log.debug(event, fields)
    else log.warn(event, fields)
    told = true
  }

  function drop(): void {
    registered?.server.close()
    registered = undefined
  }

  /** Why the kubelet has to be told again; undefined when it knows. */
  function whyLost({ server, kubelet, own, at }: Registered, now: string): string | undefined {
    if (kubelet !== now) return 'the kubelet was started anew'
    if (identityOf(join(directory, endpoint)) !== own) return 'its socket was removed'
    if (server.watched() || clock.now() - at < watchWithin) return undefined
    return 'the kubelet does not listen to it; one before 1.26 cannot'
  }

  async function look(): Promise<Millis> {
    const kubelet = identityOf(kubeletSocket)
    if (kubelet === undefined) return lookEvery
    const grpc: Grpc = { serve: await import('./device-server.ts'), call: await import('./call-kubelet.ts') }
    const lost = registered === undefined ? 'new' : whyLost(registered, kubelet)
    if (registered === undefined || lost !== undefined) {
      if (seen !== kubelet) pause.succeeded()
      seen = kubelet
      if (pause.left() > 0) return pause.left()
      if (registered?.kubelet === kubelet) {
        pause.failed()
        complain('resource not known to the kubelet', { why: lost })
      }
      await enroll(kubelet, grpc)
      return watchWithin
    }
    if (registered.server.watched()) {
      pause.succeeded()
      told = false
    }
    listed = await choose(grpc)
    registered?.server.list(listed)
    if (!registered?.server.watched()) return watchWithin
    return exceeds(listed) ? handedOutFor : lookEvery
  }

  async function round(): Promise<Millis> {
    try {
      return await look()
    } catch (error) {
      drop()
      const retryIn = pause.failed()
      complain('resource not registered', { error: (error as Error).message, retryIn })
      return retryIn
    } finally {
      if (stopped) drop()
    }
  }

  const rounds = startRounds(clock, () => {
    const current = round()
    settled = current.then(() => {})
    return current
  })
  return {
    setCounts(now) {
      if (now.capacity === counts.capacity && now.allocatable === counts.allocatable) return
      counts = now
      rounds.wake()
    },
    look: () => rounds.wake(),
    async close() {
      stopped = true
      rounds.stop()
      await settled
      drop()
    },
  }
}

/** Another one when the file is; undefined when there is none. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true })
  return found && `${found.dev} ${found.ino} ${found.birthtimeNs} ${found.ctimeNs}`
}
