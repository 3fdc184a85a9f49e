import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceOf } from '../../internal/ipam/pod-need.ts'

for (const { mode = 'shared', keepsIp, staticIps, want } of [
  { keepsIp: true, staticIps: true, want: 'claimed' },
  { keepsIp: true, staticIps: undefined, want: 'claimed' },
  { keepsIp: true, staticIps: false, want: 'pool' },
  { keepsIp: false, staticIps: true, want: 'pool' },
  { keepsIp: undefined, staticIps: true, want: 'either' },
  { keepsIp: undefined, staticIps: undefined, want: 'either' },
  { keepsIp: undefined, staticIps: false, want: 'pool' },
  { mode: 'exclusive', keepsIp: true, staticIps: true, want: 'pool' },
] as const)
  test(`[S4] sourceOf() gives from ${want} when a pod of ${mode} ENIs keeps its address: ${keepsIp}, and that is served: ${staticIps}`, () => {
    assert.equal(sourceOf({ mode, keepsIp }, staticIps), want)
  })
