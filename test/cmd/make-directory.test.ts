import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { needDirectory } from '../../cmd/make-directory.ts'
import { IpamError } from '../../internal/ipam/errors.ts'

const directory = mkdtempSync(join(tmpdir(), 'tke-eni-directory-'))
after(() => rmSync(directory, { recursive: true }))

test('needDirectory() makes it with its parents, and takes one that is there', () => {
  const path = join(directory, 'a', 'b', 'c')
  needDirectory(path)
  assert.ok(statSync(path).isDirectory())
  needDirectory(path)
})

test('[R6] needDirectory() says what is in the way', () => {
  const file = join(directory, 'file')
  writeFileSync(file, '')
  for (const [path, so] of [
    [file, /^Cannot use directory ".*\/file": it is not a directory$/],
    [join(file, 'x'), /ENOTDIR/],
    // mkdirSync's `recursive` never comes back from here: `--state-dir /proc/x` once hung, deaf to SIGTERM
    ['/proc/x/y', /^Cannot use directory "\/proc\/x\/y": ENOENT/],
  ] as const) {
    assert.throws(
      () => needDirectory(path),
      (error) => error instanceof IpamError && error.code === 'storage' && so.test(error.message),
    )
  }
})
