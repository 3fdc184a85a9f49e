// The kubelet of this node: port Kubelet over its device-plugin API. Its directory is watched for its socket, which is made
// anew at each of its starts; one that is not there is waited for in silence.
import { type FSWatcher, statSync, watch } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { startRounds } from '../base/rounds.ts'
import type { Kubelet } from '../ports.ts'
import type { Millis } from '../value/millis.ts'
import { type Plugin, startPlugin } from './plugin.ts'

export interface KubeletParts {
  /** Of device plugins; usually /var/lib/kubelet/device-plugins. It may come later, or never. */
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const lookEvery: Millis = 10_000

export function createKubelet(parts: KubeletParts): Kubelet {
  const { directory, clock, log } = parts
  const plugins = new Map<string, Plugin>()
  let closed = false
  let watcher: FSWatcher | undefined
  let watched: number | undefined

  function unwatch(): void {
    watcher?.close()
    watcher = undefined
  }

  /** A directory that comes later, or anew, is watched from then on; where it cannot be, plugins look by themselves. */
  function watchDirectory(): void {
    const there = statSync(directory, { throwIfNoEntry: false })?.ino
    if (there !== watched) unwatch()
    if (there === undefined || watcher !== undefined) return
    watched = there
    try {
      watcher = watch(directory, { persistent: false }, (_event, file) => {
        if (file !== null && file !== 'kubelet.sock') return
        for (const plugin of plugins.values()) plugin.look()
      })
      watcher.on('error', unwatch)
    } catch (error) {
      log.debug('directory of device plugins not watched', { directory, error: (error as Error).message })
    }
  }

  const rounds = startRounds(clock, () => {
    watchDirectory()
    return Promise.resolve(lookEvery)
  })
  return {
    offer(resource, counts) {
      if (closed) return
      const known = plugins.get(resource)
      if (known === undefined) plugins.set(resource, startPlugin({ ...parts, resource, counts }))
      else known.setCounts(counts)
    },
    async withdraw(resource) {
      const plugin = plugins.get(resource)
      plugins.delete(resource)
      await plugin?.close()
    },
    async close() {
      closed = true
      rounds.stop()
      unwatch()
      await Promise.all([...plugins.values()].map((plugin) => plugin.close()))
      plugins.clear()
    },
  }
}
