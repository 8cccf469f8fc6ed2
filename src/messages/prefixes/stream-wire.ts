/**
 * Layer 8. What the two sides of `stream+` say on their request connection: a request, the reply,
 * then the data, and that the client is done. The bytes are the original's.
 *
 * | msgid | from | data |
 * |---|---|---|
 * | 12 Request | client | version 2, name 8, attributes 8, kind 1 (0: by seq), seq 8, 8 unused |
 * | 20 Reply | server | last seq 8, requested seq 8, seq of the block 8 (-1), name 8 |
 * | 30 Error | server | pointer to the text 8, name 8, the text |
 * | 40 Done | client | the last seq that it has had 8 |
 *
 * Numbers are little-endian. A name is a pointer to text, and 0 if there is none.
 */

import { Buffer } from 'node:buffer'
import { ReadError } from '../../errors.ts'
import type { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'
import { hasConnections } from './below.ts'

/** The `msgid` of each. */
export const Say = { Request: 12, Reply: 20, Error: 30, Done: 40 } as const

const VERSION = 1
const REQUEST_SIZE = 35
const KIND_AT = 18
const SEQ_AT = 19
/** Requests by block are kind 1. */
const BY_SEQ = 0

/** The size in a pointer has 3 bytes; above them stands how long an entity is. */
const SIZE_MASK = 0xffffff
const ENTITY = 0x1000000

export function request(seq: bigint): Buffer {
  const data = Buffer.alloc(REQUEST_SIZE)
  data.writeUInt16LE(VERSION)
  data.writeBigInt64LE(seq, SEQ_AT)
  return data
}

/** The seq that is asked for. Throws ReadError if it is another kind of request. */
export function readRequest(data: Buffer): bigint {
  if (data.length < SEQ_AT + 8) throw invalid(`a request of ${data.length} bytes`)
  const version = data.readUInt16LE()
  if (version !== VERSION) throw invalid(`a request of version ${version}`)
  if (data[KIND_AT] !== BY_SEQ) throw invalid('a request by block: there are no blocks here')
  return data.readBigInt64LE(SEQ_AT)
}

export function reply(last: bigint, requested: bigint): Buffer {
  const data = Buffer.alloc(32)
  data.writeBigInt64LE(last)
  data.writeBigInt64LE(requested, 8)
  data.writeBigInt64LE(-1n, 16)
  return data
}

/** The last seq that the server has. */
export function readReply(data: Buffer): bigint {
  if (data.length < 24) throw invalid(`a reply of ${data.length} bytes`)
  return data.readBigInt64LE()
}

export function done(seq: bigint): Buffer {
  const data = Buffer.alloc(8)
  data.writeBigInt64LE(seq)
  return data
}

export function errorText(text: string): Buffer {
  const head = Buffer.alloc(16)
  const bytes = Buffer.from(`${text}\0`)
  head.writeUInt32LE(head.length)
  head.writeUInt32LE(bytes.length + ENTITY, 4)
  return Buffer.concat([head, bytes])
}

/** The text of an error, as far as it is there. */
export function readErrorText(data: Buffer): string {
  if (data.length < 8) return ''
  const at = data.readUInt32LE()
  const size = data.readUInt32LE(4) & SIZE_MASK
  return data.subarray(at, at + Math.max(0, size - 1)).toString()
}

export function invalid(what: string): ReadError {
  return new ReadError('ERR_STREAM', `stream+: ${what}`)
}

/** Throws UrlError unless the child, or one below it, says hello with its last seq. */
export function checkChild({ url }: Params): void {
  if (!url.protocol.includes('+pub+')) throw url.protocol_fault('stream+ stands before pub+')
}

/** Throws UrlError if history cannot pass through the channel that the parameter `key` gives. */
export function checkPart(params: Params, key: string, part: MessageChannel): void {
  const { msgid, seq } = part.carries
  if (!msgid || !seq || !hasConnections(part))
    throw params.fault(
      key,
      'a channel that carries msgid and seq and loses nothing, such as tcp:// with frame=std',
    )
}
