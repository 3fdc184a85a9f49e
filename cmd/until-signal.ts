// A daemon ends cleanly at the first signal that asks for it, and at once at the second, or when something failed that nobody
// could answer for: a timer that finds its database broken, say. Its next start tells whether that lasts.
import { exitCode, reportFailure } from './exit.ts'

/** SIGHUP does not ask a service to end. */
export const endsService: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT']
/** What a person runs ends with its terminal. */
export const endsForeground: readonly NodeJS.Signals[] = [...endsService, 'SIGHUP']

/** Runs `work` with a signal that aborts when the process is asked to end. */
export async function untilSignal<T>(
  work: (signal: AbortSignal) => Promise<T>,
  ends: readonly NodeJS.Signals[] = endsService,
): Promise<T> {
  const controller = new AbortController()
  const end = () => {
    if (controller.signal.aborted) process.exit(exitCode.interrupted)
    controller.abort()
  }
  for (const each of ends) process.on(each, end)
  process.on('uncaughtException', giveUp)
  try {
    return await work(controller.signal)
  } finally {
    for (const each of ends) process.off(each, end)
    process.off('uncaughtException', giveUp)
  }
}

/** Ends the process at once, before anybody hears of anything more. */
export function giveUp(error: unknown): never {
  process.exit(reportFailure(error))
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
