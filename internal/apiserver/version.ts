// What the server says it is: the conventions are those of this Kubernetes release.

export const serverVersion = {
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.0+tke-eni',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
} as const
