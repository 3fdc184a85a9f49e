// The outer end of host-protocol.ts.
import { createInterface } from 'node:readline'
import { IpamError } from '../../internal/ipam/errors.ts'
import { startSandbox } from '../../internal/linux/sandbox.ts'
import type { HostAnswer, HostCall, HostCalls, HostSettings } from './host-protocol.ts'

export interface DevHost {
  /** Of the sandbox's outermost process. */
  readonly pid: number
  call<Name extends HostCall>(call: Name, take: HostCalls[Name]['take']): Promise<HostCalls[Name]['give']>
  /** Resolves when the sandbox has ended, wanted or not, with its status. */
  readonly ended: Promise<number>
  close(): Promise<void>
}

/** Starts the sandbox with the program in it. */
export function startDevHost(settings: HostSettings, env: NodeJS.ProcessEnv): DevHost {
  const [command, ...args] = settings.program
  const sandbox = startSandbox({
    command,
    args: [...args, 'dev', '--host', JSON.stringify(settings)],
    env,
    stdio: 'pipe',
  })
  const { stdin, stdout, stderr } = sandbox.streams
  if (stdin === null || stdout === null || stderr === null)
    throw new IpamError('kernel', 'Cannot talk to the sandbox')
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let count = 0
  let said = ''

  function fail(message: string): void {
    for (const { reject } of waiting.values()) reject(new IpamError('kernel', message))
    waiting.clear()
  }

  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000)
  })
  stdin.on('error', () => {})
  createInterface({ input: stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as HostAnswer
    const call = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('error' in answer) call?.reject(new IpamError('kernel', answer.error))
    else call?.resolve(answer.give)
  })
  const ended = sandbox.exited.then((status) => {
    fail(`the sandbox has ended with status ${status}: ${said.trim()}`)
    return status
  })

  return {
    pid: sandbox.pid,
    call: (call, take) =>
      new Promise((resolve, reject) => {
        const id = ++count
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
        stdin.write(`${JSON.stringify({ id, call, take })}\n`)
      }),
    ended,
    async close() {
      sandbox.stop()
      await ended
    },
  }
}
