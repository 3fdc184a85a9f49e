// Tests that build on each other: the steps of one story. After the first that fails the rest is not told.
import { type TestContext, test } from 'node:test'

export type Step = (name: string, run: (t: TestContext) => Promise<void>) => void

/** Registers steps; `skip` says why none can run, `explain` what is so when one has failed. */
export function story(skip: string | false, explain: () => string): Step {
  let failed: string | undefined
  return (name, run) =>
    void test(name, { skip }, async (t) => {
      if (failed !== undefined) return t.skip(`"${failed}" failed before`)
      try {
        await run(t)
      } catch (error) {
        failed = name
        t.diagnostic(explain())
        throw error
      }
    })
}
