// Wrong annotations fail at the command on the embedded API server; a server without policies is led all the same.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { kubeconfigFor } from '../../internal/apiserver/kubeconfig.ts'
import { systemClock } from '../../internal/base/clock.ts'
import { type Log, silentLog } from '../../internal/base/log.ts'
import { systemRandom } from '../../internal/base/random.ts'
import { connectKube } from '../../internal/kube/connect.ts'
import { installNecPolicy, keepNecPolicy } from '../../internal/kube/install-nec-policy.ts'
import { necGroup } from '../../internal/kube/nec-api.ts'
import { judgeNecWrite, necPolicyName } from '../../internal/sim/kube/nec-admission.ts'
import { openServer } from '../apiserver/open-server.ts'
import { httpKubeServer } from '../contract/kube/server.ts'
import { run, which } from '../e2e/service.ts'
import { holdToNecAdmission } from './nec-admission.contract.ts'

const policies = [{ name: necPolicyName, group: necGroup, resource: 'nodeeniconfigs', judge: judgeNecWrite }]

holdToNecAdmission('embedded', async () => {
  const { url, close } = await openServer(':memory:', { policies })
  const folder = mkdtempSync(join(tmpdir(), 'admission-'))
  const kubeconfig = join(folder, 'config')
  writeFileSync(kubeconfig, kubeconfigFor(url))
  const kubectl = which('kubectl')
  const env = { ...process.env, HOME: folder, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(folder, 'cache') }
  return {
    server: httpKubeServer({ baseUrl: url }),
    leader: { server: url },
    kubectl: kubectl === undefined ? undefined : (...args) => run([kubectl, ...args], { env }),
    close: async () => {
      await close()
      rmSync(folder, { recursive: true })
    },
  }
})

test('[R10] keepNecPolicy() warns once where the API server knows no policies', async () => {
  await using server = await disposable(openServer())
  const client = await connectKube({ server: server.url }, systemClock)
  await assert.rejects(installNecPolicy({ client, clock: systemClock, log: silentLog }), {
    code: 'not_found',
  })
  const ends = new AbortController()
  const warnings: unknown[] = []
  let tries = 0
  const log: Log = { ...silentLog, warn: (_, fields) => warnings.push(fields?.['why']) }
  // Each pause ends at once, and the thirtieth ends it all.
  const clock = {
    ...systemClock,
    after(_: number, then: () => void) {
      if (++tries === 30) ends.abort()
      return systemClock.after(0, then)
    },
  }
  await keepNecPolicy({ client, clock, log, random: systemRandom }, ends.signal)
  client.close()
  assert.deepEqual(warnings, [
    'Cannot install ValidatingAdmissionPolicy "tke-eni-nec-annotations": the API server does not know admissionregistration.k8s.io/v1 policies; Kubernetes 1.30 and later do',
  ])
})

test('the embedded API server keeps only policies that it can hold writes to', async () => {
  await using server = await disposable(openServer(':memory:', { policies }))
  const body = JSON.stringify({ metadata: { name: 'other' } })
  const url = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
  const answer = server.api.handle({ method: 'POST', url, body })
  assert.ok('status' in answer && answer.status === 422)
})

async function disposable<T extends { close(): Promise<void> }>(
  opening: Promise<T>,
): Promise<T & AsyncDisposable> {
  const opened = await opening
  return { ...opened, [Symbol.asyncDispose]: () => opened.close() }
}
