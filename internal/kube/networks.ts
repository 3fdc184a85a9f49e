// Which pod networks a pod names itself, in annotation tke.cloud.tencent.com/networks: a comma list or a JSON list.
import { textAt } from './json.ts'

/** The CNI types named, without namespace ("kube-system/") and interface ("@eth1"); empty when none is readable. */
export function parseNetworks(annotation: string | undefined): readonly string[] {
  const text = annotation?.trim() ?? ''
  const names = /^[[{]/.test(text) ? parseJsonList(text) : text.split(',')
  return names.map(bareName).filter((name) => name !== '')
}

function parseJsonList(text: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(text)
    const items: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed]
    return items.map((item) => (typeof item === 'string' ? item : (textAt(item, 'name') ?? '')))
  } catch {
    return []
  }
}

function bareName(name: string): string {
  const [path = ''] = name.trim().split('@')
  return path.slice(path.lastIndexOf('/') + 1).trim()
}
