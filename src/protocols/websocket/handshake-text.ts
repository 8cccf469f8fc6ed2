/**
 * Layer 7. The opening handshake (RFC 6455, section 4): a request and a response of HTTP/1.1, as
 * text. Each is written and read here, and nothing is sent.
 *
 * In the order of a handshake: writeRequest (client) → readRequest → writeAcceptance or
 * writeRefusal (server) → readResponse (client).
 */

import { Buffer } from 'node:buffer'
import { createHash, randomBytes } from 'node:crypto'
import { type Fields, type Head, isToken, listOf } from './head.ts'

/** Says that a server speaks WebSocket, and did not just repeat the key. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** 16 bytes in base64. */
const KEY = /^[A-Za-z\d+/]{21}[AQgw]==$/

const VERSION = '13'

export function newKey(): string {
  return randomBytes(16).toString('base64')
}

export function acceptOf(key: string): string {
  return createHash('sha1').update(key).update(GUID).digest('base64')
}

/** Fields that a program adds. */
export type Headers = Readonly<Record<string, string>>

function fieldLines(fields: Headers): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}

// ---- the client asks ----------------------------------------------------------------------------

/** What a client asks for. */
export interface Wish {
  /** The path and the query. */
  readonly resource: string
  readonly host: string
  readonly key: string
  readonly protocols: readonly string[]
  /** The extensions that it offers; '' for none. */
  readonly extensions: string
  readonly headers: Headers
}

export function writeRequest(wish: Wish): string {
  const { resource, host, key, protocols, extensions, headers } = wish
  return (
    `GET ${resource} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: ${VERSION}\r\n` +
    optional('Sec-WebSocket-Extensions', extensions) +
    optional('Sec-WebSocket-Protocol', protocols.join(', ')) +
    `${fieldLines(headers)}\r\n`
  )
}

/** An empty field would be refused by most. */
function optional(name: string, value: string): string {
  return value === '' ? '' : `${name}: ${value}\r\n`
}

// ---- the server reads ---------------------------------------------------------------------------

/** What a server was asked for. */
export interface Asked {
  readonly path: string
  /** What follows the first '?'; '' if nothing does. */
  readonly query: string
  readonly host: string
  readonly key: string
  readonly protocols: readonly string[]
  readonly fields: Fields
}

/** Why a request is refused, and with what. */
export interface Refusal {
  readonly status: number
  readonly why: string
  readonly headers?: Headers
}

