// Which versions of the CNI specification we speak, and the answer to VERSION. Loaded by every plugin run: kept small.
import { isRecord, parseJson } from './json.ts'

/** Oldest first. */
export const cniVersions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const
export type CniVersion = (typeof cniVersions)[number]

const newestCniVersion: CniVersion = '1.1.0'

/** `text` as a version we speak, or undefined. */
export function parseCniVersion(text: unknown): CniVersion | undefined {
  return cniVersions.find((version) => version === text)
}

/** Is `version` as new as `minimum`? */
export function isAtLeast(version: CniVersion, minimum: CniVersion): boolean {
  return cniVersions.indexOf(version) >= cniVersions.indexOf(minimum)
}

/** The version to answer in: the one that `config` asks for, or the newest when we cannot read, or do not speak, that one. */
export function versionToAnswerIn(config: unknown): CniVersion {
  return (isRecord(config) ? parseCniVersion(config['cniVersion']) : undefined) ?? newestCniVersion
}

/** The answer to VERSION. `stdin` may say which version the answer is for. */
export function answerVersion(stdin: string): string {
  return JSON.stringify({
    cniVersion: versionToAnswerIn(parseJson(stdin)),
    supportedVersions: cniVersions,
  })
}
