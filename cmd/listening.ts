// Addresses and sockets that settings name: listened on, or refused in a sentence.
import { IpamError } from '../internal/ipam/errors.ts'

/** What `serve` gives, which listens on `where`. Throws `unavailable` when it cannot. */
export async function listening<T>(where: string, serve: () => Promise<T>): Promise<T> {
  try {
    return await serve()
  } catch (cause) {
    throw new IpamError('unavailable', `Cannot listen on "${where}": ${(cause as Error).message}`, { cause })
  }
}
