// OpenAPI v2 as protocol buffers, for kubectl before 1.29, which reads no other form before it applies anything:
// for each kind that its patch takes fieldValidation, so that checking is left to the server.
import type { ResourceType } from './resource.ts'

export const openApiProtobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

type Part = readonly [number: number, value: string | Uint8Array]

/** The bytes of a gnostic openapi_v2.Document. */
export function openApiV2Protobuf(types: readonly ResourceType[], version: string): Uint8Array {
  const info = message([1, 'Kubernetes'], [2, version])
  const paths = types.map(
    (type): Part => [
      2,
      message([1, `/${type.group}/${type.version}/${type.resource}/{name}`], [2, pathItem(type)]),
    ],
  )
  return message([1, '2.0'], [2, info], [8, message(...paths)])
}

function pathItem({ group, version, kind }: ResourceType): Uint8Array {
  const query = message([2, 'query'], [4, 'fieldValidation'])
  const parameter = message([1, message([2, message([3, query])])])
  const yaml = `group: ${JSON.stringify(group)}\nversion: ${version}\nkind: ${kind}\n`
  const extension = message([1, 'x-kubernetes-group-version-kind'], [2, message([2, yaml])])
  return message([8, message([8, parameter], [13, extension])])
}

function message(...parts: readonly Part[]): Uint8Array {
  return Buffer.concat(
    parts.flatMap(([number, value]) => {
      const bytes = typeof value === 'string' ? Buffer.from(value) : value
      return [varint(number * 8 + 2), varint(bytes.length), bytes]
    }),
  )
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return Uint8Array.from([...bytes, rest])
}
