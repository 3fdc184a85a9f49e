// The ConfigMap of the cluster's ip-masq-agent, which tells it whose packets keep their source (E9). What of it is ours is noted in an
// annotation beside it, in the same write, so that entries of others are never taken for ours, whoever leads, and with whatever ledger.
import { errorCode, IpamError } from '../ipam/errors.ts'
import { keyPrefix } from '../ipam/names.ts'
import type { SourceKeeping } from '../ports.ts'
import type { Ipv4 } from '../value/ipv4.ts'
import { editMasqConfig, type MasqNote } from '../wire/masq-config.ts'
import type { KubeClient } from './client.ts'
import { at, listAt, textAt } from './json.ts'

const namespace = 'kube-system'
const name = 'ip-masq-agent-config'
const collection = `/api/v1/namespaces/${namespace}/configmaps`
const path = `${collection}/${name}`
const key = 'config'
const annotation = `${keyPrefix}eip-sources`
const what = `ConfigMap ${namespace}/${name}`

/** What ip-masq-agent does without a file; one that lacks a setting does not mean these. */
const agentsOwn = {
  NonMasqueradeCIDRs: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  MasqLinkLocal: false,
  ResyncInterval: '1m0s',
}

/** As LeaderKube.keepSources; throws `conflict` when somebody else was faster. */
export async function keepSources(
  client: KubeClient,
  addresses: readonly Ipv4[],
  { create }: { readonly create: boolean },
): Promise<SourceKeeping> {
  const wanted = addresses.map((address) => `${address}/32`)
  const found = await read(client)
  if (found === undefined) {
    if (!create || wanted.length === 0) return 'absent'
    const { text, note } = edit(JSON.stringify(agentsOwn), undefined, wanted)
    const metadata = { name, namespace, annotations: { [annotation]: JSON.stringify(note) } }
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [key]: text } }
    await client.call({ doing: `create ${what}`, method: 'POST', path: collection, body })
    return 'kept'
  }
  const before = at(found, 'data', key)
  if (typeof before !== 'string') {
    if (wanted.length === 0) return 'kept'
    throw refusal(`it has no key "${key}"`)
  }
  const noted = textAt(found, 'metadata', 'annotations', annotation)
  const { text, note } = edit(before, readNote(noted), wanted)
  const next = note === undefined ? undefined : JSON.stringify(note)
  if (text === before && next === noted) return 'kept'
  const body = {
    metadata: {
      resourceVersion: textAt(found, 'metadata', 'resourceVersion'),
      annotations: { [annotation]: next ?? null },
    },
    ...(text === before ? {} : { data: { [key]: text } }),
  }
  await client.call({ doing: `edit ${what}`, method: 'PATCH', path, body })
  return 'kept'
}

async function read(client: KubeClient): Promise<unknown> {
  try {
    return await client.call({ doing: `get ${what}`, path })
  } catch (error) {
    if (errorCode(error) === 'not_found') return undefined
    throw error
  }
}

function edit(text: string, note: MasqNote | undefined, wanted: readonly string[]) {
  const edited = editMasqConfig(text, note, wanted)
  if ('fault' in edited) throw refusal(edited.fault)
  return edited
}

/** People may edit it: what cannot be read says nothing, and what it spoke of is theirs. */
function readNote(text: string | undefined): MasqNote | undefined {
  if (text === undefined) return undefined
  try {
    const note: unknown = JSON.parse(text)
    const entries = listAt(note, 'entries').filter((entry) => typeof entry === 'string')
    const [madeMap, nothing] = [at(note, 'madeMap'), at(note, 'nothing')]
    return {
      entries,
      madeList: at(note, 'madeList') === true,
      ...(typeof madeMap === 'string' && { madeMap }),
      ...(typeof nothing === 'string' && { nothing }),
    }
  } catch {
    return undefined
  }
}

function refusal(why: string): IpamError {
  return new IpamError('bad_input', `Cannot edit ${what}: ${why}`, {
    hint: 'mend it, or keep NonMasqueradeSrcCIDRs by hand and set manage-masq-config to false',
  })
}
