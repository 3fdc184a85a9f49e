// What ip-masq-agent is told, as those see it who wrote the rest of it: nothing of theirs changes, whatever leaders write.
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import type { World } from './world.ts'

const listKey = 'NonMasqueradeSrcCIDRs'.toLowerCase()
/** What leaders make where there is none. */
const made = '{"NonMasqueradeCIDRs":["10.0.0.0/8"]}'

interface Config {
  readonly others: Readonly<Record<string, unknown>>
  readonly sources: readonly string[]
}

export class MasqWatch {
  readonly #world: World
  /** As people have it: their ranges, and all that is no range. */
  #theirs: Config | undefined
  /** Letter by letter; undefined once they have edited what leaders had written in. */
  #text: string | undefined

  constructor(world: World) {
    this.#world = world
    const { masqConfig } = world.shape
    if (masqConfig !== undefined) {
      world.kube.masqConfig = { text: masqConfig }
      this.#text = masqConfig
      this.#theirs = read(masqConfig)
    }
    world.kube.masqWitness = () => this.#see()
  }

  /** What leaders have put in. */
  ours(): readonly string[] {
    const { masqConfig } = this.#world.kube
    const theirs = new Set(this.#theirs?.sources)
    return masqConfig === undefined
      ? []
      : read(masqConfig.text).sources.filter((source) => !theirs.has(source))
  }

  /** Is the range in for another reason? */
  isTheirs(source: string): boolean {
    return this.#theirs?.sources.includes(source) === true
  }

  /** Somebody adds a range of his own, and what is in stays in. */
  edit(): void {
    const { kube, log } = { kube: this.#world.kube, log: (line: string) => this.#world.log(line) }
    const { masqConfig } = kube
    if (masqConfig === undefined || !masqConfig.text.startsWith('{')) return
    const config = JSON.parse(masqConfig.text) as Record<string, unknown>
    const key = Object.keys(config).find((one) => one.toLowerCase() === listKey) ?? 'NonMasqueradeSrcCIDRs'
    const range = `192.168.${this.#theirs?.sources.length ?? 0}.0/24`
    config[key] = [...((config[key] ?? []) as string[]), range]
    log(`${range} is written into ip-masq-agent's configuration`)
    kube.masqConfig = { ...masqConfig, text: JSON.stringify(config) }
    const { others, sources } = this.#theirs ?? read(made)
    this.#theirs = { others, sources: [...sources, range] }
    this.#text = undefined
  }

  #see(): void {
    const { faults, kube } = this.#world
    const { text, note } = kube.masqConfig ?? { text: '', note: undefined }
    if (this.#theirs === undefined) {
      this.#theirs = read(made)
      this.#text = made
    }
    const { others, sources } = read(text)
    const theirs = this.#theirs
    if (!isDeepStrictEqual(others, theirs.others))
      faults.push(`ip-masq-agent was told ${JSON.stringify(theirs.others)}, and is ${JSON.stringify(others)}`)
    const left = sources.filter((source) => theirs.sources.includes(source))
    if (!isDeepStrictEqual(left, [...theirs.sources]))
      faults.push(`ip-masq-agent was told to leave ${theirs.sources.join()}, and is ${left.join()}`)
    const odd = sources.filter((one) => !theirs.sources.includes(one) && !/^10\.0\.\d+\.\d+\/32$/.test(one))
    if (odd.length > 0)
      faults.push(`ip-masq-agent is told to leave ${odd.join()}, which are no addresses of pods`)
    if (note === undefined && this.#text !== undefined && text !== this.#text)
      faults.push(`of ${JSON.stringify(this.#text)} is left ${JSON.stringify(text)}`)
  }
}

function read(text: string): Config {
  const config = (parse(text) ?? {}) as Readonly<Record<string, unknown>>
  const isList = (key: string) => key.toLowerCase() === listKey
  const lists = Object.entries(config).filter(([key]) => isList(key))
  return {
    others: Object.fromEntries(Object.entries(config).filter(([key]) => !isList(key))),
    sources: lists.flatMap(([, list]) => (list ?? []) as string[]),
  }
}
