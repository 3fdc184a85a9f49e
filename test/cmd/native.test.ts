import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { extractNative } from '../../cmd/native.ts'

const package_ = dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'))
const file = join(package_, 'prebuilds', `linux-${process.arch}.node`)
const content = readFileSync(file)
const directory = mkdtempSync(join(tmpdir(), 'tke-eni-native-'))
after(() => rmSync(directory, { recursive: true }))

test('extractNative() puts the library into a directory of its own and finds it again', () => {
  const TKE_ENI_CACHE_DIR = join(directory, 'a', 'b')
  const path = extractNative(content, { TKE_ENI_CACHE_DIR })
  assert.ok(readFileSync(path).equals(content))
  assert.equal(statSync(TKE_ENI_CACHE_DIR).mode & 0o777, 0o700)
  const { ino } = statSync(path)
  assert.equal(extractNative(content, { TKE_ENI_CACHE_DIR }), path)
  assert.equal(statSync(path).ino, ino)
})

test('[R6] extractNative() replaces a damaged copy', () => {
  const TKE_ENI_CACHE_DIR = join(directory, 'damaged')
  const path = extractNative(content, { TKE_ENI_CACHE_DIR })
  chmodSync(path, 0o700)
  rmSync(path) // a loaded library must not be written to
  writeFileSync(path, content.subarray(0, 1000))
  assert.equal(extractNative(content, { TKE_ENI_CACHE_DIR }), path)
  assert.ok(readFileSync(path).equals(content))
})

test('extractNative() trusts no directory that others can write to, and no link', () => {
  const open = join(directory, 'open')
  mkdirSync(open)
  chmodSync(open, 0o777)
  assert.throws(() => extractNative(content, { TKE_ENI_CACHE_DIR: open }), /others may write to it/)
  symlinkSync(directory, join(directory, 'link'))
  assert.throws(
    () => extractNative(content, { TKE_ENI_CACHE_DIR: join(directory, 'link') }),
    /it is not a directory/,
  )
  writeFileSync(join(directory, 'file'), '')
  assert.throws(() => extractNative(content, { TKE_ENI_CACHE_DIR: join(directory, 'file', 'x') }), /ENOTDIR/)
})

test('[R6] extractNative() gives up on a directory that takes no other, instead of trying for ever', () => {
  assert.throws(() => extractNative(content, { TKE_ENI_CACHE_DIR: '/proc/tke-eni' }), /ENOENT/)
})

test('extractNative() goes on to the next place when one cannot be used', () => {
  const bad = join(directory, 'bad')
  mkdirSync(bad)
  chmodSync(bad, 0o777)
  const good = join(directory, 'good')
  const path = extractNative(content, { CACHE_DIRECTORY: bad, XDG_CACHE_HOME: good })
  assert.equal(dirname(path), join(good, 'tke-eni'))
})

test('extractNative() is safe in many processes at once', async () => {
  const cache = join(directory, 'many')
  const module = new URL('../../cmd/native.ts', import.meta.url).href
  const code = `import { readFileSync } from 'node:fs'; import { extractNative } from '${module}'
    extractNative(readFileSync('${file}'), { TKE_ENI_CACHE_DIR: '${cache}' })`
  const runs = Array.from({ length: 8 }, () => {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
      stdio: 'inherit',
    })
    return new Promise((resolve) => child.on('close', resolve))
  })
  assert.deepEqual(
    await Promise.all(runs),
    runs.map(() => 0),
  )
  assert.equal(readdirSync(cache).length, 1)
})
