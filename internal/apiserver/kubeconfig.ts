// A kubeconfig for one server without TLS.

/** The text of a kubeconfig whose only context is the server at `url`. */
export function kubeconfigFor(url: string, token?: string, name = 'tke-eni'): string {
  const user = token === undefined ? '{}' : `{ token: ${JSON.stringify(token)} }`
  return `apiVersion: v1
kind: Config
clusters:
  - name: ${name}
    cluster: { server: ${JSON.stringify(url)} }
users:
  - name: ${name}
    user: ${user}
contexts:
  - name: ${name}
    context: { cluster: ${name}, user: ${name}, namespace: default }
current-context: ${name}
`
}
