import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { systemClock } from '../../internal/base/clock.ts'
import { createKubeClient } from '../../internal/kube/client.ts'
import { type ConnectSettings, connectKube } from '../../internal/kube/connect.ts'
import { createEndpoint, inClusterSettings } from '../../internal/kube/endpoint.ts'
import { VirtualClock } from '../fake/virtual-clock.ts'
import { type Answer, type Exchange, refuse, reply, startTinyServer } from './tiny-server.ts'

const directory = mkdtempSync(join(tmpdir(), 'kube-'))
after(() => rmSync(directory, { recursive: true }))
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
const ask = { doing: 'get node "n"', path: '/api/v1/nodes/n' }

/** Certificates for the tests come from the openssl command. */
const needsOpenssl = { skip: spawnSync('openssl', ['version']).error ? 'openssl is not installed' : false }

const whoAmI: Answer = (exchange) => reply(exchange, 200, { auth: authOf(exchange) })

test('connectKube() goes to a plain server, with a token when one is given', async () => {
  const { url } = await serve(whoAmI)
  assert.deepEqual(await get({ server: url }), { auth: null })
  assert.deepEqual(await get({ server: url, token: 'abc' }), { auth: 'Bearer abc' })
})

for (const { does, user, auth } of [
  { does: 'a token', user: { token: 'abc' }, auth: 'Bearer abc' },
  { does: 'a token file beside it', user: { tokenFile: 'token' }, auth: 'Bearer from-file' },
  { does: 'a name and password', user: { username: 'u', password: 'p' }, auth: 'Basic dTpw' },
  { does: 'nobody', user: {}, auth: null },
])
  test(`connectKube() reads a kubeconfig with ${does}`, async () => {
    const { url } = await serve(whoAmI)
    writeFileSync(join(directory, 'token'), 'from-file\n')
    assert.deepEqual(await get({ kubeconfig: kubeconfig({ server: url }, user) }), { auth })
  })

test('connectKube() runs the login program that a kubeconfig names, again after a refusal', async () => {
  const program = join(directory, 'login.sh')
  const counter = join(directory, 'runs')
  writeFileSync(counter, '')
  const credential = `{"kind":"ExecCredential","status":{"token":"run-$(wc -l < ${counter} | tr -d ' ')"}}`
  writeFileSync(program, `#!/bin/sh\necho >> ${counter}\ncat <<END\n${credential}\nEND\n`)
  chmodSync(program, 0o755)
  const { url } = await serve((exchange) => {
    if (authOf(exchange) === 'Bearer run-2') whoAmI(exchange)
    else refuse(exchange, 401, 'Unauthorized')
  })
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: program, args: [] }
  assert.deepEqual(await get({ kubeconfig: kubeconfig({ server: url }, { exec }) }), { auth: 'Bearer run-2' })
  assert.equal(readFileSync(counter, 'utf8').length, 2)
})

test('connectKube() hands impersonation to the library', async () => {
  const { url } = await serve((exchange) =>
    reply(exchange, 200, { as: exchange.request.headers['impersonate-user'] }),
  )
  const user = { token: 'abc', as: 'somebody' }
  assert.deepEqual(await get({ kubeconfig: kubeconfig({ server: url }, user) }), { as: 'somebody' })
})

test(
  'connectKube() proves itself by certificate, plainly and through the library',
  needsOpenssl,
  async () => {
    const tls = await serveTls()
    const cluster = {
      server: tls.url,
      'certificate-authority-data': readFileSync(join(directory, 'ca.crt')).toString('base64'),
      'tls-server-name': 'kubernetes',
    }
    const byFile = { 'client-certificate': 'client.crt', 'client-key': 'client.key' }
    const byData = {
      'client-certificate-data': readFileSync(join(directory, 'client.crt')).toString('base64'),
      'client-key-data': readFileSync(join(directory, 'client.key')).toString('base64'),
    }
    for (const user of [byFile, byData, { ...byFile, as: 'somebody' }])
      assert.deepEqual(await get({ kubeconfig: kubeconfig(cluster, user) }), { who: 'node-agent' })
  },
)

test('connectKube() refuses a server that the certificate authority did not sign', needsOpenssl, async () => {
  const { url } = await serveTls()
  await assert.rejects(get({ kubeconfig: kubeconfig({ server: url }, {}) }), { code: 'unavailable' })
  const insecure = kubeconfig({ server: url, 'insecure-skip-tls-verify': true }, {})
  assert.deepEqual(await get({ kubeconfig: insecure }), { who: null })
})

