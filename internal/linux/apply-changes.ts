// Kernel changes in their order: runs of `ip` lines as one batch, sysctls in between.
import { IpamError } from '../ipam/errors.ts'
import { routeTableOf } from '../ipam/plan-repair.ts'
import { rpFilterKey } from '../ipam/sysctl-keys.ts'
import type { EniWiring, KernelChange, Link } from '../ipam/types.ts'
import type { Mac } from '../value/mac.ts'
import { type BatchLine, firstFault } from './batch.ts'
import type { Batcher } from './batcher.ts'
import { readEniLink } from './eni-link.ts'
import { cleanLines } from './exclusive-lines.ts'
import type { LanePool } from './lane-pool.ts'
import { requireLinkName } from './names.ts'
import { isHostLink } from './pod-link.ts'
import { query } from './query.ts'
import { readLinks, rows } from './read-kernel.ts'
import type { Sysctls } from './sysctl.ts'
import {
  addRouteLine,
  addRuleLine,
  aliasLine,
  eniLines,
  raiseLinkLine,
  removeLinkLine,
  removeRouteLine,
  removeRuleLine,
} from './wiring-lines.ts'

export interface ChangeContext {
  readonly host: Batcher
  readonly queries: LanePool
  readonly sysctls: Sysctls
  readonly routeTableBase: number
}

/** All of `changes`, also when one fails; then throws `kernel` for the first that did. */
export async function applyChanges(context: ChangeContext, changes: readonly KernelChange[]): Promise<void> {
  const faults: unknown[] = []
  let lines: BatchLine[] = []
  const flush = async (): Promise<void> => {
    const batch = lines
    lines = []
    if (batch.length === 0) return
    const fault = firstFault(batch, await context.host.run(batch))
    if (fault !== undefined)
      faults.push(new IpamError('kernel', `Cannot change the node's network: ${fault}`))
  }
  for (const change of changes) {
    try {
      if (change.kind === 'set-sysctl') {
        await flush()
        context.sysctls.write(change.key, change.value)
      } else if (change.kind === 'set-up-eni') {
        lines.push(...(await eniSetUp(context, change.eni, change.link)))
        context.sysctls.write(rpFilterKey(change.link), '0')
      } else if (change.kind === 'clean-eni') {
        const { answer } = await requireEni(context, change, 'clean')
        lines.push(...rows(answer).flatMap((row) => cleanLines(readEniLink(row), change.mac)))
      } else {
        lines.push(lineOf(change))
      }
    } catch (fault) {
      faults.push(fault)
    }
  }
  await flush()
  if (faults.length > 0) throw faults[0]
}

function lineOf(
  change: Exclude<KernelChange, { kind: 'set-sysctl' | 'set-up-eni' | 'clean-eni' }>,
): BatchLine {
  switch (change.kind) {
    case 'add-rule':
      return addRuleLine(change.rule)
    case 'remove-rule':
      return removeRuleLine(change.rule)
    case 'add-route':
      requireLinkName(change.route.dev)
      return addRouteLine(change.route)
    case 'remove-route':
      requireLinkName(change.route.dev)
      return removeRouteLine(change.route)
    case 'raise-link':
      requireLinkName(change.link)
      return raiseLinkLine(change.link)
    case 'name-link':
      requireLinkName(change.link)
      return aliasLine(change.link, change.alias)
    case 'remove-link':
      if (!isHostLink(change.link))
        throw new IpamError(
          'bad_input',
          `Cannot remove link "${change.link}": it is not a pod's host link of ours`,
        )
      return removeLinkLine(change.link)
  }
}

async function eniSetUp(context: ChangeContext, eni: EniWiring, name: string): Promise<readonly BatchLine[]> {
  const { link, answer } = await requireEni(context, { link: name, mac: eni.mac }, 'set up')
  const addressed = rows(rows(answer)[0]?.['addr_info']).some(({ local }) => local === eni.primaryIp)
  const lines = eniLines(eni, name, routeTableOf(link, context.routeTableBase))
  // Somebody else (cloud-init, DHCP) may have put the address there with its subnet: leave it so.
  return addressed ? lines.filter(({ text }) => !text.startsWith('address add')) : lines
}

/** The link as it is now. A name may have passed to another ENI since the caller looked: the MAC decides (D4). */
async function requireEni(
  { queries }: ChangeContext,
  { link: name, mac }: { readonly link: string; readonly mac: Mac },
  doing: string,
): Promise<{ readonly link: Link; readonly answer: unknown }> {
  requireLinkName(name)
  const [answer] = await query(queries, '', [`address show dev ${name}`])
  const [link] = readLinks(answer)
  if (link?.mac === mac) return { link, answer }
  const now = link === undefined ? 'there is no such link' : `it has MAC ${link.mac}`
  throw new IpamError('kernel', `Cannot ${doing} ENI ${mac} on link "${name}": ${now}`)
}
