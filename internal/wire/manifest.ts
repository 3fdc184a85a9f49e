// Kubernetes manifests: YAML documents as objects.
import { parseAllDocuments } from 'yaml'
import { isRecord, type JsonObject } from './json.ts'

/** The objects in `text`, in order; undefined when a document is not YAML with keys. Empty documents are left out. */
export function parseManifest(text: string): readonly JsonObject[] | undefined {
  const objects: JsonObject[] = []
  for (const document of parseAllDocuments(text, { uniqueKeys: false, logLevel: 'error' })) {
    if (document.errors.length > 0) return undefined
    const object = readDocument(document)
    if (object === null) continue
    if (!isRecord(object)) return undefined
    objects.push(object)
  }
  return objects
}

/** undefined also for aliases that lead nowhere, or to too much. */
function readDocument(document: { toJS(): unknown }): unknown {
  try {
    return document.toJS()
  } catch {
    return undefined
  }
}
