// What a user can turn on the simulated cloud at its start; faults and limits are turned while it runs.
import { absolutePath, duration, listenAddress, text } from '../../internal/wire/setting-kind.ts'
import { optional, type Settings, type SettingsOf, setting } from '../../internal/wire/settings.ts'
import { logLevel } from './common-settings.ts'

const table = {
  listen: setting(
    listenAddress,
    '127.0.0.1:8080',
    'Where the API, the metadata service and the side entrance are served.',
  ),
  socket: optional(absolutePath, 'A unix socket where the same is served.'),
  db: setting(text, ':memory:', 'File that keeps the simulated cloud; ":memory:": it ends with the program.'),
  seedFile: optional(
    text,
    'YAML or JSON with types, vpcs, subnets and instances to begin with; what exists already is kept.',
  ),
  region: setting(text, 'ap-guangzhou', 'Region of the simulated cloud.'),
  secretId: setting(text, 'AKIDsimulated', 'Id of a key that may sign calls.'),
  secretKey: setting(text, 'simulated', 'The key itself.'),
  role: optional(text, 'Name of an instance role whose temporary keys the metadata service hands out.'),
  roleLife: setting(duration('10s', '24h'), '2h', 'How long such keys live.'),
  latencyMin: setting(duration('0', '1h'), '200ms', 'Shortest time an asynchronous task takes.'),
  latencyMax: setting(duration('0', '1h'), '1500ms', 'Longest time an asynchronous task takes.'),
  logLevel,
}

export const vpcSimSettings: SettingsOf<typeof table> = {
  mode: 'vpc-sim',
  table,
  *check(values) {
    if (values.latencyMin > values.latencyMax) {
      yield { setting: 'latencyMin' as const, found: `above latency-max "${values.latencyMax}ms"` }
    }
  },
}

export type VpcSimSettings = Settings<typeof table>
