// Tags as parameters of the API: given to what is made, and asked for in a list.

type Tags = Readonly<Record<string, string>>

/** Left out when there are none: the API would take an empty list for a value. */
export function tagParams(tags: Tags): object {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  return list.length > 0 ? { Tags: list } : {}
}

/** All of them must be there. */
export function tagFilters(tags: Tags): readonly object[] {
  return Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }))
}

/** The thing itself is the truth: another's must never pass for ours. */
export function hasTags(one: { readonly tags: Tags }, wanted: Tags): boolean {
  return Object.entries(wanted).every(([key, value]) => one.tags[key] === value)
}

/** `"key=value", "key=value"`, for messages. */
export function listTags(tags: Tags): string {
  return Object.entries(tags)
    .map(([key, value]) => `"${key}=${value}"`)
    .join(', ')
}
