// Keys that may sign calls: permanent ones, and temporary ones of an instance role.
import type { Random } from '../../base/random.ts'
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { hexDigits } from './ids.ts'

export interface Credential {
  readonly secretId: string
  readonly secretKey: string
  readonly token: string | null
  readonly role: string | null
  readonly expiresAt: Millis | null
}

export interface Credentials {
  add(secretId: string, secretKey: string): void
  /** Undefined when unknown; expired ones are found. */
  find(secretId: string): Credential | undefined
  /** New temporary keys of `role`; those older than their end are forgotten. */
  issue(role: string, at: Millis, lifeMs: Millis): Credential
  /** The newest keys of `role` that end after `at`. */
  newest(role: string, at: Millis): Credential | undefined
}

const columns = 'secret_id AS secretId, secret_key AS secretKey, token, role, expires_at AS expiresAt'

export function openCredentials(db: Database, random: Random): Credentials {
  const find = (secretId: string) =>
    db.get<Credential>(`SELECT ${columns} FROM credential WHERE secret_id = ?`, secretId)
  return {
    find,
    add(secretId, secretKey) {
      db.run('INSERT OR REPLACE INTO credential (secret_id, secret_key) VALUES (?, ?)', secretId, secretKey)
    },
    issue(role, at, lifeMs) {
      db.run('DELETE FROM credential WHERE expires_at < ?', at - 3_600_000) // kept a while: an expired key is known
      const made: Credential = {
        secretId: `AKID${hexDigits(random, 32)}`,
        secretKey: hexDigits(random, 32),
        token: hexDigits(random, 64),
        role,
        expiresAt: at + lifeMs,
      }
      db.run(
        'INSERT INTO credential (secret_id, secret_key, token, role, expires_at) VALUES (?, ?, ?, ?, ?)',
        made.secretId,
        made.secretKey,
        made.token,
        made.role,
        made.expiresAt,
      )
      return made
    },
    newest: (role, at) =>
      db.get<Credential>(
        `SELECT ${columns} FROM credential WHERE role = ? AND expires_at > ? ORDER BY expires_at DESC LIMIT 1`,
        role,
        at,
      ),
  }
}
