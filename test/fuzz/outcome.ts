// What may come of any input: a value, or an error of ours.
import assert from 'node:assert/strict'
import { IpamError } from '../../internal/ipam/errors.ts'
import { CniFault, cniCode } from '../../internal/wire/cni-fault.ts'

/** Longer ones cannot be read in an event or a log. */
const longestMessage = 8000

/** Fails unless `error` is one of ours, with a sentence. */
export function assertOurs(error: unknown): asserts error is IpamError | CniFault {
  if (error instanceof CniFault) assert.notEqual(error.code, cniCode.internal, error.message)
  else if (!(error instanceof IpamError))
    throw new Error(`not an error of ours: ${String(error)}`, { cause: error })
  assertSentence(error.message)
}

export function assertSentence(message: string): void {
  assert.match(message, /^Cannot [^:]/)
  assert.ok(message.includes(': '), message.slice(0, longestMessage))
  assert.ok(message.length <= longestMessage, `${message.length} characters: ${message.slice(0, 200)}`)
}

/** What `work` gives; undefined when it throws an error of ours. */
export function outcome<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    assertOurs(error)
    return undefined
  }
}

export async function outcomeOf<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    assertOurs(error)
    return undefined
  }
}
