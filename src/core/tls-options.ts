/**
 * Layer 1. The options of TLS that a program gives: those of Node, checked where they are given. A
 * misspelt one would be ignored by Node: with `requestCerts`, no client would be asked for a
 * certificate.
 *
 * Rules:
 * 1. What Node itself judges when a context is made (certificates, keys, ciphers) is left to it.
 * 2. An option of a Node that is newer than NAMES can be given in `secureContext`.
 */

import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { InvalidArgumentError } from '../errors.ts'
import type { TlsOptions, TlsReserved } from '../transport.ts'
import type { Bytes } from '../types.ts'
import { isRecord } from './checks.ts'
import { noSuchOption } from './options.ts'

/** The options that cannot be given, and the part of sluice that decides instead. */
const RESERVED: Readonly<Record<TlsReserved, string>> = {
  allowHalfOpen: 'on_read_end',
  blockList: 'block_list',
  handshakeTimeout: 'handshake_timeout',
  host: 'connect',
  isServer: 'a Client or a Server',
  keepAlive: 'keep_alive',
  keepAliveInitialDelay: 'keep_alive',
  lookup: 'connect',
  noDelay: 'no_delay',
  onread: 'on_read',
  path: 'connect',
  pauseOnConnect: 'suspend',
  port: 'connect',
  server: 'a Server',
  signal: 'connect',
  socket: 'start_tls',
  timeout: 'the timeouts of the channel',
}

/** The other options of Node 20 to 26. */
const NAMES = (
  'ALPNCallback ALPNProtocols SNICallback allowPartialTrustChain ca cert certificateCompression ' +
  'checkServerIdentity ciphers clientCertEngine crl dhparam ecdhCurve enableTrace highWaterMark ' +
  'honorCipherOrder key maxVersion minDHSize minVersion passphrase pfx privateKeyEngine ' +
  'privateKeyIdentifier pskCallback pskIdentityHint rejectUnauthorized requestCert requestOCSP ' +
  'secureContext secureOptions secureProtocol servername session sessionIdContext ' +
  'sessionTimeout sigalgs ticketKeys'
).split(' ')

/** In bytes: on the wire one byte has the length. */
const LONGEST_NAME: Bytes = 255

/** What Node judges only when a connection begins, where nobody could catch it: type and words. */
const LATE: Readonly<Record<string, readonly [type: string, words: string]>> = {
  checkServerIdentity: ['function', 'a function'],
  enableTrace: ['boolean', 'a boolean'],
  highWaterMark: ['number', 'a number'],
  minDHSize: ['number', 'a number'],
  pskCallback: ['function', 'a function'],
  secureContext: ['object', 'what tls.createSecureContext returns'],
  servername: ['string', 'a string'],
  session: ['object', 'a Buffer'],
}

/** The check of a setting `tls`, where null and undefined mean none. */
export function checkTls(name: string, value: unknown): TlsOptions | undefined {
  return value === undefined || value === null ? undefined : checkTlsOptions(name, value)
}

/** Throws for what is no object of options, for a name that is none, and for the wrong type. */
export function checkTlsOptions(what: string, value: unknown): TlsOptions {
  if (!isRecord(value))
    throw new InvalidArgumentError(what, "an object of Node's TLS options, or null for none", value)
  for (const [name, option] of Object.entries(value)) {
    if (Object.hasOwn(RESERVED, name)) checkLeftOut(what, name as TlsReserved, option)
    else if (!NAMES.includes(name)) throw noSuchOption(what, name, NAMES)
    else if (name === 'ALPNProtocols') checkProtocols(what, option)
    else if (Object.hasOwn(LATE, name)) checkType(what, name, option)
  }
  return value
}

/** An empty name ends the process of Node, in which an assertion fails. */
function checkProtocols(what: string, value: unknown): void {
  if (value === undefined || value === null) return
  const names = ArrayBuffer.isView(value) ? wireNames(value) : value
  if (!Array.isArray(names) || !names.every(isProtocol))
    throw new InvalidArgumentError(
      `${what}: ALPNProtocols`,
      `an array of names, each of 1 to ${LONGEST_NAME} bytes`,
      value,
    )
}

function isProtocol(name: unknown): boolean {
  const isName = typeof name === 'string' || types.isUint8Array(name)
  const size = isName ? Buffer.byteLength(name) : 0
  return size > 0 && size <= LONGEST_NAME
}

/** The names as they stand on the wire, each behind its length; undefined if they do not. */
function wireNames(list: ArrayBufferView): readonly Buffer[] | undefined {
  const bytes = Buffer.from(list.buffer, list.byteOffset, list.byteLength)
  const names: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    const end = at + 1 + bytes[at]!
    names.push(bytes.subarray(at + 1, end))
    at = end
  }
  return at === bytes.length ? names : undefined
}

function checkLeftOut(what: string, name: TlsReserved, value: unknown): void {
  const wanted = `left out: that is what ${RESERVED[name]} is for`
  if (value !== undefined) throw new InvalidArgumentError(`${what}: ${name}`, wanted, value)
}

function checkType(what: string, name: string, value: unknown): void {
  const [type, words] = LATE[name]!
  if ((value ?? undefined) !== undefined && typeof value !== type)
    throw new InvalidArgumentError(`${what}: ${name}`, words, value)
}
