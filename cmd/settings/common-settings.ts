// Settings that several subcommands have.
import { absolutePath, choice, text } from '../../internal/wire/setting-kind.ts'
import { optional, setting } from '../../internal/wire/settings.ts'

export const kubeconfig = optional(
  absolutePath,
  'How to reach the Kubernetes API; without it, the service account of the pod, then ~/.kube/config.',
)

export const kubeServer = optional(
  text,
  'Address of the Kubernetes API in place of a kubeconfig: "http(s)://host:port", or "unix:///path" of a socket.',
)

export const logLevel = setting(
  choice('debug', 'info', 'warn', 'error'),
  'info',
  'How much is logged to standard error.',
)
