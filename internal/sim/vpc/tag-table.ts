// Tags of any resource.
import type { Database } from '../../sqlite/database.ts'
import { ApiError } from './api-error.ts'
import { list, record, text } from './shape.ts'

export interface Tag {
  readonly Key: string
  readonly Value: string
}

/** The Tags parameter. */
export const tagList = list(record({ Key: text({ max: 127 }), Value: text({ max: 255 }) }), 50)

/** Throws InvalidParameterValue.TagDuplicateKey and UnsupportedOperation.TagSystemReservedTagKey. */
export function insertTags(db: Database, resource: string, tags: readonly Tag[]): void {
  const keys = new Set(tags.map(({ Key }) => Key))
  if (keys.size !== tags.length)
    throw new ApiError('InvalidParameterValue.TagDuplicateKey', 'A tag key is given twice.')
  for (const { Key, Value } of tags) {
    if (/^(qcs:|project$)/.test(Key))
      throw new ApiError(
        'UnsupportedOperation.TagSystemReservedTagKey',
        `The tag key \`${Key}\` is reserved.`,
      )
    db.run('INSERT INTO tag (resource, key, value) VALUES (?, ?, ?)', resource, Key, Value)
  }
}

/** The TagSet of the API. */
export function renderTags(db: Database, resource: string): Tag[] {
  return db.all<Tag>('SELECT key AS Key, value AS Value FROM tag WHERE resource = ? ORDER BY key', resource)
}

export function deleteTags(db: Database, resource: string): void {
  db.run('DELETE FROM tag WHERE resource = ?', resource)
}
