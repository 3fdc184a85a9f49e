// YAML (and so JSON) that people write, parsed with an error that names the file and the line; and YAML that we write.
import { parse, stringify } from 'yaml'
import { IpamError } from '../ipam/errors.ts'

/** The value of `text`; `what` and `path` name it in messages. Throws `bad_input` when it is not YAML or has a key twice. */
export function parseYaml(text: string, what: string, path: string): unknown {
  try {
    return parse(text, { uniqueKeys: true }) as unknown
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

/** `value` as one YAML document, without line breaks inside texts. */
export function formatYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0 })
}
