// Which versions of the CNI specification we speak, and the answer to VERSION. Loaded by every plugin run: kept small.
import { isRecord, parseJson } from './json.ts'

/** Oldest first. */
export const cniVersions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const
export type CniVersion = (typeof cniVersions)[number]

/** The version we answer in when we do not know, or do not speak, the one asked for. */
const newestCniVersion: CniVersion = '1.1.0'

/** `text` as a version we speak, or undefined. */
export function parseCniVersion(text: unknown): CniVersion | undefined {
  return cniVersions.find((version) => version === text)
}

/** Is `version` as new as `minimum`? */
export function isAtLeast(version: CniVersion, minimum: CniVersion): boolean {
  return cniVersions.indexOf(version) >= cniVersions.indexOf(minimum)
}

/** The answer to VERSION. `stdin` may say which version the answer is for; anything unreadable counts as not said. */
export function answerVersion(stdin: string): string {
  const config = parseJson(stdin)
  const asked = isRecord(config) ? config['cniVersion'] : undefined
  return JSON.stringify({
    cniVersion: parseCniVersion(asked) ?? newestCniVersion,
    supportedVersions: cniVersions,
  })
}
