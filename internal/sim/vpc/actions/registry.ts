// Every action the simulated cloud knows, by name.
import type { Action } from '../action.ts'
import { attachNetworkInterface, deleteNetworkInterface, detachNetworkInterface } from './attach-eni.ts'
import { createAndAttachNetworkInterface, createNetworkInterface } from './create-eni.ts'
import { describeNetworkInterfaceLimit, describeNetworkInterfaces } from './describe-enis.ts'

export const actions: ReadonlyMap<string, Action> = new Map([
  ['CreateNetworkInterface', createNetworkInterface],
  ['CreateAndAttachNetworkInterface', createAndAttachNetworkInterface],
  ['AttachNetworkInterface', attachNetworkInterface],
  ['DetachNetworkInterface', detachNetworkInterface],
  ['DeleteNetworkInterface', deleteNetworkInterface],
  ['DescribeNetworkInterfaces', describeNetworkInterfaces],
  ['DescribeNetworkInterfaceLimit', describeNetworkInterfaceLimit],
])
