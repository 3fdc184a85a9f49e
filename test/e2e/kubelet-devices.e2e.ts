// The resources of a node, as the device manager of a real kubelet takes them.
import { kubeletContract } from '../kubelet/kubelet.contract.ts'
import { explainSkip, missingPieces } from './pieces.ts'
import { realKubelet } from './real-kubelet.ts'
import { temporaryFolder } from './service.ts'

const missing = missingPieces('root', 'unshare', 'kubelet-devices')

kubeletContract('a real kubelet', () => realKubelet(temporaryFolder('kubelet')), explainSkip(missing))
