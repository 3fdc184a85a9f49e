// What the product relies on of the VPC API. The same checks run on the simulated cloud in process, on it over HTTP
// with the official SDK, and, as far as they only read, on the real API.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type EipView, type EniView, eips, enis, list, reserved, text } from './vpc-view.ts'

export type Answer = Readonly<Record<string, unknown>>

export interface VpcSubject {
  /** Rejects with an error that has the API's code as `code`. */
  request(action: string, params: Answer): Promise<Answer>
  /** Lets asynchronous transitions go on. */
  wait(): Promise<void>
  close(): Promise<void>
}

/** Where the changing part works; ids of the subject's own. */
export interface VpcPlace {
  readonly vpcId: string
  readonly subnetId: string
  readonly instanceId: string
  /** In another zone than the subnet. */
  readonly farInstanceId: string
}

/** Checks that change nothing: any account with credentials will do. */
export function readOnlyVpcContract(name: string, open: () => Promise<VpcSubject>): void {
  describe(`VPC API of ${name}, reading`, () => {
    const subject = opened(open)

    test('DescribeSubnets pages by text and counts', async () => {
      const answer = await subject().request('DescribeSubnets', { Offset: '0', Limit: '1' })
      assert.ok(Array.isArray(answer['SubnetSet']))
      assert.ok(answer['SubnetSet'].length <= 1)
      assert.equal(typeof answer['TotalCount'], 'number')
    })
    test('DescribeNetworkInterfaces pages and counts', async () => {
      const answer = await subject().request('DescribeNetworkInterfaces', { Offset: 0, Limit: 1 })
      assert.ok(enis(answer).length <= 1)
      assert.equal(typeof answer['TotalCount'], 'number')
      assert.match(text(answer, 'RequestId'), /^[0-9a-f-]{36}$/)
    })
    test('DescribeNetworkInterfaces finds nothing for a tag nobody has', async () => {
      const answer = await subject().request('DescribeNetworkInterfaces', {
        Filters: [{ Name: 'tag:tke-eni-contract', Values: ['nobody'] }],
      })
      assert.deepEqual(enis(answer), [])
    })
    test('DescribeReserveIpAddresses pages and counts, and finds nothing for a tag nobody has', async () => {
      const answer = await subject().request('DescribeReserveIpAddresses', { Offset: 0, Limit: 1 })
      assert.ok(reserved(answer).length <= 1)
      assert.equal(typeof answer['TotalCount'], 'number')
      const nobodys = await subject().request('DescribeReserveIpAddresses', {
        Filters: [{ Name: 'tag:tke-eni-contract', Values: ['nobody'] }],
      })
      assert.deepEqual(reserved(nobodys), [])
    })
    test('DescribeAddresses pages and counts, and finds nothing for a tag nobody has', async () => {
      const answer = await subject().request('DescribeAddresses', { Offset: 0, Limit: 1 })
      assert.ok(eips(answer).length <= 1)
      assert.equal(typeof answer['TotalCount'], 'number')
      const nobodys = await subject().request('DescribeAddresses', {
        Filters: [{ Name: 'tag:tke-eni-contract', Values: ['nobody'] }],
      })
      assert.deepEqual(eips(nobodys), [])
    })
    test('DescribeAddresses refuses a malformed id and an unknown filter', async () => {
      await refused(subject(), 'DescribeAddresses', { AddressIds: ['nonsense'] }, /^Invalid/)
      const odd = { Filters: [{ Name: 'no-such-filter', Values: ['x'] }] }
      await refused(subject(), 'DescribeAddresses', odd, /^InvalidParameter/)
    })
    test('DescribeAddressQuota tells the quota of the account and of the day', async () => {
      const quotas = list(await subject().request('DescribeAddressQuota', {}), 'QuotaSet')
      for (const id of ['TOTAL_EIP_QUOTA', 'DAILY_EIP_APPLY']) {
        const quota = quotas.find((one) => one['QuotaId'] === id)
        assert.ok(quota, id)
        assert.ok(Number(quota['QuotaCurrent']) <= Number(quota['QuotaLimit']))
      }
    })
    for (const c of [
      {
        does: 'refuses a malformed id',
        params: { NetworkInterfaceIds: ['nonsense'] },
        code: /^InvalidParameterValue/,
      },
      {
        does: 'refuses ids with filters',
        params: {
          NetworkInterfaceIds: ['eni-00000000'],
          Filters: [{ Name: 'vpc-id', Values: ['vpc-00000000'] }],
        },
        code: /^InvalidParameter/,
      },
      {
        does: 'refuses an unknown filter',
        params: { Filters: [{ Name: 'no-such-filter', Values: ['x'] }] },
        code: /^InvalidParameter/,
      },
      { does: 'refuses an unknown parameter', params: { NoSuchParameter: 1 }, code: /^UnknownParameter/ },
      { does: 'refuses a page that is too large', params: { Limit: 101 }, code: /^InvalidParameterValue/ },
    ])
      test(`DescribeNetworkInterfaces ${c.does}`, async () => {
        await refused(subject(), 'DescribeNetworkInterfaces', c.params, c.code)
      })
    test('an unknown action is InvalidAction', async () => {
      await refused(subject(), 'NoSuchAction', {}, /^InvalidAction$/)
    })
  })
}

