// A daemon ends cleanly at the first SIGTERM or SIGINT, and at once at the second, or when something failed that nobody
// could answer for: a timer that finds its database broken, say. Its next start tells whether that lasts.
import { exitCode, reportFailure } from './exit.ts'

/** Runs `work` with a signal that aborts when the process is asked to end. */
export async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const end = () => {
    if (controller.signal.aborted) process.exit(exitCode.interrupted)
    controller.abort()
  }
  process.on('SIGTERM', end).on('SIGINT', end).on('uncaughtException', giveUp)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGTERM', end).off('SIGINT', end).off('uncaughtException', giveUp)
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
