// The ordered manifest of the ledgers' migrations. Forward only: a released one never changes.
import { readAsset } from '../internal/base/asset.ts'

export const leaderMigrations = [
  { name: '0001_init', sql: readAsset('./leader/0001_init.sql', import.meta.url) },
  { name: '0002_quarantine', sql: readAsset('./leader/0002_quarantine.sql', import.meta.url) },
  { name: '0003_pools', sql: readAsset('./leader/0003_pools.sql', import.meta.url) },
  { name: '0004_claims', sql: readAsset('./leader/0004_claims.sql', import.meta.url) },
  { name: '0005_moves', sql: readAsset('./leader/0005_moves.sql', import.meta.url) },
  { name: '0006_eips', sql: readAsset('./leader/0006_eips.sql', import.meta.url) },
]

export const nodeMigrations = [
  { name: '0001_init', sql: readAsset('./node/0001_init.sql', import.meta.url) },
  { name: '0002_quarantine', sql: readAsset('./node/0002_quarantine.sql', import.meta.url) },
  { name: '0003_pools', sql: readAsset('./node/0003_pools.sql', import.meta.url) },
  { name: '0004_claims', sql: readAsset('./node/0004_claims.sql', import.meta.url) },
  { name: '0005_cooling', sql: readAsset('./node/0005_cooling.sql', import.meta.url) },
  { name: '0006_eips', sql: readAsset('./node/0006_eips.sql', import.meta.url) },
]
