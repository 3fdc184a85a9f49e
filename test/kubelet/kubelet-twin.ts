// A kubelet, as far as device plugins see one: what its device manager does, in the same order. The contract holds it to the
// real one (test/e2e/kubelet-devices.e2e.ts).
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  Client,
  type ClientReadableStream,
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import {
  allocateRequest,
  allocateResponse,
  type Device,
  deviceList,
  empty,
  podResourceList,
  preferredRequest,
  preferredResponse,
  registerRequest,
} from '../../internal/kubelet/messages.ts'
import type { Codec, Message } from '../../internal/kubelet/protobuf.ts'
import type { TestKubelet } from './test-kubelet.ts'

interface Plugin {
  readonly client: Client
  readonly stream: ClientReadableStream<Message<typeof deviceList>>
  devices: readonly Device[]
  ended: boolean
}

interface Refusal {
  /** As kubelets before 1.20 are: it does not say which pod has what. */
  readonly silent?: boolean
  /** Registrations that it refuses at first. */
  refuse?: number
}

/** In `home`, as in /var/lib/kubelet. */
export function kubeletTwin(
  home: string,
  manners: Refusal = {},
): TestKubelet & { readonly registrations: () => number } {
  const directory = join(home, 'device-plugins')
  const podsDirectory = join(home, 'pod-resources')
  /** The checkpoint: it outlives the process. */
  const given = new Map<string, { readonly resource: string; readonly ids: readonly string[] }>()
  const plugins = new Map<string, Plugin>()
  let servers: Server[] = []
  let registrations = 0

  async function register({
    version,
    resourceName,
    endpoint,
  }: Message<typeof registerRequest>): Promise<void> {
    registrations += 1
    if (version !== 'v1beta1')
      throw new Error(`requested API version "${version}" is not supported by kubelet`)
    if ((manners.refuse ?? 0) > 0) {
      manners.refuse = (manners.refuse ?? 0) - 1
      throw new Error('not today')
    }
    const client = new Client(`unix:${join(directory, endpoint)}`, credentials.createInsecure())
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + 5000, (error) => (error === undefined ? resolve() : reject(error)))
    })
    plugins.get(resourceName)?.client.close()
    const path = '/v1beta1.DevicePlugin/ListAndWatch'
    const stream = client.makeServerStreamRequest(path, empty.encode, deviceList.decode, {})
    const plugin: Plugin = { client, stream, devices: [], ended: false }
    plugins.set(resourceName, plugin)
    stream.on('data', (list: Message<typeof deviceList>) => {
      plugin.devices = list.devices
    })
    stream.on('error', () => {
      plugin.ended = true
      plugin.devices = plugin.devices.map(({ id }) => ({ id, health: 'Unhealthy' }))
    })
  }

  function devicesOf(pod: string, resource: string): readonly string[] {
    const found = given.get(pod)
    return found?.resource === resource ? found.ids : []
  }

  function healthyOf(resource: string): readonly string[] {
    const devices = plugins.get(resource)?.devices ?? []
    return devices.flatMap(({ id, health }) => (health === 'Healthy' ? [id] : []))
  }

  async function allocate(pod: string, resource: string, count: number): Promise<readonly string[]> {
    const plugin = plugins.get(resource)
    if (plugin === undefined) throw new Error(`cannot allocate unregistered device ${resource}`)
    const healthy = healthyOf(resource)
    if (healthy.length === 0) throw new Error('no healthy devices present')
    const before = devicesOf(pod, resource)
    if (before.some((id) => !healthy.includes(id)))
      throw new Error('previously allocated devices are no longer healthy')
    if (before.length > 0) return before
    const used = new Set(
      [...given.values()].filter((each) => each.resource === resource).flatMap(({ ids }) => ids),
    )
    const available = healthy.filter((id) => !used.has(id))
    if (available.length < count) throw new Error(`requested number of devices unavailable for ${resource}`)
    const wish = { available, mustInclude: [], size: count }
    const { containers } = await ask(
      plugin.client,
      'GetPreferredAllocation',
      preferredRequest,
      preferredResponse,
      {
        containers: [wish],
      },
    )
    const ids = containers[0]?.deviceIds ?? []
    await ask(plugin.client, 'Allocate', allocateRequest, allocateResponse, {
      containers: [{ deviceIds: ids }],
    })
    given.set(pod, { resource, ids })
    return ids.toSorted()
  }

  function podResources(): Message<typeof podResourceList> {
    const pods = [...given].map(([name, { resource, ids }]) => {
      const devices = ids.map((id) => ({ resourceName: resource, deviceIds: [id] }))
      return { name, namespace: 'default', containers: [{ name: 'main', devices }] }
    })
    return { pods }
  }

  async function serve(folder: string, path: string, ...method: Parameters<typeof unary>): Promise<void> {
    const server = new Server()
    server.addService({ call: { path, ...unary(...method) } }, { call: handler(method[2]) })
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${join(folder, 'kubelet.sock')}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      )
    })
    servers.push(server)
  }

  return {
    directory,
    registrations: () => registrations,
    resources() {
      const all = [...plugins].map(([resource, { devices }]) => {
        const allocatable = healthyOf(resource).length
        return [resource, { capacity: devices.length, allocatable }] as const
      })
      return Promise.resolve(Object.fromEntries(all))
    },
    allocate,
    endPod(pod) {
      given.delete(pod)
      return Promise.resolve()
    },
    async start() {
      for (const folder of [directory, podsDirectory]) {
        mkdirSync(folder, { recursive: true })
        for (const file of readdirSync(folder)) rmSync(join(folder, file))
      }
      await serve(
        directory,
        '/v1beta1.Registration/Register',
        registerRequest as Codec<unknown>,
        empty,
        (request) => register(request as Message<typeof registerRequest>).then(() => ({})),
      )
      if (!manners.silent)
        await serve(
          podsDirectory,
          '/v1.PodResourcesLister/List',
          empty,
          podResourceList as Codec<unknown>,
          () => Promise.resolve(podResources()),
        )
    },
    stop() {
      for (const { client } of plugins.values()) client.close()
      plugins.clear()
      for (const server of servers) server.forceShutdown()
      servers = []
      return Promise.resolve()
    },
  }
}

function unary(
  request: Codec<unknown>,
  response: Codec<unknown>,
  _respond: (request: unknown) => Promise<unknown>,
) {
  return {
    requestStream: false,
    responseStream: false,
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  } as const
}

function handler(respond: (request: unknown) => Promise<unknown>) {
  return (call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>) =>
    void respond(call.request).then(
      (value) => done(null, value),
      (error: unknown) => done({ code: status.UNKNOWN, details: (error as Error).message }),
    )
}

function ask<Request, Response>(
  client: Client,
  name: string,
  request: Codec<Request>,
  response: Codec<Response>,
  value: Request,
): Promise<Response> {
  const path = `/v1beta1.DevicePlugin/${name}`
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, request.encode, response.decode, value, (error, answer) =>
      error === null && answer !== undefined ? resolve(answer) : reject(error),
    )
  })
}
