// The simulated cloud over HTTP: the API at "/", metadata at "/latest/…" as an instance sees it, and the side
// entrance at "/sim/…" for local callers.
import { chmodSync, existsSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type ListenOptions } from 'node:net'
import { dirname } from 'node:path'
import { type Clock, sleep } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import { IpamError } from '../../ipam/errors.ts'
import { answerAdmin } from './admin-routes.ts'
import { answerApi } from './api-route.ts'
import { answerMetadata, type RoleOptions } from './metadata.ts'
import { type Reply, readBody, send } from './reply.ts'
import type { VpcSim } from './sim.ts'

export interface ServeOptions {
  readonly sim: VpcSim
  readonly clock: Clock
  /** Port 0 takes a free one. */
  readonly tcp?: { readonly host: string; readonly port: number }
  /** A unix socket, reached only by this user; one that nobody serves any more is replaced. */
  readonly socketPath?: string
  readonly role?: RoleOptions
  readonly log?: Log
}

export interface VpcSimServer {
  /** "http://127.0.0.1:34567"; of the unix socket alone "http://localhost". */
  readonly url: string
  close(): Promise<void>
}

/** Serves `sim` until closed. Throws IpamError `unavailable` when it cannot listen. */
export async function serveVpcSim(options: ServeOptions): Promise<VpcSimServer> {
  const { sim, clock, log = silentLog } = options
  const alarm = createAlarm(sim, clock)
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(options, request, response)
      .catch((error: unknown) => {
        log.error('request failed', { error: String(error) })
        request.socket.destroy()
      })
      .finally(alarm.set)
  }
  const servers: Server[] = []
  let url = 'http://localhost'
  if (options.tcp !== undefined) {
    const server = await listen(listener, options.tcp)
    servers.push(server)
    const { address, port } = server.address() as AddressInfo
    url = `http://${address.includes(':') ? `[${address}]` : address}:${port}`
  }
  if (options.socketPath !== undefined) {
    try {
      await prepareSocket(options.socketPath)
      servers.push(await listen(listener, { path: options.socketPath }))
      chmodSync(options.socketPath, 0o600)
    } catch (error) {
      await Promise.all(servers.map(shut)) // an open one would keep the process from ending
      throw error
    }
  }
  alarm.set()
  return {
    url,
    async close() {
      alarm.stop()
      await Promise.all(servers.map(shut))
    },
  }
}

async function answer(
  options: ServeOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { sim, clock, log = silentLog } = options
  const path = new URL(request.url ?? '/', 'http://localhost').pathname
  const body = await readBody(request)
  const reply = route()
  if (path === '/' && sim.faults().answerDelayMs > 0) await sleep(clock, sim.faults().answerDelayMs)
  if (reply === 'reset') request.socket.destroy()
  else if (reply !== 'hang') send(response, reply)

  function route(): Reply | 'reset' | 'hang' {
    if (path.startsWith('/latest/')) return answerMetadata(sim, options.role, path, clock.now())
    if (path === '/sim' || path.startsWith('/sim/'))
      return answerAdmin({ sim, request, path, body, now: clock.now() })
    return answerApi({ sim, request, body, now: clock.now(), log })
  }
}

/** Applies transitions when they are due, so that a fabric sees them without a call. */
function createAlarm(sim: VpcSim, clock: Clock): { set(): void; stop(): void } {
  let cancel = () => {}
  let stopped = false
  function set(): void {
    cancel()
    const due = stopped ? undefined : sim.nextDue()
    if (due === undefined) return
    cancel = clock.after(Math.max(1, due - clock.now()), () => {
      sim.advance(clock.now())
      set()
    })
  }
  return {
    set,
    stop() {
      stopped = true
      cancel()
    },
  }
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void

function listen(listener: Listener, where: ListenOptions): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 30_000 }, listener)
  return new Promise((resolve, reject) => {
    const name = where.path ?? `${where.host}:${where.port}`
    server.once('error', (cause) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      reject(new IpamError('unavailable', `Cannot listen on "${name}": ${why}`, { cause }))
    })
    server.listen(where, () => resolve(server))
  })
}

/** A socket that nobody serves any more would block listening; anything else is left alone, and listening fails. */
async function prepareSocket(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  if (existsSync(path) && lstatSync(path).isSocket() && !(await isServed(path))) unlinkSync(path)
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
