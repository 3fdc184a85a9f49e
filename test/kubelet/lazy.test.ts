// gRPC is some megabytes: it is loaded when there is a kubelet, and by nobody else.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

for (const { does, load } of [
  { does: 'the plugin', load: `import('./cmd/cni.ts')` },
  { does: 'version', load: `import('./cmd/cli.ts').then(({ run }) => run(['version']))` },
  { does: 'the wiring of the node agent', load: `import('./cmd/node-wiring.ts')` },
])
  test(`[Q5] ${does} does not load gRPC`, () => {
    const script = `await ${load}
const { Module } = await import('node:module')
const loaded = Object.keys(Module._cache).filter((path) => path.includes('@grpc') || path.includes('protobuf'))
process.stdout.write('\\nloaded ' + JSON.stringify(loaded))`
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    })
    assert.equal(said.split('\n').at(-1), 'loaded []')
  })
