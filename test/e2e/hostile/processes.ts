// The real processes of a dev cluster: found by what they were started with, limited by the kernel, asked how they are.
import { globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { output, run } from '../service.ts'

/** Of the process with these words among its arguments; undefined when there is none. */
export function findProcess(...words: readonly string[]): number | undefined {
  const found = globSync('/proc/[0-9]*/cmdline').find((path) => {
    const args = readArguments(path)
    return words.every((word) => args.includes(word)) && !/\/(?:nsenter|setpriv)$/.test(`/${args[0]}`)
  })
  return found === undefined ? undefined : Number(dirname(found).slice('/proc/'.length))
}

function readArguments(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\0')
  } catch {
    return [] // it has ended meanwhile
  }
}

/** From now on the kernel lets no file that the process writes to grow beyond `bytes`: a write fails, as on a broken disk. */
export async function limitFiles(pid: number, bytes: number | 'unlimited'): Promise<void> {
  await output(['prlimit', `--pid=${pid}`, `--fsize=${bytes}:`])
}

/** What /readyz answers in the network of the process. */
export async function readiness(pid: number, port: number): Promise<string> {
  const ask = `fetch('http://127.0.0.1:${port}/readyz', { signal: AbortSignal.timeout(5000) }).then(async (a) => console.log(a.status, (await a.text()).trim()))`
  const { stdout, stderr } = await run(['nsenter', '-t', `${pid}`, '-n', '--', process.execPath, '-e', ask])
  return stdout.trim() || stderr.trim().split('\n').at(-1) || ''
}
