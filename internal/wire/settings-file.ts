// A settings file: YAML, one mapping of setting names to values. Apart, so that only who has such a file loads the parser.
import { IpamError } from '../ipam/errors.ts'
import { isRecord, type JsonObject } from './json.ts'
import { parseYaml } from './yaml.ts'

/** The settings in `text`, by name. Throws `bad_input` when it is not YAML, has a key twice, or is not a mapping. */
export function parseSettingsFile(text: string, path: string): JsonObject {
  const value = parseYaml(text, 'settings file', path) ?? {}
  if (isRecord(value)) return value
  throw new IpamError(
    'bad_input',
    `Cannot read settings file "${path}": it is not a mapping of names to values`,
  )
}
