// What the plugin and the node agent say to each other on the agent's unix socket: one request and one answer per
// connection, each a line of JSON of bounded length. Plugin and agent of neighbouring versions understand each other
// (R10): a reader ignores keys it does not know and takes the protocol's number, one less and one more.
import { CniFault, cniCode } from './cni-fault.ts'
import type { RawCniRequest } from './cni-request.ts'
import { isRecord, type JsonObject, parseJson, quoteJson } from './json.ts'

const agentProtocol = 1
export const defaultAgentSocket = '/run/tke-eni/cni.sock'
/** Longest line, in characters; a GC of a full node with its attachments is 40,000. */
export const maxLine = 1_048_576

export type AgentAnswer = { readonly result: JsonObject | undefined } | { readonly error: CniFault }

/** The request as a line. */
export function encodeAgentRequest(request: RawCniRequest): string {
  return `${JSON.stringify({ v: agentProtocol, ...request })}\n`
}

/** The line as a request that is still to be checked. Throws CniFault: protocol. */
export function decodeAgentRequest(line: string): RawCniRequest {
  const message = decode(line, 'the request', 'plugin')
  return {
    command: message['command'],
    containerId: message['containerId'],
    netns: message['netns'],
    ifname: message['ifname'],
    args: message['args'],
    config: message['config'],
  }
}

/** The answer as a line. */
export function encodeAgentAnswer(answer: AgentAnswer): string {
  const body =
    'error' in answer
      ? { error: { code: answer.error.code, msg: answer.error.message, details: answer.error.details } }
      : { result: answer.result ?? null }
  return `${JSON.stringify({ v: agentProtocol, ...body })}\n`
}

/** The line as an answer. Throws CniFault: protocol. */
export function decodeAgentAnswer(line: string): AgentAnswer {
  const message = decode(line, 'the answer', 'node agent')
  const { error, result } = message
  if (isRecord(error)) {
    const { code, msg, details } = error
    if (typeof code === 'number' && Number.isInteger(code) && code > 0 && typeof msg === 'string') {
      return { error: new CniFault(code, msg, typeof details === 'string' ? details : '') }
    }
  } else if (error === undefined && (result === null || isRecord(result))) {
    return { result: result ?? undefined }
  }
  throw new CniFault(
    cniCode.protocol,
    'Cannot understand the answer of the node agent: it has neither result nor error',
  )
}

/** Gathers chunks until the first line is complete. Throws CniFault (protocol) when it gets too long. */
export function lineReader(who: string): (chunk: string) => string | undefined {
  let text = ''
  return (chunk) => {
    // In the chunk alone: looking into `text` would copy all of it, for every byte of a caller who sends them one by one.
    const inChunk = chunk.indexOf('\n')
    const end = inChunk === -1 ? -1 : text.length + inChunk
    text += chunk
    if ((end === -1 ? text.length : end) > maxLine) {
      throw new CniFault(
        cniCode.protocol,
        `Cannot read what the ${who} sent: it is longer than ${maxLine} characters`,
      )
    }
    return end === -1 ? undefined : text.slice(0, end)
  }
}

function decode(line: string, what: string, who: string): JsonObject {
  const message = parseJson(line)
  if (!isRecord(message)) {
    throw new CniFault(cniCode.protocol, `Cannot understand ${what} of the ${who}: it is not a JSON object`)
  }
  const { v } = message
  if (typeof v !== 'number' || Math.abs(v - agentProtocol) > 1) {
    throw new CniFault(
      cniCode.protocol,
      `Cannot understand ${what} of the ${who}: it speaks protocol ${quoteJson(v)}, we speak ${agentProtocol}`,
      'install the plugin and the node agent of the same version on this node',
    )
  }
  return message
}
