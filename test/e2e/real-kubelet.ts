// The device manager of a real kubelet in a process of its own, which sees our folder where a kubelet's state is.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { ResourceView, TestKubelet } from '../kubelet/test-kubelet.ts'
import { kubeletBinary } from './kubelet-binary.ts'

/** In a mount namespace: the paths are fixed in the kubelet's code. */
const begin =
  'mount -t tmpfs none /var/lib && mkdir /var/lib/kubelet && mount --bind "$1" /var/lib/kubelet && exec "$2"'

interface PodAsk {
  readonly pod: string
  readonly resource: string
  readonly count: number
}

/** In `home`, as in /var/lib/kubelet. */
export function realKubelet(home: string): TestKubelet {
  const directory = join(home, 'device-plugins')
  const pods = new Map<string, PodAsk>()
  let child: ChildProcess | undefined
  let lines: Interface | undefined
  let ended: Promise<never> | undefined

  /** One at a time: it answers in order. */
  let last: Promise<unknown> = Promise.resolve()
  function ask<T>(what: object): Promise<T> {
    const answer = last.then(async () => {
      if (child === undefined || lines === undefined)
        throw new Error('Cannot ask the kubelet: it does not run')
      const said = once(lines, 'line')
      child.stdin?.write(`${JSON.stringify(what)}\n`)
      const [line] = (await Promise.race([said, ended])) as [string]
      const { give, error } = JSON.parse(line) as { give?: T; error?: string }
      if (error !== undefined) throw new Error(error)
      return give as T
    })
    last = answer.catch(() => {})
    return answer
  }

  return {
    directory,
    resources: () =>
      child === undefined ? Promise.resolve({}) : ask<Record<string, ResourceView>>({ do: 'resources' }),
    allocate(pod, resource, count) {
      pods.set(pod, { pod, resource, count })
      return ask({ do: 'allocate', pod, resource, count })
    },
    async endPod(pod) {
      pods.delete(pod)
      await ask({ do: 'end-pod', pod })
    },
    async start() {
      mkdirSync(home, { recursive: true })
      const argv = ['--mount', 'sh', '-c', begin, 'sh', home, kubeletBinary()]
      child = spawn('unshare', argv, { stdio: ['pipe', 'pipe', 'ignore'] })
      lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
      ended = once(child, 'exit').then(() =>
        Promise.reject(new Error('Cannot ask the kubelet: it has ended')),
      )
      ended.catch(() => {})
      for (const pod of pods.values()) await ask({ do: 'add-pod', ...pod })
      await ask({ do: 'start' })
    },
    async stop() {
      const running = child
      child = undefined
      if (running === undefined || running.exitCode !== null) return
      const exit = once(running, 'exit')
      running.kill('SIGKILL')
      await exit
    },
  }
}
