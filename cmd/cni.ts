// The CNI plugin: hands the runtime's request to the node agent on its unix socket and prints the answer.
// It decides nothing and keeps nothing; VERSION alone is answered here.
import { readSync, writeSync } from 'node:fs'
import {
  type AgentAnswer,
  decodeAgentAnswer,
  defaultAgentSocket,
  encodeAgentRequest,
  lineReader,
  maxLine,
} from '../internal/wire/agent-protocol.ts'
import { CniFault, cniCode, formatCniFault, toCniFault } from '../internal/wire/cni-fault.ts'
import { checkRequest, type RawCniRequest, readRawRequest } from '../internal/wire/cni-request.ts'
import { answerVersion, cniVersions, versionToAnswerIn } from '../internal/wire/cni-version.ts'
import { withCrashPoints } from './crash-points.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Longer than the agent may take for an ADD (`--add-timeout`, 30s), shorter than any runtime waits. */
const defaultTimeoutMs = 60_000

/** Serves one call of a container runtime; returns the exit code: 0, or 1 with an error object on standard output. */
export async function runCni(env: Environment, args: readonly string[]): Promise<number> {
  if (args.length > 0 || env['CNI_COMMAND'] === undefined) {
    writeSync(2, help)
    return args.includes('--help') || args.includes('-h') || args.length === 0 ? 0 : 2
  }
  let raw: RawCniRequest | undefined
  try {
    const stdin = readStdin()
    if (env['CNI_COMMAND'] === 'VERSION') {
      print(answerVersion(stdin))
      return 0
    }
    raw = readRawRequest(env, stdin)
    const { config } = checkRequest(raw) // what is wrong is said even when no agent runs
    const answer = await exchange(
      raw,
      config.socket ?? defaultAgentSocket,
      config.timeout ?? defaultTimeoutMs,
    )
    if ('error' in answer) throw answer.error
    if (answer.result !== undefined) print(JSON.stringify(answer.result))
    return 0
  } catch (error) {
    print(formatCniFault(toCniFault(error), versionToAnswerIn(raw?.config)))
    return 1
  }
}

const exchange = withCrashPoints('cni.exchange', askAgent)

async function askAgent(request: RawCniRequest, socket: string, timeoutMs: number): Promise<AgentAnswer> {
  const { connect } = await import('node:net') // not at the top: VERSION does without
  return new Promise((resolve, reject) => {
    const connection = connect(socket)
    const fail = (found: string, details: string) => finish(() => reject(unserved(request, found, details)))
    const timer = setTimeout(() => {
      fail(
        `the node agent at "${socket}" did not answer within ${timeoutMs / 1000}s`,
        'the runtime will try again; see the log of tke-eni-node on this node',
      )
    }, timeoutMs)
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      connection.destroy()
      settle()
    }
    const read = lineReader('node agent')
    connection.setEncoding('utf8')
    connection.on('connect', () => connection.write(encodeAgentRequest(request)))
    connection.on('data', (chunk: string) => {
      try {
        const line = read(chunk)
        if (line !== undefined) finish(() => resolve(decodeAgentAnswer(line)))
      } catch (error) {
        finish(() => reject(error))
      }
    })
    connection.on('error', (error: NodeJS.ErrnoException) => {
      fail(
        `the node agent at "${socket}" cannot be reached (${error.code ?? error.message})`,
        'check that the node agent runs: "systemctl status tke-eni-node", and that the network configuration names its socket',
      )
    })
    connection.on('close', () => {
      fail(
        `the node agent at "${socket}" hung up without an answer`,
        'the runtime will try again; the agent may have been restarted just now',
      )
    })
  })
}

/** Nothing is lost: the runtime repeats an ADD, DEL, CHECK or GC that failed so; STATUS has a code of its own. */
function unserved(request: RawCniRequest, found: string, details: string): CniFault {
  const code = request.command === 'STATUS' ? cniCode.notAvailable : cniCode.tryAgainLater
  return new CniFault(code, `Cannot serve ${String(request.command)}: ${found}`, details)
}

function readStdin(): string {
  const chunks: Buffer[] = []
  let length = 0
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536)
    const count = readSome(chunk)
    if (count === 0) return Buffer.concat(chunks).toString('utf8')
    chunks.push(chunk.subarray(0, count))
    length += count
    if (length > maxLine / 2) {
      throw new CniFault(
        cniCode.decodeFailure,
        'Cannot read the network configuration on standard input: it is longer than 512 KiB',
      )
    }
  }
}

function readSome(into: Buffer): number {
  try {
    return readSync(0, into)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EOF' || code === 'EBADF') return 0 // closed from the start: nothing to read
    throw new CniFault(cniCode.ioFailure, `Cannot read standard input: ${message}`)
  }
}

function print(text: string): void {
  writeSync(1, `${text}\n`)
}

const help = `tke-route-eni, tke-direct-eni: the CNI plugin of tke-eni (CNI ${cniVersions.join(', ')})

A container runtime calls it: CNI_COMMAND, CNI_CONTAINERID, CNI_NETNS and CNI_IFNAME in the environment, the network
configuration on standard input, the answer on standard output. It asks the node agent on the unix socket that the
configuration names as "socket" (${defaultAgentSocket}).

Example:
  echo '{"cniVersion":"1.1.0"}' | CNI_COMMAND=VERSION tke-eni cni
`
