// Storage in one SQLite file (or in memory): objects, one sequence of revisions, and a bounded log of changes
// from which watches resume and lists continue in the state they began with.
import { readAsset } from '../base/asset.ts'
import type { Clock } from '../base/clock.ts'
import { type Database, openDatabase } from '../sqlite/database.ts'
import type { KubeObject } from './object.ts'
import { alreadyExists, conflict, expired, modified } from './status-error.ts'
import type { Change, Collection, Key, Page, PageRequest, Storage, Subscription } from './storage.ts'

export interface SqliteStorageOptions {
  /** A file, or ":memory:". */
  readonly path: string
  readonly clock: Clock
  /** How many changes the log keeps at least; older resourceVersions are answered with 410. */
  readonly keepChanges?: number
}

/** Opens, creating it when missing. Throws IpamError `storage` when the file cannot be used. */
export function openSqliteStorage({ path, clock, keepChanges = 10_000 }: SqliteStorageOptions): Storage {
  const sql = readAsset('../../migrations/apiserver/0001_init.sql', import.meta.url)
  const database = openDatabase({ path, kind: 'apiserver', migrations: [{ name: '0001_init', sql }] })
  // A dev cluster outlives a killed process, not a power cut: no fsync per request.
  database.script('PRAGMA synchronous = NORMAL')
  return new SqliteStorage(database, clock, keepChanges)
}

interface ObjectRow {
  readonly namespace: string
  readonly name: string
  readonly revision: number
  readonly body: string
}

interface ChangeRow extends ObjectRow {
  readonly type: Change['type']
  readonly api_group: string
  readonly resource: string
  readonly previous: string | null
  readonly previous_revision: number | null
}

interface Watcher {
  readonly collection: Collection
  readonly onChange: (change: Change) => void
  queue: Change[]
  stopped: boolean
}

class SqliteStorage implements Storage {
  private readonly database: Database
  private readonly clock: Clock
  private readonly keepChanges: number
  private readonly watchers = new Set<Watcher>()
  private draining = false
  private newest: number
  private compacted: number

  constructor(database: Database, clock: Clock, keepChanges: number) {
    this.database = database
    this.clock = clock
    this.keepChanges = keepChanges
    const row = database.get<{ revision: number; compacted: number }>(
      `SELECT revision, compacted FROM sequence`,
    )
    this.newest = row?.revision ?? 1
    this.compacted = row?.compacted ?? 0
  }

  revision(): number {
    return this.newest
  }

  get(key: Key): KubeObject | undefined {
    const row = this.database.get<ObjectRow>(
      `SELECT namespace, name, revision, body FROM object
       WHERE api_group = ? AND resource = ? AND namespace = ? AND name = ?`,
      ...keyValues(key),
    )
    return row === undefined ? undefined : parse(row.body, row.revision)
  }

  list(collection: Collection, { at = this.newest, after, limit }: PageRequest = {}): Page {
    const { sql, values } = this.query(collection, at, after)
    const most = limit === undefined ? -1 : limit + 1
    const rows = this.database.all<ObjectRow>(`${sql} ORDER BY namespace, name LIMIT ?`, ...values, most)
    const kept = limit === undefined ? rows : rows.slice(0, limit)
    const items = kept.map((row) => parse(row.body, row.revision))
    return { revision: at, items, more: rows.length > kept.length }
  }

  count(collection: Collection, { at = this.newest, after }: Omit<PageRequest, 'limit'> = {}): number {
    const { sql, values } = this.query(collection, at, after)
    return this.database.get<{ n: number }>(`SELECT count(*) AS n FROM (${sql})`, ...values)?.n ?? 0
  }

  create(key: Key, object: KubeObject): KubeObject {
    if (this.get(key) !== undefined) throw alreadyExists(key, key.name)
    return this.commit('ADDED', key, object, undefined)
  }

  replace(key: Key, object: KubeObject, expected: number): KubeObject {
    return this.commit('MODIFIED', key, object, this.expect(key, expected))
  }

  remove(key: Key, last: KubeObject, expected: number): KubeObject {
    return this.commit('DELETED', key, last, this.expect(key, expected))
  }

  watch(collection: Collection, since: number, onChange: (change: Change) => void): Subscription {
    // A revision from the future is one of a database that is gone: its holder must list again.
    if (since < this.compacted || since > this.newest) {
      throw expired(`too old resource version: ${since} (${this.compacted})`)
    }
    const watcher: Watcher = {
      collection,
      onChange,
      queue: this.changesSince(collection, since),
      stopped: false,
    }
    this.watchers.add(watcher)
    if (watcher.queue.length > 0) this.drainLater()
    return {
      stop: () => {
        watcher.stopped = true
        this.watchers.delete(watcher)
      },
      position: () => (watcher.queue[0] === undefined ? this.newest : watcher.queue[0].revision - 1),
    }
  }

  close(): void {
    for (const watcher of this.watchers) watcher.stopped = true
    this.watchers.clear()
    this.database.close()
  }

  private query({ group, resource, namespace }: Collection, at: number, after: PageRequest['after']) {
    if (at < this.compacted)
      throw expired(`The resourceVersion ${at} is too old: the oldest kept is ${this.compacted}`)
    const range = [
      group,
      resource,
      namespace ?? null,
      namespace ?? null,
      after?.namespace ?? '',
      after?.name ?? '',
    ]
    if (at >= this.newest) return { sql: newestRows, values: range }
    return { sql: pastRows, values: [...range, at, ...range, at, at] }
  }

