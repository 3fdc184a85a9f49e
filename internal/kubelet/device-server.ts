// The device plugin of one resource on its unix socket, as the kubelet calls it: it lists devices and says when they change.
// Allocations are answered with nothing: it is the CNI plugin that gives a pod its address.
import { rmSync } from 'node:fs'
import {
  logVerbosity,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogVerbosity,
} from '@grpc/grpc-js'
import { preferDevices } from './choose-devices.ts'
import {
  allocateRequest,
  allocateResponse,
  type Device,
  deviceList,
  empty,
  pluginOptions,
  preferredRequest,
  preferredResponse,
  preStartRequest,
} from './messages.ts'
import type { Codec } from './protobuf.ts'

setLogVerbosity(logVerbosity.NONE) // it would print

export interface DeviceServer {
  /** Sent to the kubelet when it differs from what was sent last. */
  list(devices: readonly Device[]): void
  /** Does the kubelet listen? */
  watched(): boolean
  /** Ends what is under way, and removes the socket. */
  close(): void
}

export interface DeviceServerOptions {
  readonly path: string
  readonly devices: readonly Device[]
  /** A container gets them. */
  readonly allocated: (ids: readonly string[]) => void
  /** The kubelet has begun or ceased to listen. */
  readonly watchChanged: () => void
}

/** Answers by what the kubelet needs to know before it registers the plugin. */
export const options = { preStartRequired: false, preferredAllocationAvailable: true }

type DeviceStream = ServerWritableStream<unknown, { readonly devices: readonly Device[] }>

/** Serves when it resolves; a socket that was left behind is replaced. Rejects when the path cannot be listened on. */
export async function serveDevices({ path, ...given }: DeviceServerOptions): Promise<DeviceServer> {
  const watchers = new Set<DeviceStream>()
  let devices = given.devices
  const server = new Server()
  server.addService(service, {
    getDevicePluginOptions: answer<unknown, typeof options>(() => options),
    listAndWatch(stream: DeviceStream) {
      watchers.add(stream)
      stream.on('cancelled', () => {
        watchers.delete(stream)
        given.watchChanged()
      })
      stream.write({ devices })
      given.watchChanged()
    },
    allocate: answer(({ containers }: { containers: readonly { deviceIds: readonly string[] }[] }) => {
      given.allocated(containers.flatMap(({ deviceIds }) => deviceIds))
      return { containers: containers.map(() => ({})) }
    }),
    getPreferredAllocation: answer(({ containers }: PreferredRequest) => ({
      containers: containers.map(({ available, mustInclude, size }) => ({
        deviceIds: preferDevices(available, mustInclude, size),
      })),
    })),
    preStartContainer: answer(() => ({})),
  })
  rmSync(path, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    )
  })
  return {
    list(now) {
      if (JSON.stringify(now) === JSON.stringify(devices)) return
      devices = now
      for (const stream of watchers) stream.write({ devices })
    },
    watched: () => watchers.size > 0,
    close() {
      server.forceShutdown()
      rmSync(path, { force: true })
    },
  }
}

interface PreferredRequest {
  readonly containers: readonly {
    readonly available: readonly string[]
    readonly mustInclude: readonly string[]
    readonly size: number
  }[]
}

function answer<Request, Response>(respond: (request: Request) => Response) {
  return (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) =>
    done(null, respond(call.request))
}

const service = {
  getDevicePluginOptions: method('GetDevicePluginOptions', empty, pluginOptions),
  listAndWatch: method('ListAndWatch', empty, deviceList, true),
  getPreferredAllocation: method('GetPreferredAllocation', preferredRequest, preferredResponse),
  allocate: method('Allocate', allocateRequest, allocateResponse),
  preStartContainer: method('PreStartContainer', preStartRequest, empty),
}

function method<Request, Response>(
  name: string,
  request: Codec<Request>,
  response: Codec<Response>,
  responseStream = false,
): MethodDefinition<Request, Response> {
  return {
    path: `/v1beta1.DevicePlugin/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: request.encode,
    requestDeserialize: request.decode,
    responseSerialize: response.encode,
    responseDeserialize: response.decode,
  }
}
