// The real leader, agents and plugins kill themselves with SIGKILL at every crash point there is: right before and right after
// each call to the cloud, to Kubernetes, to the kernel, and each commit. After each death ledger, cloud and kernels must
// agree, and every pod must answer: nothing lost, nothing given twice.
import assert from 'node:assert/strict'
import { after, describe, type TestContext, test } from 'node:test'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault } from '../../internal/linux/sandbox.ts'
import { createArming } from '../crash/arming.ts'
import { callPoints, ledgerChanges } from '../crash/crash-points.ts'
import { type Bench, type Death, runMatrix, type Scenario } from './crash-matrix/matrix.ts'
import { callOf, type Findings, reportOf } from './crash-matrix/report.ts'
import { Rig, waits } from './crash-matrix/rig.ts'
import { leaderScenarios, nodeScenarios, stormTurn } from './crash-matrix/scenarios.ts'
import { type Gust, runStorm } from './crash-matrix/storm.ts'
import { copyOfExecutable } from './executable.ts'
import { explainSkip, missingPieces } from './pieces.ts'

/** What is not reached, and why not. */
const exceptions: Readonly<Record<string, string>> = {
  'leader.kube.setUnavailable': 'only a leader with --manage-taint calls it',
  'node.linux.links': 'only tests call it, the agent sees the links in its survey',
}
const points = [...callPoints(), 'cni.exchange.before', 'cni.exchange.after']
/** Every nth point only, another part of them every day: all of them take minutes. */
const share = Number(process.env['CRASH_SHARE'] ?? 1)
const today = Math.floor(Date.now() / 86_400_000)
const chosen = new Set(points.filter((_, i) => i % share === today % share))
const isExcepted = (point: string) => callOf(point) in exceptions

const unfit = await sandboxFault(runCommand).catch((error: Error) => error.message)
const skip =
  explainSkip(missingPieces('test-build', 'iproute2', 'nftables')) ||
  (unfit === undefined ? false : `no sandbox: ${unfit}`)

describe('crash matrix', { skip, concurrency: true, timeout: 1_800_000 }, () => {
  const findings = {
    points,
    exceptions,
    byChance: [] as string[],
    deaths: [] as Death[],
    gusts: [] as Gust[],
  }
  after(() => void process.stdout.write(`${reportOf(findings)}\n`))

  test('[R1] [R2] the leader dies at every crash point: 0 leaks, 0 doubles', (t) =>
    matrix(t, findings, ['leader.'], leaderScenarios, { clusters: 4, nodes: 2 }))

  test('[R1] [R2] agent and plugin die at every crash point: 0 leaks, 0 doubles', (t) =>
    matrix(t, findings, ['node.', 'cni.'], nodeScenarios, { clusters: 2, nodes: 1 }))

  test('[R1] [R2] all die again as they recover: 0 leaks, 0 doubles', async (t) => {
    const stimuli = share === 1 ? [...stormTurn, ...stormTurn] : stormTurn
    const aims = { points: points.filter((point) => chosen.has(point)), changes: share === 1 }
    await runStorm(await startBench(t, 1), aims, stimuli, (gust) => {
      findings.gusts.push(gust)
      t.diagnostic(lineOf(gust))
    })
    const died = new Set(findings.gusts.flatMap((gust) => gust.points))
    const spared = aims.points.filter((point) => !died.has(point) && !isExcepted(point))
    t.diagnostic(`died at ${died.size} points; not at ${spared.join(', ') || 'none'}`)
    const most = share === 1 ? points.length : aims.points.length / 2
    assert.ok(died.size > most, 'they died at most points')
  })
})

async function matrix(
  t: TestContext,
  findings: Pick<Findings, 'deaths' | 'byChance'>,
  roles: readonly string[],
  scenarios: readonly Scenario[],
  { clusters, nodes }: { readonly clusters: number; readonly nodes: 1 | 2 },
): Promise<void> {
  const concerns = (point: string) => roles.some((role) => point.startsWith(role)) && !isExcepted(point)
  const { unreached, byChance } = await runMatrix({
    benches: await Promise.all(Array.from({ length: clusters }, () => startBench(t, nodes))),
    points: points.filter((point) => concerns(point) && chosen.has(point)),
    changes: share === 1 ? ledgerChanges().filter(concerns) : [],
    concerns: (point) => share === 1 && concerns(point),
    scenarios,
    died(death, left) {
      findings.deaths.push(death)
      if (process.env['VERBOSE']) say(death, left)
    },
  })
  findings.byChance.push(...byChance)
  assert.deepEqual(unreached, [], 'every point is reached')
}

/** `nodes` with agents, of one zone, and one without. */
async function startBench(t: TestContext, nodes: 1 | 2): Promise<Bench> {
  const executable = copyOfExecutable('tke-eni-test')
  const arming = createArming(executable, waits)
  const rig = await Rig.start(executable)
  t.after(() => rig.cluster.close())
  for (let i = 0; i < nodes; i++) await rig.addNode()
  await rig.joinBareNode()
  await rig.settled()
  await rig.makeStaticPod('node-1')
  return { rig, arming }
}

function lineOf({ during, points: at, verdict: { leaks, doubles, answering, wanted } }: Gust): string {
  const audit = `${leaks.length} leaks, ${doubles.length} doubles, ${answering} of ${wanted} pods answer`
  return `${during}: ${at.length} deaths, then ${audit}`
}

function say({ point, during, settledAfterMs }: Death, left: number): void {
  const seconds = Math.round(performance.now() / 1000)
  process.stderr.write(`${seconds} s: ${point}, ${during}: ${settledAfterMs} ms, ${left} left\n`)
}
