/**
 * Layer 1. The header of the PROXY protocol, in which a proxy tells a server whose connection it
 * passes on.
 *
 * Rules:
 * 1. Bytes in; a header, 'more' or an error out. The result is one of the three for any bytes,
 *    however they were cut.
 * 2. The addresses in a header are not doubted. Which proxies to trust is decided by the caller.
 * 3. A header has a bound in both versions (MOST_V1, MOST_V2), so waiting for its end costs no more
 *    memory than that.
 */
// Source: "The PROXY protocol, versions 1 & 2" (HAProxy), sections 2.1 and 2.2.

import { Buffer } from 'node:buffer'
import { ProxyHeaderError } from '../errors.ts'
import type { ProxyExtensions } from '../transport.ts'
import type { Bytes, SocketAddress } from '../types.ts'

/**
 * What a header says. It has no addresses if the connection is the proxy's own (a health check) or
 * if the proxy does not know them.
 */
export interface ProxyHeader {
  /** The bytes of the header itself. */
  readonly size: Bytes
  /** The address of the client. */
  readonly remote?: SocketAddress
  /** The address that the client connected to. */
  readonly local?: SocketAddress
  /** The extensions by their types, of version 2. Of one type, the last. */
  readonly extensions?: ProxyExtensions
}

/** The most bytes of a header of version 1, its line end included (section 2.1). */
const MOST_V1: Bytes = 107

/** The bytes of the fixed part of version 2. */
const FIXED: Bytes = 16

/** The most bytes after the fixed part: addresses take up to 216, the rest is for extensions. */
const MOST_V2: Bytes = 4096

const V1 = Buffer.from('PROXY ')
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/**
 * The command of a connection that is the proxy's own, and the family of addresses that it does not
 * know. All that follows the fixed part must be discarded then, whatever it is (section 2.2).
 */
const LOCAL = 0
const UNSPEC = 0

/** The bytes that both addresses take, by family: IPv4, IPv6, unix. */
const SIZES: Readonly<Record<number, Bytes>> = { 1: 12, 2: 36, 3: 216 }

/** The types of the extension that has a checksum, and of padding. */
const CRC32C = 0x03
const NOOP = 0x04

/**
 * Reads the header at the start of these bytes. 'more' means that it is not complete yet.
 *
 * Throws ProxyHeaderError (ERR_PROXY_HEADER) if they do not begin with a valid header.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'more' {
  if (begins(bytes, V2)) return bytes.length < FIXED ? 'more' : readV2(bytes)
  if (begins(bytes, V1)) return bytes.length < V1.length ? 'more' : readV1(bytes)
  throw new ProxyHeaderError('it begins with neither "PROXY " nor the signature of version 2')
}

/** Do they begin as a header does, whether or not it is valid? */
export function claimsHeader(bytes: Buffer): boolean {
  return begins(bytes, V2) || begins(bytes, V1)
}

/** Do the bytes, as far as there are any, begin with these? */
function begins(bytes: Buffer, start: Buffer): boolean {
  const size = Math.min(bytes.length, start.length)
  return bytes.compare(start, 0, size, 0, size) === 0
}

// ---- version 1: a line of text ------------------------------------------------------------------

function readV1(bytes: Buffer): ProxyHeader | 'more' {
  const line = bytes.toString('latin1', 0, Math.min(bytes.length, MOST_V1))
  const end = line.indexOf('\r\n')
  if (end === -1) {
    if (line.length < MOST_V1) return 'more'
    throw new ProxyHeaderError(
      `version 1 has at most ${MOST_V1} bytes, and there is no line end in them`,
    )
  }
  const size = end + 2
  const [, family, remote, local, remotePort, localPort, ...others] = line.slice(0, end).split(' ')
  if (family === 'UNKNOWN') return { size }
  if (family !== 'TCP4' && family !== 'TCP6')
    throw new ProxyHeaderError(`its family is ${JSON.stringify(family)}, not TCP4, TCP6 or UNKNOWN`)
  if (others.length > 0) throw new ProxyHeaderError('there is text after its ports')
  return {
    size,
    remote: addressV1(family, remote, remotePort),
    local: addressV1(family, local, localPort),
  }
}

function addressV1(family: string, host = '', port = ''): SocketAddress {
  const isHost =
    family === 'TCP4'
      ? isIPv4(host)
      : /^[\da-f:.]{2,45}$/i.test(host) && URL.canParse(`http://[${host}]`)
  if (!isHost)
    throw new ProxyHeaderError(`${JSON.stringify(host)} is not a valid ${family} address`)
  if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535)
    throw new ProxyHeaderError(`${JSON.stringify(port)} is not a valid port`)
  return [family === 'TCP4' ? host : shortest(host), Number(port)]
}

