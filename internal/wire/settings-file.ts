// A settings file: YAML, one mapping of setting names to values. Apart, so that only who has such a file loads the parser.
import { parse } from 'yaml'
import { IpamError } from '../ipam/errors.ts'
import type { JsonObject } from './json.ts'
import { settingsMapping } from './settings.ts'

/** The settings in `text`, by name. Throws `bad_input` when it is not YAML, has a key twice, or is not a mapping. */
export function parseSettingsFile(text: string, path: string): JsonObject {
  let value: unknown
  try {
    value = parse(text, { uniqueKeys: true })
  } catch (error) {
    const [line = ''] = (error as Error).message.split('\n')
    throw new IpamError(
      'bad_input',
      `Cannot read settings file "${path}": it is not YAML: ${line.replace(/:$/, '')}`,
      {
        cause: error,
      },
    )
  }
  return settingsMapping(value, path)
}
