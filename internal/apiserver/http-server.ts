// The API over HTTP, on loopback addresses and unix sockets; can play dead for tests of an outage.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type Random, systemRandom } from '../base/random.ts'
import type { KnownPolicy } from './admission.ts'
import { createAggregator } from './aggregator/aggregator.ts'
import { type Api, createApi } from './api.ts'
import { turnAway } from './entrance.ts'
import { exchange } from './http-exchange.ts'
import { type ListenOn, openListeners } from './listener.ts'
import { unauthorized } from './status-error.ts'
import type { Storage } from './storage.ts'

export interface ServeOptions {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly random?: Random
  readonly listen: ListenOn | readonly ListenOn[]
  /** When given, every request but the health checks must carry it as a bearer token. */
  readonly token?: string
  /** Admission policies that may be installed. */
  readonly policies?: readonly KnownPolicy[]
  /** Requests of groups that an APIService names are passed on to the server behind it, and webhooks are asked. */
  readonly aggregate?: boolean
}

export interface ServedApi {
  /** Of the first TCP address; "http://localhost" when there are only sockets. */
  readonly url: string
  /** The same API without HTTP. */
  readonly api: Api
  /** Refuses connections and cuts those that are open, as a server that has died. */
  interrupt(): Promise<void>
  /** Listens again where it did. */
  resume(): Promise<void>
  close(): Promise<void>
}

/** Serves a cluster's API from `storage`, which stays the caller's to close. Throws IpamError `unavailable` when an address is taken. */
export async function serveKubeApi(options: ServeOptions): Promise<ServedApi> {
  const { storage, clock, log, random = systemRandom, token, policies = [], aggregate = false } = options
  const api = createApi({ storage, clock, random, policies })
  const answer = aggregate
    ? createAggregator({ api, storage, clock, random, log })
    : (request: IncomingMessage, response: ServerResponse) =>
        void exchange(request, response, api.handle, log)
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('date', new Date(clock.now()).toUTCString()) // what clients take for the server's time
    if (token === undefined || hasToken(request, token)) answer(request, response)
    else turnAway(response, unauthorized())
  }
  const wanted = 'length' in options.listen ? options.listen : [options.listen]
  const listeners = await openListeners(wanted, serve)
  const tcp = listeners.map(({ bound }) => bound).find((bound) => 'port' in bound)
  const interrupt = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.stop()))
  }
  return {
    url: tcp === undefined ? 'http://localhost' : urlOf(tcp),
    api,
    interrupt,
    resume: async () => {
      await Promise.all(listeners.map((listener) => listener.start()))
    },
    close: interrupt,
  }
}

function urlOf({ host, port }: { host: string; port: number }): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function hasToken(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
