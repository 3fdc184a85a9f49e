import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCourse } from './course.ts'
import type { Stimulus } from './matrix.ts'

const [come, go, other] = ['pods come', 'pods go', 'another'].map(
  (name): Stimulus => ({ name, run: () => Promise.resolve() }),
) as [Stimulus, Stimulus, Stimulus]

function learned() {
  const course = createCourse()
  course.learn(come, ['leader.a', 'leader.b', 'node.c'], 1000)
  course.learn(come, ['leader.a', 'leader.b', 'leader.b'], 1000)
  course.learn(go, ['leader.a'], 1000)
  return course
}

test('targets() dies first at what few others lead to, each role for itself', () => {
  const course = learned()
  assert.deepEqual(course.targets(come, ['leader.a', 'leader.b', 'leader.d']), ['leader.b'])
  assert.deepEqual(course.targets(go, ['leader.a', 'leader.b', 'node.c']), ['leader.a', 'leader.b', 'node.c'])
  assert.deepEqual(course.targets(go, ['leader.b']), [])
  assert.deepEqual(course.targets(other, ['leader.b']), ['leader.b'])
})

test('worth() counts what is likely on the way for its time, and has everything tried once', () => {
  const course = learned()
  const worth = (points: readonly string[]) =>
    [come, go].map((step) => course.worth({ steps: [step] }, points))
  assert.deepEqual(worth(['leader.b']), [1 / 1000, 0])
  assert.deepEqual(worth(['leader.a']), [0.5 / 1000, 0.5 / 1000])
  assert.deepEqual(worth(['node.c']), [0.5 / 1000, 0])
  assert.equal(course.worth({ steps: [come, go] }, ['leader.b']), 1 / 2000)
  assert.equal(course.worth({ steps: [come, other] }, []), Number.POSITIVE_INFINITY)
})

test('isUsual() is what comes more often than not', () => {
  const course = learned()
  assert.deepEqual(['leader.b', 'node.c', 'leader.d'].map(course.isUsual), [true, false, false])
})
