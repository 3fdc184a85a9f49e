// What the product relies on of a Kubernetes API server. The same tests run on the embedded server and on a real
// kube-apiserver; they work in a namespace, nodes and a definition of their own and remove them afterwards.
import { after, before, describe } from 'node:test'
import { applyTests } from './kube/applies.ts'
import { definitionTests } from './kube/definitions.ts'
import { deleteTests } from './kube/deletes.ts'
import { discoveryTests } from './kube/discovery.ts'
import { eventAndLeaseTests } from './kube/events-and-leases.ts'
import { listTests } from './kube/lists.ts'
import { necTests } from './kube/nec.ts'
import { objectTests } from './kube/objects.ts'
import { patchTests } from './kube/patches.ts'
import { podAndNodeTests } from './kube/pods-and-nodes.ts'
import { refusalTests } from './kube/refusals.ts'
import { Kube, type KubeServer, nameOf } from './kube/server.ts'
import { tableTests } from './kube/tables.ts'
import { watchTests } from './kube/watches.ts'

export interface KubeSubject {
  readonly server: KubeServer
  /** Writes so much that old resourceVersions expire, where that can be had. */
  readonly forget?: () => Promise<void>
  close?(): Promise<void>
}

/** What tests get: the server, and names that nobody else uses. */
export interface Bench {
  readonly kube: Kube
  readonly namespace: string
  /** Path of the namespace: "/api/v1/namespaces/<it>". */
  readonly core: string
  readonly forget: (() => Promise<void>) | undefined
}

export type BenchOf = () => Bench

/** Registers the suite for the server that `open` gives. */
export function kubeContract(name: string, open: () => Promise<KubeSubject>): void {
  describe(`Kubernetes API of ${name}`, { timeout: 120_000 }, () => {
    let subject: KubeSubject | undefined
    let bench: Bench | undefined
    before(async () => {
      subject = await open()
      const kube = new Kube(subject.server)
      const made = await kube.create('/api/v1/namespaces', { metadata: { generateName: 'contract-' } })
      const namespace = nameOf(made)
      bench = { kube, namespace, core: `/api/v1/namespaces/${namespace}`, forget: subject.forget }
    })
    after(async () => {
      if (bench !== undefined) await bench.kube.send('DELETE', bench.core)
      await subject?.close?.()
    })
    const ready: BenchOf = () => {
      if (bench === undefined) throw new Error('Cannot test: the server was not opened')
      return bench
    }
    for (const register of [
      discoveryTests,
      objectTests,
      refusalTests,
      patchTests,
      applyTests,
      listTests,
      watchTests,
      deleteTests,
      podAndNodeTests,
      eventAndLeaseTests,
      definitionTests,
      necTests,
      tableTests,
    ]) {
      register(ready)
    }
  })
}
