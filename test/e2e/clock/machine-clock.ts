// Clocks that a test sets: that of the machine the leader runs on (seen by the built executable, which knows nothing of it), and that of
// the API server and the cloud. Needs a C compiler; `reboot` needs root.
import { randomUUID } from 'node:crypto'
import { chmodSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../../internal/base/clock.ts'
import { childOf, output, type Service, startService, temporaryFolder, until } from '../service.ts'

export interface MachineClock {
  /** Of the API server and the cloud. */
  readonly world: Clock
  /** The command line of tke-eni whose leader has this machine's clock. */
  readonly program: readonly [string]
  /** What everybody's clock shows goes on by so much at once: for while the leader does not run, which would not believe it. */
  pass(ms: number): void
  /** Somebody sets the clock of the leader's machine by so much, or that of all others. */
  setMachine(ms: number): void
  setWorld(ms: number): void
  /** What starts from now on is on the machine after a restart: with another boot id, and its steady clocks at zero. */
  reboot(): Promise<void>
  stop(): Promise<void>
}

/** `rate`: clocks go so many times as fast, timers as ever; 1 for a machine that restarts. */
export async function startMachineClock(executable: string, rate = 1): Promise<MachineClock> {
  const folder = temporaryFolder('clock')
  const library = join(folder, 'wall-clock.so')
  const source = join(import.meta.dirname, 'wall-clock.c')
  await output(['cc', '-shared', '-fPIC', '-O2', '-Wall', '-Werror', '-o', library, source, '-ldl'])
  const since = process.hrtime.bigint()
  const shiftFile = join(folder, 'shift')
  const entry = join(folder, 'entry')
  let machineShift = 0
  let worldShift = 0
  let machine: Service | undefined

  function write(): void {
    const eight = Buffer.alloc(8)
    eight.writeBigInt64LE(BigInt(machineShift))
    const file = openSync(shiftFile, 'r+') // the same file: it is mapped
    writeSync(file, eight, 0, 8, 0)
    closeSync(file)
  }
  writeFileSync(shiftFile, Buffer.alloc(8))
  writeFileSync(entry, '')
  const program = join(folder, 'tke-eni')
  // The leader alone: agents are on other machines.
  writeFileSync(
    program,
    `#!/bin/sh
[ "$1" = leader ] || exec ${executable} "$@"
exec $(cat ${entry}) env LD_PRELOAD=${library} CLOCK_SHIFT=${shiftFile} CLOCK_RATE=${rate} CLOCK_SINCE=${since} ${executable} "$@"
`,
  )
  chmodSync(program, 0o755)
  const gained = () => (Number(process.hrtime.bigint() - since) / 1e6) * (rate - 1)
  return {
    world: { now: () => Math.floor(Date.now() + gained() + worldShift), after: systemClock.after },
    program: [program],
    pass(ms) {
      worldShift += ms
      machineShift += ms
      write()
    },
    setMachine(ms) {
      machineShift += ms
      write()
    },
    setWorld(ms) {
      worldShift += ms
    },
    async reboot() {
      await machine?.stop()
      const bootId = join(folder, 'boot-id')
      writeFileSync(bootId, `${randomUUID()}\n`)
      const zero = `-${Math.floor(Number(process.hrtime.bigint() / 1_000_000_000n))}`
      const running = startService(
        'machine',
        [
          ...['unshare', '--mount', '--time', `--monotonic=${zero}`, `--boottime=${zero}`],
          ...['--fork', '--kill-child=KILL', 'sh', '-c'],
          `mount --bind ${bootId} /proc/sys/kernel/random/boot_id && echo up && exec sleep infinity`,
        ],
        { wrapped: true },
      )
      machine = running
      await until('the machine is up', () => running.output().includes('up\n'), [running])
      writeFileSync(entry, `nsenter --target=${childOf(running.pid)} --mount --time --`)
    },
    async stop() {
      await machine?.stop()
    },
  }
}
