// SIGHUP before anybody reads settings again: it must not end a daemon that is still starting, and is not forgotten.

export interface Hangups {
  /** `heard` is called at each SIGHUP, and at once for those that came before. The result ends that. */
  listen(heard: () => void): () => void
}

/** Holds SIGHUP from now on. */
export function holdHangups(): Hangups & { release(): void } {
  let pending = false
  let listener: (() => void) | undefined
  const onHangup = () => {
    if (listener === undefined) pending = true
    else listener()
  }
  process.on('SIGHUP', onHangup)
  return {
    listen(heard) {
      listener = heard
      if (pending) heard()
      pending = false
      return () => {
        listener = undefined
      }
    },
    release: () => void process.off('SIGHUP', onHangup),
  }
}
