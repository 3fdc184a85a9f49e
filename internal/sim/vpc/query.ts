// The GET form of parameters: "Filters.0.Name=zone&Filters.0.Values.0=a" is {Filters: [{Name: "zone", Values: ["a"]}]}.

/** Nested objects and lists with text at their ends. */
export function parseQuery(query: string): unknown {
  const root: Tree = new Map()
  for (const [path, value] of new URLSearchParams(query)) plant(root, path.split('.'), value)
  return harvest(root)
}

type Tree = Map<string, Tree | string>

function plant(tree: Tree, [name = '', ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) {
    tree.set(name, value)
    return
  }
  const found = tree.get(name)
  const branch = found instanceof Map ? found : new Map<string, Tree | string>()
  tree.set(name, branch)
  plant(branch, rest, value)
}

/** A branch whose names are all numbers is a list, in their order. */
function harvest(tree: Tree): unknown {
  const entries = [...tree].map(
    ([name, value]) => [name, value instanceof Map ? harvest(value) : value] as const,
  )
  if (entries.length === 0 || !entries.every(([name]) => /^\d+$/.test(name)))
    return Object.fromEntries(entries)
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => value)
}