  private expect(key: Key, expected: number): KubeObject {
    const current = this.get(key)
    if (current === undefined || Number(current.metadata.resourceVersion) !== expected) {
      throw conflict(key, key.name, modified)
    }
    return current
  }

  private commit(
    type: Change['type'],
    key: Key,
    object: KubeObject,
    previous: KubeObject | undefined,
  ): KubeObject {
    const revision = this.newest + 1
    const body = serialize(object)
    let compacted = this.compacted
    this.database.transaction(() => {
      if (type === 'DELETED') this.database.run(deleteObject, ...keyValues(key))
      else this.database.run(upsertObject, ...keyValues(key), revision, body)
      const past = previous === undefined ? null : serialize(previous)
      const pastRevision = previous === undefined ? null : Number(previous.metadata.resourceVersion)
      this.database.run(insertChange, revision, type, ...keyValues(key), body, past, pastRevision)
      compacted = this.compact(revision)
      this.database.run(`UPDATE sequence SET revision = ?, compacted = ? WHERE id = 1`, revision, compacted)
    })
    this.newest = revision
    this.compacted = compacted
    const written = parse(body, revision)
    this.publish({ type, revision, key, object: written, previous })
    return written
  }

  /** In strides, so that a write rarely pays for it. */
  private compact(revision: number): number {
    const stride = Math.max(1, Math.floor(this.keepChanges / 10))
    if (revision - this.compacted < this.keepChanges + stride) return this.compacted
    const upTo = revision - this.keepChanges
    this.database.run(`DELETE FROM change WHERE revision <= ?`, upTo)
    return upTo
  }

  private changesSince({ group, resource, namespace }: Collection, since: number): Change[] {
    if (since === this.newest) return []
    const rows = this.database.all<ChangeRow>(
      `SELECT * FROM change WHERE revision > ? AND api_group = ? AND resource = ?
       AND (? IS NULL OR namespace = ?) ORDER BY revision`,
      since,
      group,
      resource,
      namespace ?? null,
      namespace ?? null,
    )
    return rows.map(changeOf)
  }

  private publish(change: Change): void {
    for (const watcher of this.watchers) {
      if (!concerns(watcher.collection, change.key)) continue
      watcher.queue.push(change)
      this.drainLater()
    }
  }

  /** Delivery is in a later turn, so that a watcher may write without meeting itself. */
  private drainLater(): void {
    if (this.draining) return
    this.draining = true
    this.clock.after(0, () => {
      this.draining = false
      for (const watcher of [...this.watchers]) deliver(watcher)
    })
  }
}

function deliver(watcher: Watcher): void {
  for (let left = watcher.queue.length; left > 0 && !watcher.stopped; left--) {
    const change = watcher.queue.shift()
    if (change !== undefined) watcher.onChange(change)
  }
}

const newestRows = `SELECT namespace, name, revision, body FROM object
  WHERE api_group = ? AND resource = ? AND (? IS NULL OR namespace = ?) AND (namespace, name) > (?, ?)`

// What has not changed since then, and of what has, the state before its first change.
const pastRows = `${newestRows} AND revision <= ?
  UNION ALL
  SELECT namespace, name, previous_revision AS revision, previous AS body FROM change AS later
  WHERE api_group = ? AND resource = ? AND (? IS NULL OR namespace = ?) AND (namespace, name) > (?, ?)
    AND revision > ? AND previous IS NOT NULL
    AND NOT EXISTS (
      SELECT 1 FROM change AS earlier
      WHERE earlier.api_group = later.api_group AND earlier.resource = later.resource
        AND earlier.namespace = later.namespace AND earlier.name = later.name
        AND earlier.revision > ? AND earlier.revision < later.revision)`

const deleteObject = `DELETE FROM object WHERE api_group = ? AND resource = ? AND namespace = ? AND name = ?`
const upsertObject = `INSERT INTO object (api_group, resource, namespace, name, revision, body) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET revision = excluded.revision, body = excluded.body`
const insertChange = `INSERT INTO change
  (revision, type, api_group, resource, namespace, name, body, previous, previous_revision)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

function keyValues({ group, resource, namespace, name }: Key): [string, string, string, string] {
  return [group, resource, namespace, name]
}

function concerns(collection: Collection, key: Key): boolean {
  return (
    collection.group === key.group &&
    collection.resource === key.resource &&
    (collection.namespace === undefined || collection.namespace === key.namespace)
  )
}

function serialize(object: KubeObject): string {
  const { resourceVersion: _, ...metadata } = object.metadata
  return JSON.stringify({ ...object, metadata })
}

function parse(body: string, revision: number): KubeObject {
  const object = JSON.parse(body) as KubeObject
  object.metadata.resourceVersion = String(revision)
  return object
}

function changeOf(row: ChangeRow): Change {
  return {
    type: row.type,
    revision: row.revision,
    key: { group: row.api_group, resource: row.resource, namespace: row.namespace, name: row.name },
    object: parse(row.body, row.revision),
    previous:
      row.previous === null || row.previous_revision === null
        ? undefined
        : parse(row.previous, row.previous_revision),
  }
}
