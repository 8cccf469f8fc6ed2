/**
 * A peer that plays cases: one end of a connection, which writes the frames that it is told to and
 * reads what comes. Nothing of src/ is in it: it must not share its errors.
 */

import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  type DeflateRaw,
  type InflateRaw,
  constants,
  createDeflateRaw,
  createInflateRaw,
} from 'node:zlib'
import { CLOSE, CONTINUATION, type Expected, frame, type Frame, type Terms } from './case.ts'

/** Fails instead of waiting for ever. */
const PATIENCE_MS = 20_000

/** What comes: a message, a control frame, or the end of TCP. */
export type Event = Expected | 'ended'

export type Side = 'client' | 'server'

export class Peer {
  readonly #socket: Socket
  readonly #side: Side
  #bytes: Buffer[] = []
  #size = 0
  /** How many bytes the frame has that comes, as far as that is known. */
  #needed = 2
  #hasEnded = false
  #wake: (() => void) | undefined
  #opcode = -1
  #isDeflated = false
  #pieces: Buffer[] = []
  #compression: Compression | undefined

  constructor(socket: Socket, side: Side) {
    this.#socket = socket
    this.#side = side
    socket.setNoDelay(true)
    const end = (): void => {
      this.#hasEnded = true
      this.#wake?.()
    }
    socket.on('data', chunk => {
      this.#bytes.push(chunk)
      this.#size += chunk.length
      this.#wake?.()
    })
    socket.on('end', end).on('close', end).on('error', end)
  }

  // ---- the opening handshake --------------------------------------------------------------------

