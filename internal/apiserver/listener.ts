// One address to listen on: TCP with or without TLS, or a unix socket; can be closed and opened again.
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  createServer as createSecureServer,
  type ServerOptions as SecureOptions,
  Server as SecureServer,
} from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { IpamError } from '../ipam/errors.ts'

export type ListenOn = { readonly host: string; readonly port: number } | { readonly socketPath: string }

export interface Listener {
  /** As asked, with the port that was given. */
  readonly bound: ListenOn
  start(): Promise<void>
  stop(): Promise<void>
  /** Other certificates for connections from now on. */
  secure(material: SecureContextOptions): void
}

export type Serve = (request: IncomingMessage, response: ServerResponse) => void

/** Throws IpamError `unavailable` when the address is taken. */
export async function openListener(
  address: ListenOn,
  serve: Serve,
  secure?: SecureOptions,
): Promise<Listener> {
  let server = await listen(address, serve, secure)
  const given = server.address() as AddressInfo | string | null
  const bound: ListenOn =
    'host' in address && typeof given === 'object' && given !== null
      ? { host: address.host, port: given.port }
      : address
  return {
    bound,
    start: async () => {
      if (!server.listening) server = await listen(bound, serve, secure)
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

function listen(address: ListenOn, serve: Serve, secure: SecureOptions | undefined): Promise<Server> {
  const server =
    secure === undefined
      ? createServer({ keepAliveTimeout: 120_000 }, serve)
      : createSecureServer({ keepAliveTimeout: 120_000, ...secure }, serve)
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
