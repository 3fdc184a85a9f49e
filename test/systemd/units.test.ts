// The service files, as systemd itself reads them.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const units = new URL('../../systemd/', import.meta.url)
const missing = spawnSync('systemd-analyze', ['--version']).error !== undefined
const skip = missing && 'systemd-analyze is not installed (Debian: systemd)'

for (const name of readdirSync(units)) {
  test(`systemd-analyze verify finds no fault in ${name}`, { skip }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'tke-eni-units-'))
    try {
      // the executable need not be installed where this runs
      const text = readFileSync(new URL(name, units), 'utf8').replace(
        '/usr/local/bin/tke-eni',
        process.execPath,
      )
      writeFileSync(join(directory, name), text)
      const args = ['verify', '--man=no', '--recursive-errors=one', join(directory, name)]
      const { status, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
      assert.equal(stderr, '')
      assert.equal(status, 0)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
}
