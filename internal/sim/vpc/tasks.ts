// Asynchronous transitions: accepted now, applied when their time has come.
import type { Database } from '../../sqlite/database.ts'
import type { Ipv4 } from '../../value/ipv4.ts'
import type { Millis } from '../../value/millis.ts'
import { ApiError } from './api-error.ts'
import { type EipsOfEni, followEni, stopLeaving, unbindEips } from './eip-table.ts'
import { dueEipTasks, endEipTask } from './eip-tasks.ts'
import { setEniState, unplace } from './eni-table.ts'
import { findInstance } from './instance-table.ts'
import { forAction } from './settings.ts'
import { deleteTags } from './tag-table.ts'
import { type Call, transitionEnd } from './world.ts'

export type TaskKind =
  | 'create'
  | 'create-attach'
  | 'attach'
  | 'detach'
  | 'delete'
  | 'assign'
  | 'unassign'
  | 'migrate'

export interface Task {
  readonly id: string
  readonly kind: TaskKind
  readonly eni_id: string
  readonly target_id: string | null
  readonly addresses: string
  readonly will_fail: number
  readonly state: 'RUNNING' | 'SUCCESS' | 'FAILED'
  readonly due_at: Millis
}

export interface NewTask {
  readonly kind: TaskKind
  readonly eniId: string
  readonly targetId?: string
  readonly addresses?: readonly string[]
}

/** Starts the transition of an accepted call. */
export function startTask(call: Call, { kind, eniId, targetId, addresses = [] }: NewTask): void {
  const chance = forAction(call.settings.faults().failTasks, call.action) ?? 0
  const willFail = chance > 0 && call.random.next() < chance
  call.db.run(
    `INSERT INTO task (id, kind, eni_id, target_id, addresses, will_fail, state, due_at)
     VALUES (?, ?, ?, ?, ?, ?, 'RUNNING', ?)`,
    call.requestId,
    kind,
    eniId,
    targetId ?? null,
    JSON.stringify(addresses),
    willFail ? 1 : 0,
    transitionEnd(call),
  )
  for (const eni of [eniId, targetId]) if (eni !== undefined) call.touched.add(eni)
}

/** The running task of an ENI, which keeps others away. */
export function runningTask(db: Database, eniId: string): Task | undefined {
  return db.get<Task>(
    `SELECT * FROM task WHERE state = 'RUNNING' AND (eni_id = ? OR target_id = ?)`,
    eniId,
    eniId,
  )
}

/** Throws MutexOperationTaskRunning while an address task runs on the ENI. */
export function refuseWhileBusy(db: Database, eniId: string): void {
  const task = runningTask(db, eniId)
  if (task !== undefined)
    throw new ApiError(
      'UnsupportedOperation.MutexOperationTaskRunning',
      `The network interface \`${eniId}\` has a running task \`${task.id}\`.`,
    )
}

export function nextDue(db: Database): Millis | undefined {
  // Two looks, each at the first entry of an index: this is asked before every call.
  const next = db.get<{ eni: Millis | null; eip: Millis | null }>(
    `SELECT (SELECT min(due_at) FROM task WHERE state = 'RUNNING') AS eni,
       (SELECT min(due_at) FROM eip_task WHERE state = 'RUNNING') AS eip`,
  )
  if (next === undefined || next.eni === null || next.eip === null) return next?.eni ?? next?.eip ?? undefined
  return Math.min(next.eni, next.eip)
}

/** Applies what is due, in order; returns the ENIs it changed. `stamp` is told the moment of each change. */
export function applyDue(db: Database, at: Millis, stamp: (moment: Millis) => void): Set<string> {
  const tasks = db.all<Task>(
    `SELECT * FROM task WHERE state = 'RUNNING' AND due_at <= ? ORDER BY due_at, seq`,
    at,
  )
  const due = [
    ...tasks.map((task) => ({ at: task.due_at, end: () => endTask(db, task) })),
    ...dueEipTasks(db, at).map((task) => ({ at: task.due_at, end: () => endEipTask(db, task) })),
  ]
  const changed = new Set<string>()
  for (const task of due.sort((a, b) => a.at - b.at)) {
    stamp(task.at)
    for (const eni of task.end()) changed.add(eni)
  }
  return changed
}

function endTask(db: Database, task: Task): string[] {
  const done = task.will_fail === 0 && endings[task.kind].succeed(db, task)
  if (!done) endings[task.kind].fail(db, task)
  db.run('UPDATE task SET state = ? WHERE id = ?', done ? 'SUCCESS' : 'FAILED', task.id)
  return [task.eni_id, task.target_id].filter((eni) => eni !== null)
}

