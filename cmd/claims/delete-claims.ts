// Gives back what claims have: asks the leader of this machine, and waits until they are.
import { sleep, systemClock } from '../../internal/base/clock.ts'
import { IpamError } from '../../internal/ipam/errors.ts'
import { listAt, textAt } from '../../internal/kube/json.ts'
import type { Millis } from '../../internal/value/millis.ts'
import { type ClaimName, type ClaimWords, claimText } from './claim-name.ts'
import { askLeader, type Question, type SocketAnswer } from './leader-socket.ts'

export interface DeleteRequest {
  readonly resource: ClaimWords
  readonly socketPath: string
  readonly names: readonly ClaimName[]
  readonly force: boolean
  readonly dryRun: boolean
  readonly wait: boolean
  /** How long to wait for each; for ever when missing. */
  readonly timeout: Millis | undefined
}

/** Lines for whoever asked: what was done, and what it waits for. */
export interface Telling {
  readonly say: (line: string) => void
  readonly warn: (line: string) => void
}

const lookEvery = 250

/** One after the other. Throws the first `not_found`, `conflict`, `denied`, `unavailable` after the others were tried. */
export async function deleteClaims(
  request: DeleteRequest,
  telling: Telling,
  signal: AbortSignal,
): Promise<void> {
  const faults: unknown[] = []
  for (const name of request.names) {
    if (signal.aborted) break
    try {
      await deleteClaim(name, request, telling, signal)
    } catch (error) {
      faults.push(error)
      if (request.names.length > 1) telling.say((error as Error).message)
    }
  }
  if (faults.length > 0) throw faults[0]
}

async function deleteClaim(
  claim: ClaimName,
  { resource: words, socketPath, force, dryRun, wait, timeout }: DeleteRequest,
  telling: Telling,
  signal: AbortSignal,
): Promise<void> {
  const { field, noun, thing } = words
  const name = claimText(claim)
  const path = pathOf(claim, words)
  const body = dryRun ? { dryRun: ['All'] } : {}
  const question: Question = { socketPath, method: 'DELETE', path: path + (force ? '?force=true' : ''), body }
  const answer = await askLeader(question, signal).catch((error: unknown) => {
    throw signal.aborted ? stopped(`tell whether ${noun} "${name}" is being deleted`, words) : error
  })
  if (answer.status !== 200) throw faultOf(words, name, answer)
  const address = textAt(answer.body, 'status', field)
  if (dryRun) {
    const also = address === undefined ? '' : ` and ${address} given back`
    return telling.say(`${noun} "${name}" would be deleted${also}`)
  }
  if (!wait) return telling.say(`${noun} "${name}" is being deleted`)
  using limit = within(timeout, signal)
  const look: Question = { socketPath, method: 'GET', path }
  const { gone, why } = await untilGone(look, answer, telling, limit.signal)
  if (!gone) throw signal.aborted ? stopped(`wait for ${noun} "${name}"`, words) : tooLong(words, name, why)
  telling.say(
    `${noun} "${name}" deleted: ${address === undefined ? `it had no ${thing}` : `${address} is given back`}`,
  )
}

/** A signal that aborts with `signal`, or after `timeout`. */
function within(timeout: Millis | undefined, signal: AbortSignal): Disposable & { signal: AbortSignal } {
  const controller = new AbortController()
  const stop = () => controller.abort()
  const cancel = timeout === undefined ? () => {} : systemClock.after(timeout, stop)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      cancel()
      signal.removeEventListener('abort', stop)
    },
  }
}

interface Waited {
  readonly gone: boolean
  /** What it waited for at last. */
  readonly why: string | undefined
}

/** Tells why it takes so long, whenever that is another reason; until `signal` aborts. */
async function untilGone(
  question: Question,
  deleted: SocketAnswer,
  { warn }: Telling,
  signal: AbortSignal,
): Promise<Waited> {
  const uid = textAt(deleted.body, 'metadata', 'uid')
  let why = reasonIn(deleted)
  while (!signal.aborted) {
    const now = await askLeader(question, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
    if (now === undefined) break
    if (now.status === 404 || (now.status === 200 && textAt(now.body, 'metadata', 'uid') !== uid))
      return { gone: true, why }
    const next = reasonIn(now)
    if (next !== undefined && next !== why) warn(`waiting: ${next}`)
    why = next
    await sleep(systemClock, lookEvery, signal)
  }
  return { gone: false, why }
}

/** What the claim says, or the leader where it cannot say how it is with the claim. */
function reasonIn({ status, body }: SocketAnswer): string | undefined {
  if (status !== 200) return textAt(body, 'message')
  const [reason, message] = [textAt(body, 'status', 'reason'), textAt(body, 'status', 'message')]
  return [reason, message].filter((part) => part !== undefined).join(': ') || undefined
}

function pathOf({ namespace, name }: ClaimName, { resource }: ClaimWords): string {
  return `/apis/ipam.tke.cloud.tencent.com/v1beta1/namespaces/${namespace}/${resource}/${name}`
}

function stopped(what: string, { command }: ClaimWords): IpamError {
  return new IpamError('unavailable', `Cannot ${what}: a signal ended this`, {
    hint: `the leader goes on with what it was asked; ${command} shows it`,
  })
}

function tooLong({ command, noun, thing }: ClaimWords, name: string, why: string | undefined): IpamError {
  const so = why === undefined ? '' : ` (${why})`
  return new IpamError(
    'unavailable',
    `Cannot wait for ${noun} "${name}" any longer: it is still there${so}`,
    {
      hint: `the leader goes on giving its ${thing} back; ${command} shows it`,
    },
  )
}

function faultOf({ noun, thing }: ClaimWords, name: string, { body, status }: SocketAnswer): IpamError {
  if (status === 404) return new IpamError('not_found', `Cannot delete ${noun} "${name}": there is none`)
  const why = (textAt(body, 'message') ?? '').replace(/^Operation cannot be fulfilled on [^:]+: /, '')
  if (status !== 409) return new IpamError('unavailable', `Cannot delete ${noun} "${name}": ${why}`)
  const forceHelps = listAt(body, 'details', 'causes').some(
    (cause) => textAt(cause, 'reason') === 'ForceHelps',
  )
  const hint = forceHelps ? { hint: `--force takes its ${thing} all the same` } : {}
  return new IpamError('conflict', `Cannot delete ${noun} "${name}": ${why}`, hint)
}
