// Idempotency: a ClientToken brings its first answer again, and is refused with other parameters.

import type { Database } from '../../sqlite/database.ts'
import { canonicalJson } from '../../value/canonical-json.ts'
import { ApiError } from './api-error.ts'
import { findEipTask } from './eip-tasks.ts'
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
  refuseByTask(call, answer)
  return answer
}

/** Also names the task: a repeated answer keeps the RequestId that can be polled. */
function answered(call: Call, fields: Fields): Fields {
  return { ...fields, RequestId: call.requestId }
}

function refuseByTask({ db, settings }: Call, answer: Fields): void {
  const state = taskState(db, answer)
  if (settings.limits().refuseTokenWhileRunning && state === 'RUNNING')
    throw new ApiError(
      'UnsupportedOperation.IdempotentProcessing',
      'The earlier request with this client token is still being processed.',
    )
  if (state === 'FAILED' && 'TaskId' in answer)
    throw new ApiError(
      'UnsupportedOperation.DeliveryFailed',
      'The delivery failed, update `ClientToken` and try again.',
    )
}

/** EIPs have tasks of their own, which the answer names. */
function taskState(db: Database, answer: Fields): string | undefined {
  if (typeof answer['TaskId'] === 'string') return findEipTask(db, Number(answer['TaskId']))?.state
  return db.get<{ state: string }>('SELECT state FROM task WHERE id = ?', String(answer['RequestId']))?.state
}

function tokenOf(params: unknown): string | undefined {
  if (typeof params !== 'object' || params === null || !('ClientToken' in params)) return undefined
  return typeof params.ClientToken === 'string' && params.ClientToken !== '' ? params.ClientToken : undefined
}
