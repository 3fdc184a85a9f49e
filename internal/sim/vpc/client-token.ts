// Idempotency: a ClientToken brings its first answer again, and is refused with other parameters.
import { canonicalJson } from '../../value/canonical-json.ts'
import { ApiError } from './api-error.ts'
import type { Call, Fields } from './world.ts'

/** Runs `run` once per ClientToken of `params`. Throws IdempotentParameterMismatch or IdempotentProcessing. */
export function oncePerToken(call: Call, params: unknown, run: () => Fields): Fields {
  const token = tokenOf(params)
  if (token === undefined) return answered(call, run())
  const digest = canonicalJson(params)
  const used = call.db.get<{ params: string; answer: string }>(
    'SELECT params, answer FROM client_token WHERE action = ? AND token = ?',
    call.action,
    token,
  )
  if (used === undefined) {
    const answer = answered(call, run())
    call.db.run(
      'INSERT INTO client_token (action, token, params, answer, used_at) VALUES (?, ?, ?, ?, ?)',
      call.action,
      token,
      digest,
      JSON.stringify(answer),
      call.at,
    )
    return answer
  }
  if (used.params !== digest)
    throw new ApiError(
      'UnsupportedOperation.IdempotentParameterMismatch',
      `The client token \`${token}\` was used with other parameters.`,
    )
  const answer = JSON.parse(used.answer) as Fields
  refuseWhileRunning(call, answer)
  return answer
}

/** Also names the task: a repeated answer keeps the RequestId that can be polled. */
function answered(call: Call, fields: Fields): Fields {
  return { ...fields, RequestId: call.requestId }
}

function refuseWhileRunning({ db, settings }: Call, answer: Fields): void {
  if (!settings.limits().refuseTokenWhileRunning) return
  const running = db.get(`SELECT 1 FROM task WHERE id = ? AND state = 'RUNNING'`, String(answer['RequestId']))
  if (running !== undefined)
    throw new ApiError(
      'UnsupportedOperation.IdempotentProcessing',
      'The earlier request with this client token is still being processed.',
    )
}

function tokenOf(params: unknown): string | undefined {
  if (typeof params !== 'object' || params === null || !('ClientToken' in params)) return undefined
  return typeof params.ClientToken === 'string' && params.ClientToken !== '' ? params.ClientToken : undefined
}