/** Checks that make and delete ENIs. */
export function changingVpcContract(name: string, place: VpcPlace, open: () => Promise<VpcSubject>): void {
  describe(`VPC API of ${name}, changing`, () => {
    const subject = opened(open)
    const create = (token: string, more: Answer = {}) =>
      subject().request('CreateNetworkInterface', {
        VpcId: place.vpcId,
        SubnetId: place.subnetId,
        NetworkInterfaceName: 'contract',
        ClientToken: token,
        ...more,
      })
    const ready = async (eniId: string) =>
      await settled(subject(), eniId, (eni) => eni.state === 'AVAILABLE' && eni.ips.every(available))
    const made = async (token: string, more: Answer = {}) => {
      const answer = await create(token, more)
      return await ready(createdId(answer))
    }

    const reserve = async (token: string, more: Answer = {}) => {
      const answer = await subject().request('CreateReserveIpAddresses', {
        VpcId: place.vpcId,
        SubnetId: place.subnetId,
        IpAddressCount: 1,
        Name: 'contract',
        ClientToken: token,
        ...more,
      })
      const [made] = reserved(answer)
      assert.ok(made)
      return made
    }
    const reservations = async (params: Answer) =>
      reserved(await subject().request('DescribeReserveIpAddresses', params))

    test('an ENI is created pending, then available, with its tags and addresses', async () => {
      const answer = await create('made', {
        SecondaryPrivateIpAddressCount: 2,
        Tags: [{ Key: 'tke-eni-contract', Value: 'made' }],
      })
      const eni = await ready(createdId(answer))
      assert.equal(eni.ips.length, 3)
      assert.equal(eni.ips.filter((ip) => ip.primary).length, 1)
      assert.equal(eni.instanceId, undefined)
      const byTag = await subject().request('DescribeNetworkInterfaces', {
        Filters: [{ Name: 'tag:tke-eni-contract', Values: ['made'] }],
      })
      assert.deepEqual(
        enis(byTag).map(({ id }) => id),
        [eni.id],
      )
    })
    test('the same ClientToken makes one ENI', async () => {
      const first = createdId(await create('once'))
      await ready(first)
      assert.equal(createdId(await create('once')), first)
      await refused(
        subject(),
        'CreateNetworkInterface',
        { VpcId: place.vpcId, SubnetId: place.subnetId, NetworkInterfaceName: 'other', ClientToken: 'once' },
        /^UnsupportedOperation\.IdempotentParameterMismatch$/,
      )
    })
    test('a task is polled by its RequestId', async () => {
      const answer = await create('task')
      const eniId = createdId(answer)
      await ready(eniId)
      const task = await subject().request('DescribeVpcTaskResult', { TaskId: text(answer, 'RequestId') })
      assert.equal(task['Status'], 'SUCCESS')
    })
    test('an attached ENI is AVAILABLE with its instance, and can be detached and deleted', async () => {
      const eni = await made('attach')
      const on = { NetworkInterfaceId: eni.id, InstanceId: place.instanceId }
      await subject().request('AttachNetworkInterface', on)
      const attached = await settled(subject(), eni.id, ({ state }) => state === 'AVAILABLE')
      assert.equal(attached.instanceId, place.instanceId)
      const again = /^UnsupportedOperation\.AttachmentAlreadyExists$/
      await refused(subject(), 'AttachNetworkInterface', on, again)
      await refused(
        subject(),
        'DeleteNetworkInterface',
        { NetworkInterfaceId: eni.id },
        /^(ResourceInUse|UnsupportedOperation)/,
      )
      await subject().request('DetachNetworkInterface', on)
      const free = await settled(subject(), eni.id, ({ state }) => state === 'AVAILABLE')
      assert.equal(free.instanceId, undefined)
      await subject().request('DeleteNetworkInterface', { NetworkInterfaceId: eni.id })
      await gone(subject(), eni.id)
    })
    test('addresses are known when assigned, and gone after they are unassigned', async () => {
      const eni = await made('assign')
      const answer = await subject().request('AssignPrivateIpAddresses', {
        NetworkInterfaceId: eni.id,
        SecondaryPrivateIpAddressCount: 3,
        ClientToken: 'three',
      })
      const set = answer['PrivateIpAddressSet']
      assert.ok(Array.isArray(set))
      const full = await ready(eni.id)
      assert.deepEqual(
        full.ips.filter((ip) => !ip.primary).map(({ address }) => address),
        set.map((ip: Answer) => text(ip, 'PrivateIpAddress')),
      )
      const [, given] = full.ips
      await subject().request('UnassignPrivateIpAddresses', {
        NetworkInterfaceId: eni.id,
        PrivateIpAddresses: [{ PrivateIpAddress: given?.address }],
      })
      const rest = await settled(subject(), eni.id, ({ ips }) => ips.length === 3 && ips.every(available))
      assert.ok(!rest.ips.some(({ address }) => address === given?.address))
    })
    test('an address moves to another ENI of its subnet', async () => {
      const from = await made('from', { SecondaryPrivateIpAddressCount: 1 })
      const to = await made('to')
      const address = from.ips.find((ip) => !ip.primary)?.address
      await subject().request('MigratePrivateIpAddress', {
        SourceNetworkInterfaceId: from.id,
        DestinationNetworkInterfaceId: to.id,
        PrivateIpAddress: address,
      })
      const moved = await settled(subject(), to.id, ({ ips }) => ips.length === 2 && ips.every(available))
      assert.ok(moved.ips.some((ip) => ip.address === address))
    })
    test('an address is reserved, assigned only by its name, and outlives the ENI', async () => {
      const reserved = await reserve('reserved', { Tags: [{ Key: 'tke-eni-contract', Value: 'reserved' }] })
      assert.match(reserved.id, /^rsvip-[0-9a-z]{8}$/)
      assert.deepEqual([reserved.state, reserved.resourceId], ['UnBind', ''])
      assert.equal(
        (await reserve('reserved', { Tags: [{ Key: 'tke-eni-contract', Value: 'reserved' }] })).id,
        reserved.id,
      )
      const eni = await made('bound')
      const exactly = {
        NetworkInterfaceId: eni.id,
        PrivateIpAddresses: [{ PrivateIpAddress: reserved.address }],
      }
      const answer = await subject().request('AssignPrivateIpAddresses', exactly)
      assert.deepEqual(
        list(answer, 'PrivateIpAddressSet').map((ip) => text(ip, 'PrivateIpAddress')),
        [reserved.address],
      )
      await ready(eni.id)
      const [bound] = await reservations({
        Filters: [{ Name: 'tag:tke-eni-contract', Values: ['reserved'] }],
      })
      assert.deepEqual(bound, { ...reserved, state: 'Bind', resourceId: eni.id })
      const release = { VpcId: place.vpcId, ReserveIpIds: [reserved.id] }
      await refused(
        subject(),
        'DeleteReserveIpAddresses',
        release,
        /^InvalidParameterValue\.ParameterMismatch$/,
      )
      await refused(subject(), 'AssignPrivateIpAddresses', exactly, /^(ResourceInUse|InvalidParameterValue)/)
      await subject().request('DeleteNetworkInterface', { NetworkInterfaceId: eni.id })
      await gone(subject(), eni.id)
      assert.deepEqual(await reservations({ ReserveIpIds: [reserved.id] }), [reserved])
      await subject().request('DeleteReserveIpAddresses', release)
      assert.deepEqual(
        await reservations({ Filters: [{ Name: 'reserve-ip-id', Values: [reserved.id] }] }),
        [],
      )
    })
    test('a named address is reserved once and counts as used', async () => {
      const available = async () => {
        const answer = await subject().request('DescribeSubnets', { SubnetIds: [place.subnetId] })
        return list(answer, 'SubnetSet')[0]?.['AvailableIpAddressCount']
      }
      const before = Number(await available())
      const first = await reserve('chosen')
      assert.equal(await available(), before - 1)
      await refused(
        subject(),
        'CreateReserveIpAddresses',
        { VpcId: place.vpcId, SubnetId: place.subnetId, IpAddresses: [first.address] },
        /^(ResourceInUse|InvalidParameterValue)/,
      )
      await subject().request('DeleteReserveIpAddresses', { VpcId: place.vpcId, ReserveIpIds: [first.id] })
      const params = { IpAddresses: [first.address], IpAddressCount: undefined }
      const again = await reserve('by name', params)
      assert.equal(again.address, first.address)
      await subject().request('DeleteReserveIpAddresses', { VpcId: place.vpcId, ReserveIpIds: [again.id] })
      assert.equal(await available(), before)
    })
    const eip = async (id: string): Promise<EipView | undefined> =>
      eips(await subject().request('DescribeAddresses', { AddressIds: [id] }))[0]
    const eipIn = async (id: string, state: string | undefined): Promise<EipView | undefined> => {
      let last: EipView | undefined
      for (let i = 0; i < maxReads; i++) {
        last = await eip(id)
        if (last?.state === state) return last
        await subject().wait()
      }
      assert.fail(`${id} does not become ${state}: ${JSON.stringify(last)}`)
    }
    const freeEip = async (token: string, more: Answer = {}) => {
      const answer = await subject().request('AllocateAddresses', { ClientToken: token, ...more })
      const ids = answer['AddressSet']
      assert.ok(Array.isArray(ids) && ids.length === 1)
      return { id: String(ids[0]), taskId: text(answer, 'TaskId') }
    }

    test('an EIP is allocated once per ClientToken, and its task is asked about by number', async () => {
      const params = { AddressName: 'contract', Tags: [{ Key: 'tke-eni-contract', Value: 'eip' }] }
      const { id, taskId } = await freeEip('eip', params)
      assert.match(id, /^eip-[0-9a-z]{8}$/)
      assert.equal((await freeEip('eip', params)).id, id)
      const free = await eipIn(id, 'UNBIND')
      assert.match(free?.address ?? '', /^\d+\.\d+\.\d+\.\d+$/)
      const byTag = await subject().request('DescribeAddresses', {
        Filters: [{ Name: 'tag:tke-eni-contract', Values: ['eip'] }],
      })
      assert.deepEqual(eips(byTag), [free])
      const task = await subject().request('DescribeTaskResult', { TaskId: Number(taskId) })
      assert.deepEqual([task['TaskId'], task['Result']], [Number(taskId), 'SUCCESS'])
      await refused(subject(), 'DescribeTaskResult', { TaskId: taskId }, /^InvalidParameter/)
      await subject().request('ReleaseAddresses', { AddressIds: [id] })
      await eipIn(id, undefined)
      await refused(subject(), 'ReleaseAddresses', { AddressIds: [id] }, /^Invalid.*NotFound$/)
    })
    test('an EIP stands for one address of an ENI, attached or not, until it is unbound', async () => {
      const { id } = await freeEip('bound')
      const { id: other } = await freeEip('other')
      await eipIn(other, 'UNBIND')
      const free = await eipIn(id, 'UNBIND')
      const eni = await made('public', { SecondaryPrivateIpAddressCount: 1 })
      const address = eni.ips.find((ip) => !ip.primary)?.address
      assert.ok(address)
      const onto = { AddressId: id, NetworkInterfaceId: eni.id, PrivateIpAddress: address }
      await subject().request('AssociateAddress', onto)
      const loose = await eipIn(id, 'BIND_ENI')
      assert.deepEqual([loose?.eniId, loose?.privateIp], [eni.id, address])
      await refused(subject(), 'AssociateAddress', onto, /^(UnsupportedOperation|InvalidPrivateIpAddress)/)
      const second = { ...onto, AddressId: other }
      await refused(subject(), 'AssociateAddress', second, /^InvalidPrivateIpAddress\.AlreadyBindEip$/)
      await refused(subject(), 'ReleaseAddresses', { AddressIds: [id] }, /^(UnsupportedOperation|Invalid)/)
      const on = { NetworkInterfaceId: eni.id, InstanceId: place.instanceId }
      await subject().request('AttachNetworkInterface', on)
      assert.equal((await eipIn(id, 'BIND'))?.instanceId, place.instanceId)
      await subject().request('DisassociateAddress', { AddressId: id })
      assert.deepEqual(await eipIn(id, 'UNBIND'), free)
      await refused(subject(), 'DisassociateAddress', { AddressId: id }, /^(UnsupportedOperation|Invalid)/)
      await subject().request('AssociateAddress', onto)
      await eipIn(id, 'BIND')
      await subject().request('UnassignPrivateIpAddresses', {
        NetworkInterfaceId: eni.id,
        PrivateIpAddresses: [{ PrivateIpAddress: address }],
      })
      assert.deepEqual(await eipIn(id, 'UNBIND'), free)
      await subject().request('ReleaseAddresses', { AddressIds: [id, other] })
      await eipIn(id, undefined)
    })
    test('an address that is not on the ENI is refused, and so is an EIP that is not there', async () => {
      const { id } = await freeEip('nowhere')
      await eipIn(id, 'UNBIND')
      const eni = await made('private')
      const onto = { AddressId: id, NetworkInterfaceId: eni.id, PrivateIpAddress: '192.168.255.254' }
      await refused(subject(), 'AssociateAddress', onto, /^Invalid/)
      const unknown = {
        AddressId: 'eip-00000000',
        NetworkInterfaceId: eni.id,
        PrivateIpAddress: eni.ips[0]?.address,
      }
      await refused(subject(), 'AssociateAddress', unknown, /^Invalid.*NotFound$/)
      await subject().request('ReleaseAddresses', { AddressIds: [id] })
    })
    test('an instance in another zone is refused', async () => {
      const eni = await made('far')
      await refused(
        subject(),
        'AttachNetworkInterface',
        { NetworkInterfaceId: eni.id, InstanceId: place.farInstanceId },
        /^UnsupportedOperation\.ZoneMismatch$/,
      )
    })
    test('the quota of an instance counts its primary ENI and primary addresses', async () => {
      const quota = await subject().request('DescribeNetworkInterfaceLimit', { InstanceId: place.instanceId })
      assert.ok(Number(quota['EniQuantity']) >= 2)
      assert.ok(Number(quota['EniPrivateIpAddressQuantity']) >= 2)
    })
  })
}

