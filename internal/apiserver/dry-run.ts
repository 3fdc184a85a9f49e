// dryRun: everything happens but the writing.
import { invalid } from './status-error.ts'

const about = { group: 'meta.k8s.io', resource: '', kind: 'Options' }

/** Is it a dry run? Throws StatusError 422 when it is asked for in other words than "All". */
export function checkedDryRun(asked: readonly string[]): boolean {
  if (asked.some((value) => value !== 'All')) {
    const message = `Unsupported value: ${JSON.stringify(asked)}: supported values: "All"`
    throw invalid(about, '', [{ reason: 'FieldValueNotSupported', message, field: 'dryRun' }])
  }
  return asked.length > 0
}
