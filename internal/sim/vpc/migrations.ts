// The schema of the simulated cloud, in order.
import { readAsset } from '../../base/asset.ts'
import type { Migration } from '../../sqlite/migrate.ts'

export const migrations: readonly Migration[] = [
  { name: '0001_init', sql: readAsset('../../../migrations/vpc-sim/0001_init.sql', import.meta.url) },
  {
    name: '0002_reservations',
    sql: readAsset('../../../migrations/vpc-sim/0002_reservations.sql', import.meta.url),
  },
  { name: '0003_eips', sql: readAsset('../../../migrations/vpc-sim/0003_eips.sql', import.meta.url) },
]
