// One address to listen on: TCP with or without TLS, or a unix socket; can be closed and opened again.
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import {
  createServer as createSecureServer,
  type ServerOptions as SecureOptions,
  Server as SecureServer,
} from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { IpamError } from '../ipam/errors.ts'
import type { Millis } from '../value/millis.ts'
import { entrance, type Serve } from './entrance.ts'

export type ListenOn = { readonly host: string; readonly port: number } | { readonly socketPath: string }

export interface Listener {
  /** As asked, with the port that was given. */
  readonly bound: ListenOn
  start(): Promise<void>
  stop(): Promise<void>
  /** Other certificates for connections from now on. */
  secure(material: SecureContextOptions): void
}

/** What those who were not asked yet may cost. */
export interface Limits {
  readonly connections: number
  /** From the connection, and then from the first byte of a further request, to the end of the headers. */
  readonly headers: Millis
  /** To the end of the body; answers, and with them watches, take as long as they take. */
  readonly request: Millis
}

/** Each watch has a connection of its own, also through the cluster's API server; one that says nothing has cost some 50 kB. */
const usual: Limits = { connections: 2000, headers: 5000, request: 10_000 }
const lookEvery: Millis = 1000

export interface ListenerOptions {
  readonly secure?: SecureOptions
  readonly limits?: Limits | undefined
}

/** All of them, or none: one left open would keep the process from ending. Throws as `openListener`. */
export async function openListeners(wanted: readonly ListenOn[], serve: Serve): Promise<readonly Listener[]> {
  const outcomes = await Promise.allSettled(wanted.map((address) => openListener(address, serve)))
  const open = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const refused = outcomes.find(({ status }) => status === 'rejected')
  if (refused?.status !== 'rejected') return open
  await Promise.all(open.map((listener) => listener.stop()))
  throw refused.reason
}

/** Throws IpamError `unavailable` when the address is taken. */
export async function openListener(
  address: ListenOn,
  serve: Serve,
  options: ListenerOptions = {},
): Promise<Listener> {
  let server = await listen(address, serve, options)
  const given = server.address() as AddressInfo | string | null
  const bound: ListenOn =
    'host' in address && typeof given === 'object' && given !== null
      ? { host: address.host, port: given.port }
      : address
  return {
    bound,
    start: async () => {
      if (!server.listening) server = await listen(bound, serve, options)
    },
    secure(material) {
      if (server instanceof SecureServer) server.setSecureContext(material)
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(
  address: ListenOn,
  serve: Serve,
  { secure, limits = usual }: ListenerOptions,
): Promise<Server> {
  const times = {
    keepAliveTimeout: 120_000,
    headersTimeout: limits.headers,
    requestTimeout: limits.request,
    connectionsCheckingInterval: Math.min(lookEvery, limits.headers),
  }
  const server =
    secure === undefined
      ? createServer(times, entrance(serve))
      : createSecureServer({ ...times, handshakeTimeout: limits.headers, ...secure }, entrance(serve))
  server.maxConnections = limits.connections
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const where = 'host' in address ? `${address.host}:${address.port}` : address.socketPath
      reject(new IpamError('unavailable', `Cannot listen on "${where}": ${cause.message}`, { cause }))
    })
    if ('host' in address) server.listen(address.port, address.host, () => resolve(server))
    else {
      removeStaleSocket(address.socketPath)
      server.listen(address.socketPath, () => {
        chmodSync(address.socketPath, 0o600) // whoever may open it may do everything
        resolve(server)
      })
    }
  })
}

/** A killed server leaves its socket behind; a file of another kind is not ours to remove. */
function removeStaleSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path)
}
