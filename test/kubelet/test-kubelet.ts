// What the tests of device plugins want of a kubelet, be it the twin or the device manager of the real one.

export interface ResourceView {
  readonly capacity: number
  readonly allocatable: number
}

export interface TestKubelet {
  /** Of device plugins, as the plugins see it. */
  readonly directory: string
  /** What it would write into the Node's status. */
  resources(): Promise<Readonly<Record<string, ResourceView>>>
  /** The devices that a new container of the pod gets, or that the pod's has already. Rejects with why there are none. */
  allocate(pod: string, resource: string, count: number): Promise<readonly string[]>
  endPod(pod: string): Promise<void>
  /** As a new process, with the pods and the checkpoint of the one before. */
  start(): Promise<void>
  /** As by SIGKILL. */
  stop(): Promise<void>
}