const REQUEST = /^([!-~]+) ([!-~]+) HTTP\/(\d)\.(\d)$/
/** A path, after the name of the server if there is one. */
const TARGET = /^(?:(?:https?|wss?):\/\/[^/?#]+)?(\/[^?#]*)?(?:\?([^#]*))?$/i
const HOST = /^[!-.0-;=?-~]+$/

export function readRequest({ line, fields }: Head): Asked | Refusal {
  const [, method, resource = '', major, minor] = REQUEST.exec(line) ?? []
  if (method === undefined) return bad('the request line is invalid')
  if (major !== '1' || minor === '0') return { status: 505, why: 'only HTTP/1.1 can be upgraded' }
  if (method !== 'GET')
    return { status: 405, why: 'the method must be GET', headers: { Allow: 'GET' } }
  const target = targetOf(resource)
  if (target === undefined) return bad('the path is invalid')
  if (hasBody(fields)) return bad('there must be no body')
  const host = only(fields, 'host')
  if (host === undefined || !HOST.test(host)) return bad('there must be one Host')
  const protocols = listOf(fields, 'sec-websocket-protocol')
  const fault = faultOfRequest(fields, protocols)
  if (fault !== undefined) return fault
  const { path, query } = target
  return { path, query, host, key: only(fields, 'sec-websocket-key') as string, protocols, fields }
}

/** The path and the query that a request is for; undefined if they are invalid. */
export function targetOf(resource: string): Pick<Asked, 'path' | 'query'> | undefined {
  const [target = '', path = '/', query = ''] = TARGET.exec(resource) ?? []
  return target === '' ? undefined : { path, query }
}

function bad(why: string): Refusal {
  return { status: 400, why }
}

function hasBody(fields: Fields): boolean {
  const lengths = fields.get('content-length')
  return fields.has('transfer-encoding') || (lengths !== undefined && lengths.join() !== '0')
}

/** The value of a field that may come once; undefined if it is missing, or comes twice. */
function only(fields: Fields, name: string): string | undefined {
  const values = fields.get(name)
  return values?.length === 1 ? values[0] : undefined
}

/** Is this element in the list? In any case of letters. */
function includes(fields: Fields, name: string, element: string): boolean {
  // As most write it, with nothing else in it.
  if (only(fields, name)?.toLowerCase() === element) return true
  return listOf(fields, name).some(each => each.toLowerCase() === element)
}

function faultOfRequest(fields: Fields, protocols: readonly string[]): Refusal | undefined {
  if (!includes(fields, 'upgrade', 'websocket') || !includes(fields, 'connection', 'upgrade'))
    return { status: 426, why: 'this is a WebSocket server', headers: { Upgrade: 'websocket' } }
  if (only(fields, 'sec-websocket-version') !== VERSION)
    return {
      status: 426,
      why: `the version must be ${VERSION}`,
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': VERSION },
    }
  if (!KEY.test(only(fields, 'sec-websocket-key') ?? '')) return bad('there must be one valid key')
  if (!protocols.every(isToken) || new Set(protocols).size < protocols.length)
    return bad('the subprotocols are invalid')
  if ((fields.get('origin')?.length ?? 0) > 1) return bad('there must be one Origin at most')
  return undefined
}

// ---- the server answers -------------------------------------------------------------------------

/** What a server agrees to. */
interface Acceptance {
  readonly key: string
  readonly protocol: string
  readonly extensions: string
  readonly headers: Headers
}

/**
 * Exactly three fields, in their plainest form, and no empty ones: Node's own client, for example,
 * refuses `Connection: keep-alive, Upgrade`.
 */
export function writeAcceptance({ key, protocol, extensions, headers }: Acceptance): string {
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n` +
    optional('Sec-WebSocket-Protocol', protocol) +
    optional('Sec-WebSocket-Extensions', extensions) +
    `${fieldLines(headers)}\r\n`
  )
}

/** The phrases of the statuses that are usual here. A phrase may be empty. */
const PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
}

/** A response that does not upgrade. The connection closes after it. */
export function writeRefusal(status: number, headers: Headers, body: string): string {
  const isUpgrade = headers['Upgrade'] !== undefined
  const has = (name: string): boolean =>
    Object.keys(headers).some(each => each.toLowerCase() === name)
  return (
    `HTTP/1.1 ${status} ${PHRASES[status] ?? ''}\r\n` +
    `Connection: ${isUpgrade ? 'Upgrade, close' : 'close'}\r\n` +
    (has('content-type') ? '' : 'Content-Type: text/plain; charset=utf-8\r\n') +
    `Content-Length: ${Buffer.byteLength(body)}\r\n${fieldLines(headers)}\r\n${body}`
  )
}

// ---- the client reads ---------------------------------------------------------------------------

/**
 * What a response means:
 * - 'skip': another one follows (103, for example)
 * - 'refused': it does not upgrade
 * - 'wrong': it is one, but not as it must be
 */
export type Outcome =
  | { readonly kind: 'skip' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'wrong'; readonly status: number; readonly why: string }
  | { readonly kind: 'agreed'; readonly protocol: string; readonly extensions: string }

const RESPONSE = /^HTTP\/1\.1 (\d{3})(?: .*)?$/

export function readResponse({ line, fields }: Head, wish: Wish): Outcome {
  const status = Number(RESPONSE.exec(line)?.[1] ?? 0)
  if (status === 0) return wrong(0, `${JSON.stringify(line.slice(0, 40))} is no HTTP/1.1`)
  if (status !== 101)
    return status < 200 && status > 99 ? { kind: 'skip' } : { kind: 'refused', status }
  const protocol = fields.has('sec-websocket-protocol')
    ? (only(fields, 'sec-websocket-protocol') ?? '')
    : undefined
  const extensions = fields.get('sec-websocket-extensions')?.join(', ')
  const fault =
    faultOfUpgrade(fields, wish.key) ??
    faultOfProtocol(protocol, wish.protocols) ??
    (extensions !== undefined && (extensions === '' || wish.extensions === '')
      ? `it has the extensions "${extensions}", which nobody offered`
      : undefined)
  if (fault !== undefined) return wrong(status, fault)
  return { kind: 'agreed', protocol: protocol ?? '', extensions: extensions ?? '' }
}

function wrong(status: number, why: string): Outcome {
  return { kind: 'wrong', status, why }
}

function faultOfUpgrade(fields: Fields, key: string): string | undefined {
  if (only(fields, 'upgrade')?.toLowerCase() !== 'websocket') return 'Upgrade must be websocket'
  if (!includes(fields, 'connection', 'upgrade')) return 'Connection must be Upgrade'
  return only(fields, 'sec-websocket-accept') === acceptOf(key)
    ? undefined
    : 'Sec-WebSocket-Accept does not fit the key'
}

/** As in browsers: a server that knows none of the subprotocols must not go on without one. */
function faultOfProtocol(
  protocol: string | undefined,
  wanted: readonly string[],
): string | undefined {
  if (protocol === undefined)
    return wanted.length === 0
      ? undefined
      : `it chose none of the subprotocols ${wanted.join(', ')}`
  return wanted.includes(protocol)
    ? undefined
    : `it chose the subprotocol "${protocol}", which nobody asked for`
}