function isIPv4(host: string): boolean {
  const parts = host.split('.')
  return (
    parts.length === 4 && parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  )
}

// ---- version 2: binary --------------------------------------------------------------------------

function readV2(bytes: Buffer): ProxyHeader | 'more' {
  const [version, command] = [bytes.readUInt8(12) >> 4, bytes.readUInt8(12) & 15]
  const family = bytes.readUInt8(13) >> 4
  const length = bytes.readUInt16BE(14)
  if (version !== 2) throw new ProxyHeaderError(`its version is ${version}, not 2`)
  if (command > 1)
    throw new ProxyHeaderError(`its command is ${command}, neither LOCAL (0) nor PROXY (1)`)
  if (length > MOST_V2)
    throw new ProxyHeaderError(`its length is ${length} bytes; at most ${MOST_V2} are accepted`)
  const size = FIXED + length
  const isUnknown = command === LOCAL || family === UNSPEC
  if (!isUnknown) checkSize(family, length)
  if (bytes.length < size) return 'more'
  if (isUnknown) return { size }
  const header = bytes.subarray(0, size)
  const extensions = extensionsV2(header, FIXED + SIZES[family]!)
  return { size, ...addressesV2(header, family), ...(extensions.size > 0 && { extensions }) }
}

function checkSize(family: number, length: Bytes): void {
  const addresses = SIZES[family]
  if (addresses === undefined)
    throw new ProxyHeaderError(`its address family is ${family}, not 0 to 3`)
  if (length < addresses)
    throw new ProxyHeaderError(
      `its length is ${length} bytes, too few for its addresses (${addresses} bytes)`,
    )
}

function addressesV2(
  header: Buffer,
  family: number,
): { remote: SocketAddress; local: SocketAddress } {
  const at = FIXED
  if (family === 1) {
    const host = (from: Bytes): string => header.subarray(from, from + 4).join('.')
    return {
      remote: [host(at), header.readUInt16BE(at + 8)],
      local: [host(at + 4), header.readUInt16BE(at + 10)],
    }
  }
  if (family === 2) {
    return { remote: ipv6(header, at, at + 32), local: ipv6(header, at + 16, at + 34) }
  }
  return { remote: path(header, at), local: path(header, at + 108) }
}

function ipv6(header: Buffer, at: Bytes, portAt: Bytes): SocketAddress {
  const groups = Array.from({ length: 8 }, (_, i) => header.readUInt16BE(at + 2 * i).toString(16))
  return [shortest(groups.join(':')), header.readUInt16BE(portAt)]
}

/**
 * The canonical form of an IPv6 address; an IPv4 address in IPv6 becomes IPv4. A limit per address
 * would count a host with several forms as several hosts.
 */
function shortest(host: string): string {
  const short = new URL(`http://[${host}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(short)
  if (mapped === null) return short
  return mapped
    .slice(1)
    .map(half => parseInt(half, 16))
    .flatMap(half => [half >> 8, half & 255])
    .join('.')
}

function path(header: Buffer, at: Bytes): string {
  const bytes = header.subarray(at, at + 108)
  const end = bytes.indexOf(0, 1)
  return bytes.toString('utf8', 0, end === -1 ? 108 : end).replace(/^\0$/, '')
}

/**
 * The extensions after the addresses, copied. A checksum among them must be right (2.2.2); it and
 * padding say nothing more.
 */
function extensionsV2(header: Buffer, from: Bytes): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = from; at < header.length;) {
    const end = at + 3 > header.length ? Infinity : at + 3 + header.readUInt16BE(at + 1)
    if (end > header.length) throw new ProxyHeaderError('an extension reaches beyond its end')
    const type = header.readUInt8(at)
    if (type === CRC32C) checkSum(header, at, end)
    else if (type !== NOOP) found.set(type, Buffer.from(header.subarray(at + 3, end)))
    at = end
  }
  return found
}

function checkSum(header: Buffer, at: Bytes, end: Bytes): void {
  if (end !== at + 7) throw new ProxyHeaderError('its checksum is not 4 bytes long')
  const stated = header.readUInt32BE(at + 3)
  const copy = Buffer.from(header)
  copy.fill(0, at + 3, end)
  if (crc32c(copy) !== stated) throw new ProxyHeaderError('its checksum is wrong')
}

/**
 * CRC-32C (RFC 9260, appendix A). One bit at a time is fast enough: a header is short, and few have
 * a checksum.
 */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}
