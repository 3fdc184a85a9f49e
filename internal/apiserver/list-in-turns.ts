// list, of collections that may be long: read and written in parts, all of one state, with turns for others between them.
import type { NextTurn } from '../base/turns.ts'
import type { KubeObject } from './object.ts'
import { type Batch, batches, type Ending, listMetadata } from './read.ts'
import { negotiate, type Representation } from './represent.ts'
import { type Answer, type Call, jsonAnswer, type StreamedAnswer } from './request.ts'

/** A few milliseconds of work, and what kubectl asks for at a time. */
const atOnce = 500

/** What fits into one part is answered at once. Throws StatusError; later parts throw it too. */
export function listInTurns(call: Call, nextTurn: NextTurn): Answer | StreamedAnswer {
  const { context, headers, query, type } = call
  const as = negotiate(headers['accept'], query, type, () => context.clock.now())
  const parts = batches(call, atOnce)
  const first = parts.next().value ?? nothing
  if (first.ending !== undefined)
    return jsonAnswer(200, as.list(first.items, listMetadata(first.ending)), as.contentType)
  return { status: 200, contentType: as.contentType, parts: write(as, first, inTurns(parts, nextTurn)) }
}

/** What the list parameters of `call` select, each part when it is its turn. Throws StatusError. */
export function selectInTurns(call: Call, nextTurn: NextTurn): AsyncGenerator<Batch> {
  return inTurns(batches(call, atOnce), nextTurn)
}

const nothing: Batch = { items: [], ending: undefined }

async function* inTurns(parts: Generator<Batch>, nextTurn: NextTurn): AsyncGenerator<Batch> {
  for (;;) {
    await nextTurn()
    const { done, value } = parts.next()
    if (done === true) return
    yield value
  }
}

/** The metadata comes last: only then is it known where a list with a limit goes on. */
async function* write(
  as: Representation,
  first: Batch,
  others: AsyncIterable<Batch>,
): AsyncGenerator<string> {
  let between = ''
  const text = (items: readonly KubeObject[]): string => {
    if (items.length === 0) return ''
    const texts = between + JSON.stringify(items.map((item) => as.item(item))).slice(1, -1)
    between = ','
    return texts
  }
  yield `${JSON.stringify(as.frame).slice(0, -1)},"${as.itemsIn}":[${text(first.items)}`
  let ending: Ending | undefined
  for await (const batch of others) {
    yield text(batch.items)
    ending = batch.ending
  }
  if (ending === undefined) throw new Error('Cannot write a list: it has no end')
  yield `],"metadata":${JSON.stringify(listMetadata(ending))}}\n`
}
