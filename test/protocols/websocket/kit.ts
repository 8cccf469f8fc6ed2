/** Frames made by hand, for the tests of what reads them. */

import { Buffer } from 'node:buffer'

export interface FrameOptions {
  readonly fin?: boolean
  readonly rsv?: number
  readonly opcode?: number
  /** Four bytes; undefined: not masked. */
  readonly key?: readonly number[] | undefined
  /** The bytes that say the length; the shortest form unless given. */
  readonly form?: 1 | 3 | 9
}

/** A frame, as the RFC draws it. */
export function frame(
  payload: string | Uint8Array,
  {
    fin = true,
    rsv = 0,
    opcode = typeof payload === 'string' ? 1 : 2,
    key,
    form,
  }: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(payload as string)
  const { length } = bytes
  const size = form ?? (length < 126 ? 1 : length < 65536 ? 3 : 9)
  const bit = key === undefined ? 0 : 0x80
  const head = Buffer.alloc(1 + size)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  head[1] = bit | (size === 1 ? length : size === 3 ? 126 : 127)
  if (size === 3) head.writeUInt16BE(length, 2)
  if (size === 9) head.writeBigUInt64BE(BigInt(length), 2)
  if (key === undefined) return Buffer.concat([head, bytes])
  return Buffer.concat([head, Buffer.from(key), bytes.map((byte, i) => byte ^ key[i % 4]!)])
}

export const KEY = [0x37, 0xfa, 0x21, 0x3d]

/** A frame of a client. */
export function masked(payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  return frame(payload, { key: KEY, ...options })
}

/** A close frame of a client; or of a server, if `key` is undefined. */
export function closing(
  code?: number,
  reason = '',
  key: readonly number[] | undefined = KEY,
): Buffer {
  const text = Buffer.from(reason)
  const head = code === undefined ? [] : [code >> 8, code & 255]
  return frame(Buffer.concat([Buffer.from(head), text]), { opcode: 8, key })
}
