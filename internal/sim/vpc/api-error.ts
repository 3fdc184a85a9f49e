// How a call to the simulated cloud fails: with a code of the API, or without any answer.

/** A refusal with Tencent's code; nothing happened. */
export class ApiError extends Error {
  readonly code: string
  /** Set by the engine once the call has an id. */
  requestId = ''

  constructor(code: string, message: string) {
    super(message)
    this.name = 'ApiError'
    this.code = code
  }
}

/** The caller hears nothing: the request or its answer was lost, or the service cannot be reached. */
export class NoAnswer extends Error {
  /** Did the call take effect? The caller cannot know; tests can. */
  readonly happened: boolean

  constructor(message: string, happened: boolean) {
    super(message)
    this.name = 'NoAnswer'
    this.happened = happened
  }
}
