// What makes a new object itself: a name, a uid, a time.

import { randomInt } from '../base/random.ts'
import { randomUuid } from '../base/random-uuid.ts'
import { formatTime } from '../value/millis.ts'
import type { KubeObject } from './object.ts'
import type { Context } from './request.ts'
import type { ResourceType } from './resource.ts'
import { keyOf } from './stored-object.ts'

/** Gives a new object its name, uid, creation time and generation; takes what only the server may set. */
export function setIdentity(context: Context, type: ResourceType, object: KubeObject, now: number): void {
  const { metadata } = object
  const { generateName } = metadata
  if (metadata.name === undefined && generateName !== undefined) {
    metadata.name = freeName(context, type, metadata.namespace, generateName.slice(0, 58))
  }
  metadata.uid = randomUuid(context.random)
  metadata.creationTimestamp = formatTime(now)
  if (type.countsGenerations) metadata.generation = 1
  else delete metadata.generation
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  if (metadata.managedFields?.length === 0) delete metadata.managedFields
}

const nameLetters = 'bcdfghjklmnpqrstvwxz2456789'

function freeName(
  context: Context,
  type: ResourceType,
  namespace: string | undefined,
  prefix: string,
): string {
  let name = ''
  for (let attempt = 0; attempt < 8; attempt++) {
    const letters = Array.from(
      { length: 5 },
      () => nameLetters[randomInt(context.random, 0, nameLetters.length - 1)],
    )
    name = prefix + letters.join('')
    if (context.storage.get(keyOf(type, namespace, name)) === undefined) break
  }
  return name
}
