// What `tke-eni get` was asked, after the command line was understood.

export type Output = 'table' | 'wide' | 'json' | 'yaml'

export interface GetRequest {
  readonly names: readonly string[]
  readonly output: Output
  readonly watch: boolean
  readonly stateDir: string
  readonly db: string | undefined
  readonly node: string | undefined
  readonly namespace: string | undefined
  readonly expiring: true | undefined
  readonly kubeconfig: string | undefined
  readonly kubeServer: string | undefined
}
