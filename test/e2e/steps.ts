// Tests that build on each other: the steps of one story. After the first that fails the rest is not told.
import { type TestContext, test } from 'node:test'

/** Registers a step; `skip` says why none can run. */
export type Step = (name: string, run: (t: TestContext) => Promise<void>) => void

export function story(skip: string | false): Step {
  let failed: string | undefined
  return (name, run) =>
    void test(name, { skip }, async (t) => {
      if (failed !== undefined) return t.skip(`"${failed}" failed before`)
      try {
        await run(t)
      } catch (error) {
        failed = name
        throw error
      }
    })
}