function opened(open: () => Promise<VpcSubject>): () => VpcSubject {
  let subject: VpcSubject | undefined
  before(async () => {
    subject = await open()
  })
  after(() => subject?.close())
  return () => {
    assert.ok(subject)
    return subject
  }
}

async function refused(subject: VpcSubject, action: string, params: Answer, code: RegExp): Promise<void> {
  await assert.rejects(subject.request(action, params), (error: { code?: unknown }) => {
    assert.match(String(error.code), code)
    return true
  })
}

function createdId(answer: Answer): string {
  return text(answer['NetworkInterface'] as Answer, 'NetworkInterfaceId')
}

function available(ip: { readonly state: string }): boolean {
  return ip.state === 'AVAILABLE'
}

const maxReads = 2000

async function settled(
  subject: VpcSubject,
  eniId: string,
  done: (eni: EniView) => boolean,
): Promise<EniView> {
  let last: EniView | undefined
  for (let i = 0; i < maxReads; i++) {
    ;[last] = enis(await subject.request('DescribeNetworkInterfaces', { NetworkInterfaceIds: [eniId] }))
    if (last !== undefined && done(last)) return last
    await subject.wait()
  }
  assert.fail(`${eniId} does not settle: ${JSON.stringify(last)}`)
}

async function gone(subject: VpcSubject, eniId: string): Promise<void> {
  for (let i = 0; i < maxReads; i++) {
    const answer = await subject.request('DescribeNetworkInterfaces', { NetworkInterfaceIds: [eniId] })
    if (enis(answer).length === 0) return
    await subject.wait()
  }
  assert.fail(`${eniId} is still there`)
}