  /** Asks for the connection. */
  async ask(path: string, terms: readonly Terms[] | undefined): Promise<void> {
    const offers = terms === undefined ? '' : `Sec-WebSocket-Extensions: ${offersOf(terms)}\r\n`
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${offers}\r\n`,
    )
    const head = await this.head()
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`it refuses: ${head}`)
    this.#agree(fieldOf(head, 'Sec-WebSocket-Extensions'))
  }

  /** Answers a request that has been read. */
  answer(head: string, terms: readonly Terms[] | undefined): void {
    const accept = createHash('sha1')
      .update(`${fieldOf(head, 'Sec-WebSocket-Key')}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    const offers = fieldOf(head, 'Sec-WebSocket-Extensions')
    const agreed = terms === undefined ? '' : answerTo(offers, terms)
    const extensions = agreed === '' ? '' : `Sec-WebSocket-Extensions: ${agreed}\r\n`
    this.#socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n${extensions}\r\n`,
    )
    this.#agree(agreed)
  }

  async head(): Promise<string> {
    for (;;) {
      const all = this.#all()
      const end = all.indexOf('\r\n\r\n')
      if (end !== -1) {
        this.#put(all.subarray(end + 4))
        return all.subarray(0, end + 4).toString('latin1')
      }
      if (this.#hasEnded) throw new Error('it has ended in the handshake')
      await this.#more()
    }
  }

  #agree(extensions: string): void {
    if (extensions.includes('permessage-deflate'))
      this.#compression = new Compression(extensions, this.#side)
  }

  get isCompressing(): boolean {
    return this.#compression !== undefined
  }

  // ---- the way out ------------------------------------------------------------------------------

  /** Writes these, `chop` bytes at a time; `kept` bytes at the end are not written. */
  async send(frames: readonly Frame[], chop = Infinity, kept = 0): Promise<void> {
    const packed = Buffer.concat(frames.map(each => pack(each, this.#side === 'client')))
    const bytes = packed.subarray(0, packed.length - kept)
    for (let at = 0, n = 1; at < bytes.length; at += chop, n++) {
      const mayGoOn = this.#socket.write(bytes.subarray(at, at + chop))
      if (!mayGoOn || (chop < Infinity && n % 8 === 0)) await turn()
    }
  }

  /** Sends a message; compressed, if that was agreed on. */
  async sendMessage({ opcode, payload }: Expected, fragment = Infinity): Promise<void> {
    const compression = this.#compression
    const bytes = compression === undefined ? payload : await compression.deflate(payload)
    const count = Math.max(1, Math.ceil(bytes.length / fragment))
    const frames = Array.from({ length: count }, (_, i) =>
      frame(i === 0 ? opcode : CONTINUATION, bytes.subarray(i * fragment, (i + 1) * fragment), {
        fin: i === count - 1,
        rsv: i === 0 && compression !== undefined ? 4 : 0,
      }),
    )
    await this.send(frames)
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  // ---- the way in -------------------------------------------------------------------------------

  /** The next message, control frame, or end. */
  async next(): Promise<Event> {
    for (;;) {
      const found = this.#cut()
      if (found === undefined) {
        if (this.#hasEnded) return 'ended'
        await this.#more()
        continue
      }
      const { opcode, payload, fin, rsv } = found
      if (opcode >= CLOSE) {
        if (!fin || rsv !== 0) throw new Error(`a control frame with fin ${fin} and rsv ${rsv}`)
        return { opcode, payload }
      }
      if ((opcode === CONTINUATION) !== this.#opcode >= 0) throw new Error('fragments are mixed up')
      if (opcode !== CONTINUATION) {
        this.#opcode = opcode
        this.#isDeflated = rsv === 4
      }
      this.#pieces.push(payload)
      if (fin) return await this.#message()
    }
  }

  async #message(): Promise<Expected> {
    const bytes = Buffer.concat(this.#pieces)
    const message = {
      opcode: this.#opcode,
      payload: this.#isDeflated ? await this.#compression!.inflate(bytes) : bytes,
    }
    this.#opcode = -1
    this.#pieces = []
    return message
  }

  #cut(): Frame | undefined {
    if (this.#size < this.#needed) return undefined
    const bytes = this.#all()
    const isMasked = (bytes[1]! & 0x80) !== 0
    const short = bytes[1]! & 0x7f
    const header = 2 + (short === 127 ? 8 : short === 126 ? 2 : 0)
    if (bytes.length < header) return this.#wait(header)
    const length =
      short === 127
        ? Number(bytes.readBigUInt64BE(2))
        : short === 126
          ? bytes.readUInt16BE(2)
          : short
    const from = header + (isMasked ? 4 : 0)
    if (bytes.length < from + length) return this.#wait(from + length)
    if (isMasked !== (this.#side === 'server')) throw new Error('masked by the wrong side')
    const payload = Buffer.from(bytes.subarray(from, from + length))
    if (isMasked) xor(payload, bytes.subarray(header, from))
    this.#put(bytes.subarray(from + length))
    this.#needed = 2
    const [first] = bytes as unknown as [number]
    return { opcode: first & 15, payload, fin: first >= 128, rsv: (first >> 4) & 7 }
  }

  #wait(needed: number): undefined {
    this.#needed = needed
  }

  #all(): Buffer {
    const all = this.#bytes.length === 1 ? this.#bytes[0]! : Buffer.concat(this.#bytes)
    this.#put(all)
    return all
  }

  #put(bytes: Buffer): void {
    this.#bytes = [bytes]
    this.#size = bytes.length
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing comes')), PATIENCE_MS)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function xor(payload: Buffer, key: Uint8Array): void {
  for (let i = 0; i < payload.length; i++) payload[i]! ^= key[i & 3]!
}

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

function pack({ opcode, payload, fin, rsv }: Frame, isMasked: boolean): Buffer {
  const { length } = payload
  const size = length < 126 ? 2 : length < 65536 ? 4 : 10
  const header = Buffer.alloc(size)
  header[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  header[1] = (isMasked ? 0x80 : 0) | (size === 2 ? length : size === 4 ? 126 : 127)
  if (size === 4) header.writeUInt16BE(length, 2)
  if (size === 10) header.writeBigUInt64BE(BigInt(length), 2)
  if (!isMasked) return Buffer.concat([header, payload])
  const masked = Buffer.from(payload)
  xor(masked, KEY)
  return Buffer.concat([header, KEY, masked])
}

function fieldOf(head: string, name: string): string {
  return new RegExp(`^${name}: *(.*?) *\\r$`, 'im').exec(head)?.[1] ?? ''
}

// ---- compression --------------------------------------------------------------------------------

function offersOf(terms: readonly Terms[]): string {
  return terms
    .map(({ isForgetful, bits }) =>
      [
        'permessage-deflate; client_no_context_takeover; client_max_window_bits',
        ...(isForgetful ? ['server_no_context_takeover'] : []),
        ...(bits > 0 ? [`server_max_window_bits=${bits}`] : []),
      ].join('; '),
    )
    .join(', ')
}

/** What is asked of a client, as far as it can. */
function answerTo(offers: string, terms: readonly Terms[]): string {
  if (!offers.includes('permessage-deflate')) return ''
  const [{ isForgetful, bits }] = terms as [Terms]
  const canLimit = offers.includes('client_max_window_bits')
  return [
    'permessage-deflate',
    ...(isForgetful ? ['client_no_context_takeover'] : []),
    ...(bits > 0 && canLimit ? [`client_max_window_bits=${bits}`] : []),
  ].join('; ')
}

const TAIL = Buffer.from([0, 0, 255, 255])

class Compression {
  readonly #extensions: string
  readonly #side: Side
  #deflating: DeflateRaw | undefined
  #inflating: InflateRaw | undefined

  constructor(extensions: string, side: Side) {
    this.#extensions = extensions
    this.#side = side
  }

  #bits(side: Side): number {
    return Number(new RegExp(`${side}_max_window_bits=(\\d+)`).exec(this.#extensions)?.[1] ?? 15)
  }

  #isForgetful(side: Side): boolean {
    return this.#extensions.includes(`${side}_no_context_takeover`)
  }

  async deflate(payload: Buffer): Promise<Buffer> {
    const windowBits = Math.max(9, this.#bits(this.#side))
    this.#deflating ??= createDeflateRaw({ windowBits })
    const bytes = await through(this.#deflating, payload)
    if (this.#isForgetful(this.#side)) this.#deflating = undefined
    return bytes.subarray(0, -4)
  }

  async inflate(bytes: Buffer): Promise<Buffer> {
    const other = this.#side === 'client' ? 'server' : 'client'
    this.#inflating ??= createInflateRaw({ windowBits: this.#bits(other) })
    const payload = await through(this.#inflating, Buffer.concat([bytes, TAIL]))
    if (this.#isForgetful(other)) this.#inflating = undefined
    return payload
  }
}

function through(stream: DeflateRaw | InflateRaw, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const add = (chunk: Buffer): void => void chunks.push(chunk)
    stream.on('data', add)
    stream.once('error', reject)
    stream.write(bytes)
    stream.flush(constants.Z_SYNC_FLUSH, () => {
      stream.off('data', add)
      stream.off('error', reject)
      resolve(Buffer.concat(chunks))
    })
  })
}