for (const { does, text, says } of [
  { does: 'no YAML', text: '{', says: /is not YAML with keys/ },
  { does: 'no current context', text: 'contexts: []', says: /has no current-context/ },
  { does: 'an unknown context', text: 'current-context: x', says: /has no context "x"/ },
  {
    does: 'an unknown cluster',
    text: '{current-context: x, contexts: [{name: x, context: {cluster: c, user: u}}]}',
    says: /has no cluster "c" with a server/,
  },
  {
    does: 'no usable server',
    text: `${kubeconfigText({ server: 'ftp://x' }, {})}`,
    says: /"ftp:\/\/x" is not a URL/,
  },
])
  test(`[R6] connectKube() names what is wrong in a kubeconfig with ${does}`, async () => {
    const file = join(directory, 'bad')
    writeFileSync(file, text)
    await assert.rejects(connectKube({ kubeconfig: file }, systemClock), { code: 'bad_input', message: says })
  })

test('[R6] connectKube() says when there is nothing to connect to', async () => {
  await assert.rejects(connectKube({ env: {} }, systemClock), { code: 'bad_input', message: /no API server/ })
  const missing = join(directory, 'missing')
  await assert.rejects(connectKube({ kubeconfig: missing }, systemClock), { message: /cannot be read/ })
})

test('inClusterSettings() finds the service of the cluster', () => {
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  assert.deepEqual(inClusterSettings(env, '/sa'), {
    server: 'https://[fd00::1]:443',
    ca: { file: '/sa/ca.crt' },
    token: { file: '/sa/token' },
  })
  assert.equal(inClusterSettings({}), undefined)
})

test('a token that rotates is read again after a minute, and at once when the old one is refused', async () => {
  const file = join(directory, 'rotating')
  let good = 'first'
  const { url } = await serve((exchange) => {
    if (authOf(exchange) === `Bearer ${good}`) whoAmI(exchange)
    else refuse(exchange, 401, 'Unauthorized')
  })
  const clock = new VirtualClock()
  const client = createKubeClient(createEndpoint({ server: url, token: { file } }, clock), clock)
  closing.push(client.close)
  writeFileSync(file, 'first')
  assert.deepEqual(await client.call(ask), { auth: 'Bearer first' })
  writeFileSync(file, 'second')
  assert.deepEqual(await client.call(ask), { auth: 'Bearer first' })
  good = 'second'
  assert.deepEqual(await client.call(ask), { auth: 'Bearer second' })
  writeFileSync(file, 'third')
  await clock.advance(60_000)
  good = 'third'
  assert.deepEqual(await client.call(ask), { auth: 'Bearer third' })
  rmSync(file)
  await clock.advance(60_000)
  await assert.rejects(client.call(ask), { code: 'denied', message: /rotating" cannot be read/ })
})

function authOf({ request }: Exchange): string | null {
  return request.headers.authorization ?? null
}

async function serve(answer: Answer): Promise<{ url: string }> {
  const server = await startTinyServer(answer)
  closing.push(server.stop)
  return server
}

async function get(settings: ConnectSettings): Promise<unknown> {
  const client = await connectKube(settings, systemClock)
  closing.push(client.close)
  return client.call(ask)
}

function kubeconfig(cluster: object, user: object): string {
  const file = join(directory, 'kubeconfig')
  writeFileSync(file, kubeconfigText(cluster, user))
  return file
}

function kubeconfigText(cluster: object, user: object): string {
  return JSON.stringify({
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
  })
}

/** A server with a certificate of our own authority that tells the name in the client's certificate. */
async function serveTls(): Promise<{ url: string }> {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ca')
  for (const [name, subject] of [
    ['server', 'kubernetes'],
    ['client', 'node-agent'],
  ]) {
    writeFileSync(join(directory, 'san'), `subjectAltName=DNS:${subject}`)
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${subject}`)
    const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'san']
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...signing)
  }
  const read = (name: string) => readFileSync(join(directory, name))
  const server = createServer(
    {
      ca: read('ca.crt'),
      cert: read('server.crt'),
      key: read('server.key'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const socket = request.socket as TLSSocket
      const who = socket.authorized ? socket.getPeerCertificate().subject.CN : null
      response.end(JSON.stringify({ who }))
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
