import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { kubeletContract } from './kubelet.contract.ts'
import { kubeletTwin } from './kubelet-twin.ts'

const home = mkdtempSync(join(tmpdir(), 'tke-eni-kubelet-'))
after(() => rmSync(home, { recursive: true, force: true }))

kubeletContract('a kubelet twin', () => kubeletTwin(home))
