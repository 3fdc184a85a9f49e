// Runs inside the sandbox: measures what it is asked for on standard input and prints it, as JSON.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askAgent } from './ask-agent.ts'
import { type BenchNode, startBenchNode } from './bench-node.ts'
import { type Launch, launch, type Plugin } from './launch.ts'
import type { CniMeasurement, CniSamples, CniTask, Memory } from './measure.ts'

const alone = 20
const together = 60
const full = 250
const reference = '/usr/lib/cni'

async function measure(task: CniTask): Promise<CniMeasurement> {
  const { directory, executable, rounds } = task
  await using node = await startBenchNode({ executable, directory, sandboxes: task.memory ? full : together })
  const hasReference = existsSync(join(reference, 'ptp')) && existsSync(join(reference, 'host-local'))
  const contestants: [keyof CniSamples, Plugin][] = [
    ['ours', node.plugin],
    ...(hasReference ? [['reference', referencePlugin(directory)] as [keyof CniSamples, Plugin]] : []),
  ]
  const samples: CniSamples = { ours: {}, reference: {}, start: {}, agent: {} }
  const keep = (side: keyof CniSamples, name: string, times: readonly number[]): void => {
    samples[side][name] = [...(samples[side][name] ?? []), ...times]
  }
  // The first round warms caches on both sides and does not count. Turns change, so that nobody always goes first.
  for (let round = 0; rounds > 0 && round <= rounds; round += 1) {
    for (const [side, plugin] of round % 2 === 0 ? contestants : contestants.toReversed()) {
      for (const call of calls) {
        const times = await launch(plugin, call)
        if (round > 0) keep(side, nameOf(call), times)
      }
    }
    const starts = await launch(node.plugin, { command: 'VERSION', how: 'alone', first: 1, count: alone })
    if (round > 0) keep('start', 'VERSION alone', starts)
    for (const call of calls) {
      const times = await askAgent(node.socket, call)
      if (round > 0) keep('agent', nameOf(call), times)
    }
  }
  return { samples, memory: task.memory ? await measureMemory(node) : undefined }
}

const calls: readonly Launch[] = [
  { command: 'ADD', how: 'alone', first: 1, count: alone },
  { command: 'DEL', how: 'alone', first: 1, count: alone },
  { command: 'ADD', how: 'together', first: 1, count: together },
  { command: 'DEL', how: 'together', first: 1, count: together },
]

function nameOf({ command, how }: Launch): string {
  return `${command} ${how}`
}

async function measureMemory(node: BenchNode): Promise<Memory> {
  const before = residentMegabytes(node.agent.pid)
  for (let first = 1; first <= full; first += 50) {
    await askAgent(node.socket, { command: 'ADD', how: 'together', first, count: 50 })
  }
  return { before, after: residentMegabytes(node.agent.pid) }
}

function residentMegabytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

function referencePlugin(directory: string): Plugin {
  const answers = join(directory, 'reference')
  const config = join(directory, 'reference.json')
  mkdirSync(answers)
  const ipam = {
    type: 'host-local',
    dataDir: join(directory, 'host-local'),
    ranges: [[{ subnet: '10.88.0.0/16' }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  writeFileSync(
    config,
    JSON.stringify({ cniVersion: '1.0.0', name: 'reference', type: 'ptp', ipMasq: false, ipam }),
  )
  return { executable: join(reference, 'ptp'), config, answers }
}

const task = JSON.parse(readFileSync(0, 'utf8')) as CniTask
process.stdout.write(`${JSON.stringify(await measure(task))}\n`)
