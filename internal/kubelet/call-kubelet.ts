// What is asked of the kubelet over its unix sockets: take a device plugin, and say which devices pods have.
import { Client, credentials } from '@grpc/grpc-js'
import type { Clock } from '../base/clock.ts'
import { apiVersion, empty, podResourceList, registerRequest } from './messages.ts'
import type { Codec, Message } from './protobuf.ts'

const answerWithin = 15_000
const listWithin = 2000

/** The kubelet connects to the plugin's socket before it answers. Rejects with why it does not want the plugin. */
export function register(
  socket: string,
  plugin: Omit<Message<typeof registerRequest>, 'version'>,
  clock: Clock,
): Promise<unknown> {
  const request = { ...plugin, version: apiVersion }
  const path = '/v1beta1.Registration/Register'
  return call({ socket, path, request, ask: registerRequest, reply: empty, within: answerWithin }, clock)
}

/** The devices of the resource that containers have, as the kubelet noted it. Rejects when it does not say. */
export async function devicesOfPods(
  socket: string,
  resource: string,
  clock: Clock,
): Promise<ReadonlySet<string>> {
  const path = '/v1.PodResourcesLister/List'
  const { pods } = await call(
    { socket, path, request: {}, ask: empty, reply: podResourceList, within: listWithin },
    clock,
  )
  const devices = pods.flatMap(({ containers }) => containers.flatMap((container) => container.devices))
  return new Set(
    devices.flatMap(({ resourceName, deviceIds }) => (resourceName === resource ? deviceIds : [])),
  )
}

interface Call<Request, Response> {
  readonly socket: string
  readonly path: string
  readonly request: Request
  readonly ask: Codec<Request>
  readonly reply: Codec<Response>
  readonly within: number
}

/** On a connection of its own: calls are rare, and the kubelet may be another one each time. */
async function call<Request, Response>(
  { socket, path, request, ask, reply, within }: Call<Request, Response>,
  clock: Clock,
): Promise<Response> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
  })
  let cancel = () => {}
  try {
    return await new Promise<Response>((resolve, reject) => {
      const asked = client.makeUnaryRequest(path, ask.encode, reply.decode, request, (error, value) =>
        error === null && value !== undefined ? resolve(value) : reject(error),
      )
      cancel = clock.after(within, () => asked.cancel())
    })
  } finally {
    cancel()
    client.close()
  }
}