/** Ended tasks and client tokens that are older than these. */
export function forgetOld(db: Database, tasksBefore: Millis, tokensBefore: Millis): void {
  for (const table of ['task', 'eip_task'])
    db.run(`DELETE FROM ${table} WHERE state <> 'RUNNING' AND due_at < ?`, tasksBefore)
  db.run('DELETE FROM client_token WHERE used_at < ?', tokensBefore)
}

interface Ending {
  /** False when the world has changed so that it cannot be. */
  succeed(db: Database, task: Task): boolean
  /** Puts things back as they were before the task. */
  fail(db: Database, task: Task): void
}

const endings: Readonly<Record<TaskKind, Ending>> = {
  create: {
    succeed(db, task) {
      setEniState(db, task.eni_id, 'AVAILABLE')
      db.run(`UPDATE ip SET state = 'AVAILABLE' WHERE eni_id = ?`, task.eni_id)
      return true
    },
    fail: (db, task) => removeEni(db, task.eni_id),
  },
  'create-attach': {
    succeed(db, task) {
      db.run(`UPDATE ip SET state = 'AVAILABLE' WHERE eni_id = ?`, task.eni_id)
      if (!finishAttachment(db, task)) unplace(db, task.eni_id) // made, but its instance is gone
      return true
    },
    fail: (db, task) => removeEni(db, task.eni_id),
  },
  attach: {
    succeed: finishAttachment,
    fail: (db, task) => unplace(db, task.eni_id),
  },
  detach: {
    succeed(db, task) {
      unplace(db, task.eni_id)
      return true
    },
    fail: (db, task) => setEniState(db, task.eni_id, 'AVAILABLE'),
  },
  delete: {
    succeed(db, task) {
      removeEni(db, task.eni_id)
      return true
    },
    fail(db, task) {
      setEniState(db, task.eni_id, 'AVAILABLE')
      stopLeaving(db, { eniId: task.eni_id })
    },
  },
  assign: {
    succeed: (db, task) => setIpState(db, task, 'AVAILABLE'),
    fail: (db, task) => removeIps(db, task),
  },
  unassign: {
    succeed(db, task) {
      removeIps(db, task)
      return true
    },
    fail: keepIps,
  },
  migrate: {
    succeed(db, task) {
      if (db.get('SELECT 1 FROM eni WHERE id = ?', task.target_id) === undefined) return false
      unbindEips(db, ipsOf(task))
      const moved = db.run(
        `UPDATE ip SET state = 'AVAILABLE', eni_id = ? WHERE eni_id = ? AND state = 'MIGRATING'`,
        task.target_id,
        task.eni_id,
      )
      return moved === 1
    },
    fail: keepIps,
  },
}

function finishAttachment(db: Database, task: Task): boolean {
  const eni = db.get<{ instance_id: string | null }>('SELECT instance_id FROM eni WHERE id = ?', task.eni_id)
  const instanceId = eni?.instance_id ?? null
  if (instanceId === null || findInstance(db, instanceId) === undefined) return false
  db.run(`UPDATE eni SET state = 'AVAILABLE', attached_at = ? WHERE id = ?`, task.due_at, task.eni_id)
  followEni(db, task.eni_id)
  return true
}

function setIpState(db: Database, task: Task, state: 'AVAILABLE'): boolean {
  db.run(
    'UPDATE ip SET state = ? WHERE eni_id = ? AND address IN (SELECT value FROM json_each(?))',
    state,
    task.eni_id,
    task.addresses,
  )
  return true
}

function keepIps(db: Database, task: Task): void {
  setIpState(db, task, 'AVAILABLE')
  stopLeaving(db, ipsOf(task))
}

function ipsOf(task: Task): EipsOfEni {
  return { eniId: task.eni_id, addresses: JSON.parse(task.addresses) as Ipv4[] }
}

function removeIps(db: Database, task: Task): void {
  unbindEips(db, ipsOf(task))
  db.run(
    'DELETE FROM ip WHERE eni_id = ? AND is_primary = 0 AND address IN (SELECT value FROM json_each(?))',
    task.eni_id,
    task.addresses,
  )
}

/** An ENI with its addresses and tags. */
export function removeEni(db: Database, eniId: string): void {
  unbindEips(db, { eniId })
  db.run('DELETE FROM ip WHERE eni_id = ?', eniId)
  db.run('DELETE FROM eni WHERE id = ?', eniId)
  deleteTags(db, eniId)
}
