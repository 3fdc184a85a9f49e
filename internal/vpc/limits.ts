// Requests per second that Tencent Cloud grants to each action of one account in one region. Its pages change, so
// a caller may override each; other clients of the account share them, which the limiter learns by being throttled.

export type ActionLimits = Readonly<Record<string, number>>

export const defaultLimits: ActionLimits = {
  AllocateAddresses: 10,
  AssignPrivateIpAddresses: 100,
  AssociateAddress: 10,
  AttachNetworkInterface: 100,
  CreateNetworkInterface: 100,
  CreateReserveIpAddresses: 20,
  DeleteNetworkInterface: 100,
  DeleteReserveIpAddresses: 20,
  DescribeAddresses: 20,
  DescribeAddressQuota: 10,
  DescribeInstances: 40,
  DescribeNetworkInterfaceLimit: 20,
  DescribeNetworkInterfaces: 100,
  DescribeReserveIpAddresses: 20,
  DescribeSubnets: 100,
  DetachNetworkInterface: 100,
  DisassociateAddress: 10,
  MigratePrivateIpAddress: 100,
  ReleaseAddresses: 10,
  UnassignPrivateIpAddresses: 100,
}

/** For an action not in the table. */
export const otherLimit = 10

/** Most ids that a describe takes, and most items that it answers in a page. */
export const pageSize = 100
