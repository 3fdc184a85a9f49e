// Structured logs: a constant short event and fields. info = the world changed, warn = will retry,
// error = a person is needed, debug = reasons of a plan.
import pino from 'pino'

export type Fields = Readonly<Record<string, unknown>>

export interface Log {
  debug(event: string, fields?: Fields): void
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  error(event: string, fields?: Fields): void
  child(fields: Fields): Log
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Characters kept for a standard error that takes none; what is more is lost. */
const keptUnwritten = 1024 * 1024

/** JSON lines on standard error. Fields whose names look like credentials are never printed. */
export function createLog(level: LogLevel): Log {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: keptUnwritten })
  // A log on a full disk must not end those who could go on: what is kept is written when there is room again.
  destination.on('error', () => {})
  const redact = ['secretId', 'secretKey', 'token', '*.secretId', '*.secretKey', '*.token']
  const root = pino(
    {
      level,
      base: null,
      redact,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  return wrap(root)
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}

function wrap(logger: pino.Logger): Log {
  return {
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
    child: (fields) => wrap(logger.child(fields)),
  }
}
