// YAML (and so JSON) that people write, parsed with an error that names the file and the line; and YAML that we write.
import { isScalar, LineCounter, parseDocument, stringify, visit } from 'yaml'
import { IpamError } from '../ipam/errors.ts'

/** The value of `text`; `what` and `path` name it in messages. Throws `bad_input` when it is not YAML or has a key twice. */
export function parseYaml(text: string, what: string, path: string): unknown {
  try {
    return parseUnique(text)
  } catch (cause) {
    const [line = ''] = (cause as Error).message.split('\n')
    throw new IpamError(
      'bad_input',
      `Cannot read ${what} "${path}": it is not YAML: ${line.replace(/:$/, '')}`,
      {
        cause,
      },
    )
  }
}

/** The parser's own look for twins compares each key with each: a map of 20,000 took it half a minute. */
function parseUnique(text: string): unknown {
  const lines = new LineCounter()
  const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines, logLevel: 'error' })
  const [error] = document.errors
  if (error !== undefined) throw error
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) {
          const { line, col } = lines.linePos(key.range?.[0] ?? 0)
          throw new Error(`Map keys must be unique at line ${line}, column ${col}`)
        }
        seen.add(key.value)
      }
    },
  })
  return document.toJS() as unknown
}

/** `value` as one YAML document, without line breaks inside texts. */
export function formatYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0 })
}
