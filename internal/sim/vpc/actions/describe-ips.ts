// DescribeVpcPrivateIpAddresses and DescribeVpcTaskResult.
import { action } from '../action.ts'
import { ApiError } from '../api-error.ts'
import { vpcTime } from '../ids.ts'
import { id, list, record, text } from '../shape.ts'
import type { Task } from '../tasks.ts'
import { refuseOddAddresses } from './ip-choice.ts'

export const describeVpcPrivateIpAddresses = action({
  product: 'vpc',
  rate: 20,
  writes: false,
  params: record({ VpcId: id('vpc'), PrivateIpAddresses: list(text(), 100) }),
  run({ db }, { VpcId, PrivateIpAddresses }) {
    refuseOddAddresses(PrivateIpAddresses)
    if (db.get('SELECT 1 FROM vpc WHERE id = ?', VpcId) === undefined)
      throw new ApiError('ResourceNotFound', `The VPC \`${VpcId}\` does not exist.`)
    const used = db.all<{ address: string; cidr: string; created_at: number }>(
      `SELECT address, cidr, ip.created_at FROM ip JOIN subnet ON subnet.id = ip.subnet_id
       WHERE ip.vpc_id = ? AND address IN (SELECT value FROM json_each(?)) ORDER BY number`,
      VpcId,
      JSON.stringify(PrivateIpAddresses),
    )
    return {
      VpcPrivateIpAddressSet: used.map(({ address, cidr, created_at }) => ({
        PrivateIpAddress: address,
        CidrBlock: cidr,
        PrivateIpAddressType: 'CVM',
        CreatedTime: vpcTime(created_at),
      })),
    }
  },
})

export const describeVpcTaskResult = action({
  product: 'vpc',
  rate: 20,
  writes: false,
  params: record({ TaskId: text() }),
  run({ db }, { TaskId }) {
    const task = db.get<Task>('SELECT * FROM task WHERE id = ?', TaskId)
    if (task === undefined) throw new ApiError('ResourceNotFound', `The task \`${TaskId}\` does not exist.`)
    const output = task.state === 'FAILED' ? { errorCode: 'InternalError.ModuleError' } : {}
    return {
      Status: task.state,
      Output: JSON.stringify(output),
      Result: [{ ResourceId: task.eni_id, Status: task.state }],
    }
  },
})
