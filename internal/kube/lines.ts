// Splits a byte stream into lines, keeping no more than the line at hand.

/** Longest line we accept: etcd keeps objects below 1.5 MiB, JSON of managed fields may treble it. */
const maxLine = 16 * 1024 * 1024

export interface LineSplitter {
  /** The lines that `chunk` completes, without their line ends; empty ones are left out. Throws RangeError beyond `maxLine`. */
  push(chunk: Buffer): string[]
}

export function createLineSplitter(limit = maxLine): LineSplitter {
  let pieces: Buffer[] = []
  let length = 0
  const take = (last: Buffer): string => {
    const line = pieces.length === 0 ? last : Buffer.concat([...pieces, last])
    pieces = []
    length = 0
    // Decoded whole, so that a character cut by a chunk's end is safe.
    return line.toString('utf8')
  }
  return {
    push(chunk) {
      const lines: string[] = []
      let start = 0
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        const line = take(chunk.subarray(start, end)).trim()
        if (line !== '') lines.push(line)
        start = end + 1
      }
      if (start < chunk.length) {
        // A copy: the chunk's memory must not live on for the sake of its tail.
        const tail = Buffer.from(chunk.subarray(start))
        pieces.push(tail)
        length += tail.length
        if (length > limit) throw new RangeError(`line longer than ${limit} bytes`)
      }
      return lines
    },
  }
}
