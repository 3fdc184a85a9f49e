// ModifyNetworkInterfaceAttribute.
import { action } from '../action.ts'
import { getEni } from '../eni-table.ts'
import { id, list, optional, record, text } from '../shape.ts'

export const modifyNetworkInterfaceAttribute = action({
  product: 'vpc',
  rate: 100,
  writes: true,
  params: record({
    NetworkInterfaceId: id('eni'),
    NetworkInterfaceName: optional(text({ max: 60 })),
    NetworkInterfaceDescription: optional(text({ max: 60 })),
    SecurityGroupIds: optional(list(id('sg'), 5)),
    TrunkingFlag: optional(text({ oneOf: ['Enable', 'Disable'] })),
  }),
  run(call, params) {
    const eni = getEni(call.db, params.NetworkInterfaceId)
    call.db.run(
      'UPDATE eni SET name = ?, description = ?, groups = ? WHERE id = ?',
      params.NetworkInterfaceName ?? eni.name,
      params.NetworkInterfaceDescription ?? eni.description,
      params.SecurityGroupIds === undefined ? eni.groups : JSON.stringify(params.SecurityGroupIds),
      eni.id,
    )
    return {}
  },
})
