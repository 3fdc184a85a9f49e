// Any handler of API requests over plain HTTP, where whoever reaches the address may do everything: a private socket.
import type { Log } from '../base/log.ts'
import { exchange, type Handle } from './http-exchange.ts'
import { type ListenOn, openListener } from './listener.ts'

export interface ServedHandle {
  /** As asked, with the port that was given. */
  readonly bound: ListenOn
  close(): Promise<void>
}

/** Throws IpamError `unavailable` when the address is taken. */
export async function serveHandle(handle: Handle, listen: ListenOn, log: Log): Promise<ServedHandle> {
  const listener = await openListener(
    listen,
    (request, response) => void exchange(request, response, handle, log),
  )
  return { bound: listener.bound, close: () => listener.stop() }
}
