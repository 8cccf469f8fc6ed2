/**
 * Layer 8. The parameter `block`: hosts and networks that a server turns away, as
 * `10.0.0.0/8,192.168.1.5,fd00::/8`.
 */

/** Returns undefined if one of them is no address, or has an invalid length. */
export function parseBlockList(
  texts: readonly string[],
): { check(host: string, family?: string): boolean } | undefined {
  const networks = texts.map(parseNetwork)
  if (networks.includes(undefined)) return undefined
  return {
    check: host => {
      const bits = bitsOf(host)
      return bits !== undefined && networks.some(each => bits.startsWith(each as string))
    },
  }
}

/** The bits that all its addresses begin with, after the family. */
function parseNetwork(text: string): string | undefined {
  const [host = '', length, ...more] = text.split('/')
  const bits = bitsOf(host)
  const most = bits === undefined ? 0 : bits.length - FAMILY
  const count = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : Infinity
  return bits === undefined || more.length > 0 || count > most
    ? undefined
    : bits.slice(0, FAMILY + count)
}

/** The length of the family in front of the bits. */
const FAMILY = 2

/** The family and the bits of an address, as text of 0 and 1; undefined if it is none. */
function bitsOf(host: string): string | undefined {
  if (/^\d+(\.\d+){3}$/.test(host)) return join('4:', host.split('.').map(Number), 8)
  const [head = '', tail, ...more] = host.split('::')
  if (!host.includes(':') || more.length > 0) return undefined
  const parts = (text: string | undefined): number[] =>
    text === undefined || text === ''
      ? []
      : text.split(':').map(each => (/^[\da-f]{1,4}$/i.test(each) ? parseInt(each, 16) : NaN))
  const [left, right] = [parts(head), parts(tail)]
  const missing = 8 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  return join('6:', [...left, ...Array<number>(missing).fill(0), ...right], 16)
}

function join(family: string, numbers: readonly number[], width: number): string | undefined {
  if (!numbers.every(each => each >= 0 && each < 2 ** width)) return undefined
  return family + numbers.map(each => each.toString(2).padStart(width, '0')).join('')
}
