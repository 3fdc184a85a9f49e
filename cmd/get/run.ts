// Runs `tke-eni get`: chooses where the resource comes from, and ends when nobody listens any more.
import { untilSignal } from '../until-signal.ts'
import type { GetRequest } from './request.ts'
import type { Resource } from './resources.ts'

/** Throws what showing throws. */
export function runGet(resource: Resource, request: GetRequest): Promise<void> {
  return untilSignal(async (signal) => {
    const deaf = new AbortController()
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      deaf.abort() // `tke-eni get history | head`
    })
    const either = AbortSignal.any([signal, deaf.signal])
    const write = (text: string) => void (text !== '' && !deaf.signal.aborted && process.stdout.write(text))
    if (resource === 'nec') {
      const { showNecs } = await import('./show-necs.ts')
      return showNecs(request, write, either)
    }
    const { showLedger } = await import('./show-ledger.ts')
    const views = await import('./ledger-views.ts')
    switch (resource) {
      case 'vip':
        return showLedger(views.vips, request, write, either)
      case 'vipc':
        return showLedger(views.claims, request, write, either)
      case 'eip':
        return showLedger(views.eips, request, write, either)
      case 'eipc':
        return showLedger(views.eipClaims, request, write, either)
      case 'eni':
        return showLedger(views.enis, request, write, either)
      case 'node':
        return showLedger(views.nodes, request, write, either)
      case 'subnet':
        return showLedger(views.subnets, request, write, either)
      case 'intent':
        return showLedger(views.intents, request, write, either)
      case 'history':
        return showLedger(views.history, request, write, either)
      case 'quarantine':
        return showLedger(views.quarantine, request, write, either)
    }
  })
}

/** For `warm` in cli.ts. */
export function preload(): Promise<unknown> {
  return Promise.all([import('./show-ledger.ts'), import('./ledger-views.ts'), import('./show-necs.ts')])
}
