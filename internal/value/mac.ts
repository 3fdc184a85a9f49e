// A MAC address, always lower case: the VPC API prints upper case, Linux lower case.

export type Mac = string & { readonly brand: 'mac' }

/** The address in `text` in lower case, or undefined when it is not six hexadecimal bytes. */
export function parseMac(text: string): Mac | undefined {
  const lower = text.toLowerCase()
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(lower) ? (lower as Mac) : undefined
}
