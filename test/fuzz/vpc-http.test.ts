// Whatever comes over the wire instead of an answer of the VPC, through the official SDK over real HTTP: pages of HTML, half an
// answer, no answer, another one's. A call gives a value or an error of ours, in time.
import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before } from 'node:test'
import fc from 'fast-check'
import { type Clock, systemClock } from '../../internal/base/clock.ts'
import { silentLog } from '../../internal/base/log.ts'
import { seededRandom } from '../../internal/base/random.ts'
import { errorCode, mayHaveHappened } from '../../internal/ipam/errors.ts'
import type { Cloud } from '../../internal/ports.ts'
import { createCloud } from '../../internal/vpc/cloud.ts'
import { staticCredentials } from '../../internal/vpc/credentials.ts'
import { sdkTransport } from '../../internal/vpc/sdk-transport.ts'
import { fuzz } from './fuzz.ts'
import { mutateText, mutations } from './mutate.ts'
import { oddText } from './odd.ts'
import { outcomeOf } from './outcome.ts'

interface Reply {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly end: 'well' | 'short' | 'cut' | 'nothing'
}

const eni = {
  NetworkInterfaceId: 'eni-0000000a',
  NetworkInterfaceName: 'n',
  SubnetId: 'subnet-1',
  MacAddress: '20:90:6F:00:00:0A',
  State: 'AVAILABLE',
  Primary: false,
  Attachment: null,
  PrivateIpAddressSet: [{ PrivateIpAddress: '10.0.0.5', Primary: true, State: 'AVAILABLE' }],
  TagSet: [],
}
const answers = [
  {
    Response: {
      NetworkInterfaceSet: [eni],
      TotalCount: 1,
      PrivateIpAddressSet: eni.PrivateIpAddressSet,
      RequestId: 'r-1',
    },
  },
  { Response: { Error: { Code: 'ResourceNotFound', Message: 'no such thing' }, RequestId: 'r-2' } },
  { Response: { Error: { Code: 'InternalError', Message: 'again later' }, RequestId: 'r-3' } },
]

const body: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...answers), mutations)
      .map(([whole, wrong]) => mutateText(whole, wrong)),
  },
  { weight: 2, arbitrary: fc.constantFrom(...answers).map((whole) => JSON.stringify(whole)) },
  { weight: 1, arbitrary: oddText },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      'null',
      '[]',
      '{}',
      '{"Response":null}',
      '{"Response":[]}',
      '{"Response":{}}',
      '{"Response":{"Error":null}}',
      '{"Response":{"Error":{}}}',
      '{"Response":{"Error":"x"}}',
      '<html><body><h1>502 Bad Gateway</h1></body></html>',
      `<html>${'\n<p>proxy</p>'.repeat(20_000)}</html>`,
      '\ufeff{"Response":{"RequestId":"x"}}',
      `{"Response":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      `{"Response":{"TotalCount":${'9'.repeat(400)},"RequestId":"r"}}`,
    ),
  },
)

const reply: fc.Arbitrary<Reply> = fc.record({
  status: fc.oneof(fc.constant(200), fc.constantFrom(200, 201, 302, 400, 403, 404, 413, 500, 502, 504)),
  type: fc.constantFrom('application/json', 'text/html; charset=gbk', 'x', ''),
  body,
  end: fc.oneof(
    { weight: 5, arbitrary: fc.constant('well' as const) },
    fc.constantFrom('short', 'cut', 'nothing'),
  ),
})

let server: Server
let answer: Reply
before(async () => {
  server = createServer((request, response) => {
    request.resume().on('end', () => write(response, answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
after(() => {
  server.closeAllConnections()
  server.close()
})

function write(response: ServerResponse, { status, type, body: text, end }: Reply): void {
  if (end === 'nothing') return void response.socket?.destroy()
  const bytes = Buffer.from(text)
  const length = { 'content-length': end === 'well' ? bytes.length : bytes.length + 10 }
  response.on('error', () => {})
  response.writeHead(status, { ...(type === '' ? {} : { 'content-type': type }), ...length })
  if (end === 'well') response.end(bytes)
  else {
    response.flushHeaders()
    response.write(bytes.length > 0 ? bytes : ' ', () =>
      end === 'short' ? response.socket?.end() : response.socket?.destroy(),
    )
  }
}

/** What waits for the next attempt waits a little; nothing else in this test waits. */
const hasty: Clock = {
  now: systemClock.now,
  after: (delay, run) => systemClock.after(Math.min(delay, 2), run),
}

function cloudHere(): Cloud {
  const { port } = server.address() as AddressInfo
  const credentials = staticCredentials({ secretId: 'AKIDtestidentity', secretKey: 'hush-hush-secret-key' })
  const endpoint = `http://127.0.0.1:${port}`
  return createCloud({
    transport: sdkTransport({ region: 'ap-guangzhou', credentials, endpoint }),
    clock: hasty,
    random: seededRandom(1),
    log: silentLog,
    describeTimeoutMs: 150,
    mutateTimeoutMs: 150,
  })
}

fuzz(
  '[R6] whatever comes instead of an answer of the VPC, a call gives a value or an error of ours',
  reply,
  async (given) => {
    answer = given
    const [found] =
      (await outcomeOf(cloudHere().describeEnis({ ids: [eni.NetworkInterfaceId] }, 'collect'))) ?? []
    assert.ok(found === undefined || found.id === eni.NetworkInterfaceId)
    const request = { eni: eni.NetworkInterfaceId, count: 1, clientToken: 't' }
    const assigned = cloudHere().assignIps(request, 'waiting-pod')
    const addresses = await outcomeOf(assigned)
    if (addresses !== undefined) return assert.equal(addresses.length, 1)
    const unread = given.status === 200 && !given.body.includes('"Error"')
    // A refusal in so many words alone says that nothing has happened.
    if (unread) await assert.rejects(assigned, (error) => mayHaveHappened(errorCode(error)))
  },
  { cost: 3 },
)
