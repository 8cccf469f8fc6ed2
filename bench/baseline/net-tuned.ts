/**
 * Bench. node:net tuned by hand, with documented functions only: what can be had for the effort,
 * and so what sluice is compared with. The arguments: which of the servers below, what that server
 * needs, and `tls` for the same on node:tls.
 *
 * Rules, each of them measured:
 * 1. `noDelay`; handlers on the prototype of a class, not closures for each connection.
 * 2. A chunk is decoded once. `indexOf` and `slice` on the string find the lines, without a call
 *    into C++ for each line.
 * 3. What is written during one 'data' event goes out in one `write`: strings as one string, bytes
 *    in one Buffer.
 * 4. Backpressure as the documentation says: `pause` when `write` returns false, `resume` on
 *    'drain'.
 */

import { Buffer } from 'node:buffer'
import { open } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import { createServer as createSecureServer } from 'node:tls'
import { CERTIFICATE, KEY } from '../certificate.ts'
import { ready } from '../child.ts'

const [kind = '', argument = '', how] = process.argv.slice(2)

class Peer {
  readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
  }

  received(data: Buffer): void {
    this.send(data)
  }

  send(data: Buffer): void {
    if (!this.socket.write(data)) this.socket.pause()
  }

  closed(): void {}
}

class Lines extends Peer {
  readonly #decoder = argument === 'utf8' ? new StringDecoder('utf8') : undefined
  readonly #encoding = argument === 'utf8' ? 'utf8' : 'latin1'
  #rest = ''
  /** The answers of this event. */
  out = ''

  override received(data: Buffer): void {
    const decoded =
      this.#decoder === undefined ? data.toString('latin1') : this.#decoder.write(data)
    const text = this.#rest === '' ? decoded : this.#rest + decoded
    let at = 0
    for (let end = text.indexOf('\r\n'); end !== -1; end = text.indexOf('\r\n', at)) {
      this.onLine(text.slice(at, end))
      at = end + 2
    }
    this.#rest = at === 0 ? text : text.slice(at)
    if (this.out === '') return
    const { out } = this
    this.out = ''
    if (!this.socket.write(out, this.#encoding)) this.socket.pause()
  }

  onLine(line: string): void {
    this.out += line + '\r\n'
  }
}

class Burst extends Lines {
  override onLine(line: string): void {
    for (let i = 0; i < 100; i++) this.out += line + '\r\n'
  }
}

/** Keeps an incomplete message, and collects the answers of one event in one Buffer. */
abstract class Bytes extends Peer {
  #rest: Buffer | undefined

  override received(data: Buffer): void {
    const bytes = this.#rest === undefined ? data : Buffer.concat([this.#rest, data])
    // An answer is as long as its question.
    const out = Buffer.allocUnsafe(bytes.length)
    const used = this.answer(bytes, out)
    this.#rest = used === bytes.length ? undefined : bytes.subarray(used)
    if (used > 0) this.send(out.subarray(0, used))
  }

  /** Answers each complete message; returns the number of bytes they have. */
  abstract answer(bytes: Buffer, out: Buffer): number
}

class Buffers extends Bytes {
  answer(bytes: Buffer, out: Buffer): number {
    let at = 0
    for (let end = bytes.indexOf(10, 1); end !== -1; end = bytes.indexOf(10, end + 1)) {
      if (bytes[end - 1] !== 13) continue
      const line = bytes.subarray(at, end - 1)
      out.set(line, at)
      out[end - 1] = 13
      out[end] = 10
      at = end + 1
    }
    return at
  }
}

class Frames extends Bytes {
  answer(bytes: Buffer, out: Buffer): number {
    let at = 0
    while (bytes.length - at >= 4) {
      const size = bytes.readUInt32BE(at)
      if (bytes.length - at < 4 + size) break
      const payload = bytes.subarray(at + 4, at + 4 + size)
      out.writeUInt32BE(payload.length, at)
      out.set(payload, at + 4)
      at += 4 + size
    }
    return at
  }
}

/** A line, then 64 bytes, and so on. */
class Alternate extends Peer {
  #rest = ''
  #isLine = true

  override received(data: Buffer): void {
    const text = this.#rest + data.toString('latin1')
    let out = ''
    let at = 0
    for (;;) {
      const end = this.#isLine ? text.indexOf('\r\n', at) : at + 64
      if (end === -1 || end > text.length) break
      const message = text.slice(at, end)
      out += this.#isLine ? message + '\r\n' : message
      at = this.#isLine ? end + 2 : end
      this.#isLine = !this.#isLine
    }
    this.#rest = text.slice(at)
    if (out !== '' && !this.socket.write(out, 'latin1')) this.socket.pause()
  }
}

/** Bytes that a socket takes at once on loopback. One piece is read while the other is sent. */
const PIECE = 256 * 1024

class Files extends Lines {
  /** Answers go out in the order of the questions. */
  #last: Promise<void> = Promise.resolve()

  override onLine(): void {
    this.#last = this.#last.then(() => this.#sendFile()).catch(() => void this.socket.destroy())
  }

  async #sendFile(): Promise<void> {
    const file = await open(argument)
    const buffers = [Buffer.allocUnsafe(PIECE), Buffer.allocUnsafe(PIECE)] as const
    try {
      let sent: Promise<void> | undefined
      for (let i = 0; ; i++) {
        const buffer = buffers[i % 2] as Buffer
        const { bytesRead } = await file.read(buffer, 0, PIECE)
        await sent
        if (bytesRead === 0) return
        sent = this.#sendPiece(buffer.subarray(0, bytesRead))
      }
    } finally {
      await file.close()
    }
  }

  #sendPiece(bytes: Buffer): Promise<void> {
    return new Promise(resolve => void this.socket.write(bytes, () => resolve()))
  }
}

const members = new Set<Member>()

class Member extends Lines {
  constructor(socket: Socket) {
    super(socket)
    members.add(this)
  }

  override onLine(line: string): void {
    const bytes = Buffer.from(line + '\r\n', 'latin1')
    for (const member of members) member.socket.write(bytes)
  }

  override closed(): void {
    members.delete(this)
  }
}

const SERVERS: Readonly<Record<string, new (socket: Socket) => Peer>> = {
  raw: Peer,
  lines: Lines,
  buffers: Buffers,
  frames: Frames,
  alternate: Alternate,
  burst: Burst,
  file: Files,
  broadcast: Member,
}

const PEER: unique symbol = Symbol('peer')
type OurSocket = Socket & { [PEER]: Peer }

function onData(this: OurSocket, data: Buffer): void {
  this[PEER].received(data)
}

function onDrain(this: OurSocket): void {
  this.resume()
}

function onClose(this: OurSocket): void {
  this[PEER].closed()
}

/** A client that has gone is no error. */
function onError(): void {}

const Serve = SERVERS[kind]
if (Serve === undefined) throw new Error(`no such server: ${kind}`)
const serve = (socket: Socket): void => {
  const ours = socket as OurSocket
  ours[PEER] = new Serve(socket)
  ours.on('data', onData).on('drain', onDrain).on('close', onClose).on('error', onError)
}
const options = { noDelay: true }
const server =
  how === 'tls'
    ? createSecureServer({ ...options, key: KEY, cert: CERTIFICATE }, serve)
    : createServer(options, serve)
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () =>
  ready(['127.0.0.1', (server.address() as AddressInfo).port]),
)
