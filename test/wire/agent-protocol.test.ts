import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodeAgentAnswer,
  decodeAgentRequest,
  encodeAgentAnswer,
  encodeAgentRequest,
  lineReader,
  maxLine,
} from '../../internal/wire/agent-protocol.ts'
import { CniFault, cniCode } from '../../internal/wire/cni-fault.ts'

const request = {
  command: 'ADD',
  containerId: 'a',
  netns: '/a',
  ifname: 'eth0',
  args: { K8S_POD_NAME: 'web' },
  config: { cniVersion: '1.0.0', name: 'tke\n', type: 'tke-route-eni' },
}

test('decodeAgentRequest() undoes encodeAgentRequest()', () => {
  const line = encodeAgentRequest(request)
  assert.equal(line.indexOf('\n'), line.length - 1)
  assert.deepEqual(decodeAgentRequest(line), request)
})

test('decodeAgentAnswer() undoes encodeAgentAnswer()', () => {
  assert.deepEqual(decodeAgentAnswer(encodeAgentAnswer({ result: { a: 1 } })), { result: { a: 1 } })
  assert.deepEqual(decodeAgentAnswer(encodeAgentAnswer({ result: undefined })), { result: undefined })
  const answer = decodeAgentAnswer(encodeAgentAnswer({ error: new CniFault(11, 'Cannot x: y', 'z') }))
  assert.ok('error' in answer)
  const { code, message, details } = answer.error
  assert.deepEqual({ code, message, details }, { code: 11, message: 'Cannot x: y', details: 'z' })
})

test('[R6] a protocol number that is long or deep is told in short', () => {
  // A version of a million digits came back whole, in the answer and in the log.
  for (const v of [`"${'x'.repeat(100_000)}"`, '['.repeat(50_000) + ']'.repeat(50_000)]) {
    assert.throws(
      () => decodeAgentRequest(`{"v":${v}}`),
      (error) => error instanceof CniFault && error.code === cniCode.protocol && error.message.length < 300,
    )
  }
})

test('[R6] lineReader() takes a long line byte by byte without copying it each time', () => {
  // 200,000 bytes took ten seconds of the agent's time, and it serves nobody else in between.
  const read = lineReader('plugin')
  for (let i = 0; i < maxLine; i++) assert.equal(read('x'), undefined)
  assert.equal(read('\n')?.length, maxLine)
})

test('[R10] plugin and agent of neighbouring protocols understand each other', () => {
  const line = (v: unknown) => `${JSON.stringify({ v, ...request, more: 'ignored' })}\n`
  for (const v of [0, 1, 2]) assert.deepEqual(decodeAgentRequest(line(v)), request)
  for (const v of [-1, 3, '1', undefined, null]) {
    assert.throws(() => decodeAgentRequest(line(v)), /of the plugin: it speaks protocol .*, we speak 1/)
  }
})

test('[R6] decodeAgentRequest() and decodeAgentAnswer() read anything, or refuse it with a code', () => {
  const lines = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .dictionary(fc.constantFrom('v', 'result', 'error', 'command'), fc.jsonValue())
      .map((v) => JSON.stringify(v)),
    fc.record({ v: fc.constant(1), error: fc.jsonValue() }).map((v) => JSON.stringify(v)),
  )
  fc.assert(
    fc.property(lines, (line) => {
      for (const decode of [decodeAgentRequest, decodeAgentAnswer]) {
        try {
          decode(line)
        } catch (error) {
          assert.ok(error instanceof CniFault && error.code === cniCode.protocol, String(error))
        }
      }
    }),
  )
})

test('lineReader() gathers chunks to one line, of bounded length', () => {
  fc.assert(
    fc.property(fc.array(fc.string().map((text) => text.replaceAll('\n', ''))), (chunks) => {
      const read = lineReader('plugin')
      for (const chunk of chunks) assert.equal(read(chunk), undefined)
      assert.equal(read('end\nmore'), `${chunks.join('')}end`)
    }),
  )
  const read = lineReader('plugin')
  assert.equal(read('x'.repeat(maxLine)), undefined)
  assert.throws(() => read('x'), /Cannot read what the plugin sent: it is longer/)
})
