// What somebody has written, fit for a sentence about it: pods are many, and what nobody could mean is not kept.
const most = 60

/** In one line, cut. */
export function shownText(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > most ? `${line.slice(0, most - 3)}...` : line
}
