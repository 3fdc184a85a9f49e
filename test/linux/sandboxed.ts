// Runs a test file inside namespaces of its own: outside it starts itself again in a sandbox, inside it declares its tests.
import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../internal/linux/command.ts'
import { sandboxFault, startSandbox } from '../../internal/linux/sandbox.ts'

const marker = 'TKE_ENI_TEST_SANDBOX'

/** `declare` holds the tests of the file `url`; they are skipped, with the reason, where namespaces are not allowed. */
export function sandboxed(url: string, declare: () => void): void {
  const file = fileURLToPath(url)
  if (process.env[marker] === file) return declare()
  test(`${basename(file)} in a sandbox`, async (context) => {
    const fault = await sandboxFault(runCommand)
    if (fault !== undefined) return context.skip(fault)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const sandbox = startSandbox({
      command: process.execPath,
      args: ['--test-reporter=spec', file],
      env: { ...env, [marker]: file },
      stdio: 'pipe',
    })
    context.after(() => sandbox.kill())
    const output: Buffer[] = []
    sandbox.streams.stdout?.on('data', (chunk: Buffer) => output.push(chunk))
    sandbox.streams.stderr?.on('data', (chunk: Buffer) => output.push(chunk))
    const status = await sandbox.exited
    const text = Buffer.concat(output).toString()
    for (const line of text.split('\n').filter((row) => /^\s*[✔✖]/.test(row))) context.diagnostic(line)
    assert.equal(status, 0, text)
  })
}
