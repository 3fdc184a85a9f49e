// Tasks of EIPs: accepted now, applied when their time has come. Their numbers are text in the answer that starts one, and numbers
// when asked about.
import type { Database } from '../../sqlite/database.ts'
import type { Millis } from '../../value/millis.ts'
import { type EipRow, endBinding } from './eip-table.ts'
import { forAction } from './settings.ts'
import { deleteTags } from './tag-table.ts'
import { type Call, transitionEnd } from './world.ts'

export type EipTaskKind = 'allocate' | 'associate' | 'disassociate' | 'release'

export interface EipTask {
  readonly id: number
  readonly kind: EipTaskKind
  readonly will_fail: number
  readonly state: 'RUNNING' | 'SUCCESS' | 'FAILED'
  readonly due_at: Millis
}

/** Starts the transition of an accepted call, of which the rows have to be told. */
export function startEipTask(call: Call, kind: EipTaskKind): number {
  const chance = forAction(call.settings.faults().failTasks, call.action) ?? 0
  const willFail = chance > 0 && call.random.next() < chance
  const row = call.db.get<{ id: number }>(
    `INSERT INTO eip_task (kind, will_fail, state, due_at) VALUES (?, ?, 'RUNNING', ?) RETURNING id`,
    kind,
    willFail ? 1 : 0,
    transitionEnd(call),
  )
  if (row === undefined) throw new Error('a task has no number')
  return row.id
}

export function findEipTask(db: Database, id: number): EipTask | undefined {
  return db.get<EipTask>('SELECT * FROM eip_task WHERE id = ?', id)
}

export function dueEipTasks(db: Database, at: Millis): EipTask[] {
  return db.all<EipTask>(
    `SELECT * FROM eip_task WHERE state = 'RUNNING' AND due_at <= ? ORDER BY due_at, id`,
    at,
  )
}

/** Returns the ENIs whose EIPs it changed. */
export function endEipTask(db: Database, task: EipTask): string[] {
  const enis = db.all<{ eni_id: string }>(
    'SELECT eni_id FROM eip WHERE task_id = ? AND eni_id IS NOT NULL',
    task.id,
  )
  const done = task.will_fail === 0 ? endings[task.kind].succeed(db, task) : false
  if (!done) endings[task.kind].fail(db, task)
  db.run('UPDATE eip_task SET state = ? WHERE id = ?', done ? 'SUCCESS' : 'FAILED', task.id)
  return enis.map(({ eni_id }) => eni_id)
}

interface Ending {
  /** False when the world has changed so that it cannot be. */
  succeed(db: Database, task: EipTask): boolean
  /** Puts things back as they were before the task. */
  fail(db: Database, task: EipTask): void
}

const endings: Readonly<Record<EipTaskKind, Ending>> = {
  allocate: {
    succeed: (db, task) => setFree(db, task),
    fail: removeEips,
  },
  associate: {
    succeed: (db, task) => endBinding(db, task.id, 'bound'),
    fail: (db, task) => void endBinding(db, task.id, 'unbound'),
  },
  disassociate: {
    succeed(db, task) {
      endBinding(db, task.id, 'unbound')
      return true // it may have lost its private address meanwhile
    },
    fail: (db, task) => void endBinding(db, task.id, 'bound'),
  },
  release: {
    succeed(db, task) {
      removeEips(db, task)
      return true
    },
    fail: (db, task) => void setFree(db, task),
  },
}

function setFree(db: Database, task: EipTask): boolean {
  return db.run(`UPDATE eip SET state = 'UNBIND', task_id = NULL WHERE task_id = ?`, task.id) > 0
}

function removeEips(db: Database, task: EipTask): void {
  for (const { id } of db.all<EipRow>('SELECT * FROM eip WHERE task_id = ?', task.id)) removeEip(db, id)
}

/** An EIP with its tags. */
export function removeEip(db: Database, id: string): void {
  db.run('DELETE FROM eip WHERE id = ?', id)
  deleteTags(db, id)
}
