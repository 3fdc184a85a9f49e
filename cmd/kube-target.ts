// Which API server to talk to: the one the settings name, else the pod's own cluster, else the user's kubeconfig.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ConnectSettings } from '../internal/kube/connect.ts'

export function kubeTarget(settings: {
  readonly kubeconfig: string | undefined
  readonly kubeServer: string | undefined
}): ConnectSettings {
  if (settings.kubeServer !== undefined) return { server: settings.kubeServer }
  if (settings.kubeconfig !== undefined) return { kubeconfig: settings.kubeconfig }
  const own = process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config')
  const inCluster = process.env['KUBERNETES_SERVICE_HOST'] !== undefined
  return !inCluster && existsSync(own) ? { kubeconfig: own } : { env: process.env }
}
