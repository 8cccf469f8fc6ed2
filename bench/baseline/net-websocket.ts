/**
 * Bench. WebSocket by hand on node:net, for unfragmented messages only, without any check: the
 * least that an echo must do. 'tuned' writes once for each 'data' event, 'naive' once for each
 * message. 'to-all' after that: each message goes to all connections.
 */

import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { ready } from '../child.ts'

const isTuned = process.argv[2] === 'tuned'
const isToAll = process.argv[3] === 'to-all'
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Everything to be sent in one 'data' event, up to this size. */
const OUT_SIZE = 64 * 1024

const peers = new Set<Peer>()

class Peer {
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #isOpen = false
  /** The answers of this event. */
  #out = Buffer.allocUnsafe(OUT_SIZE)
  #used = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  received(data: Buffer): void {
    const bytes = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data])
    const at = this.#isOpen ? this.#frames(bytes) : this.#handshake(bytes)
    this.#rest = bytes.subarray(at)
    this.#flush()
  }

  #handshake(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1) return 0
    const key = /Sec-WebSocket-Key: (.*)\r/.exec(bytes.toString('latin1', 0, end + 1))?.[1] ?? ''
    const accept = createHash('sha1')
      .update(key + GUID)
      .digest('base64')
    this.#socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    this.#isOpen = true
    peers.add(this)
    return end + 4
  }

  /** Returns the number of bytes of the frames that are complete. */
  #frames(bytes: Buffer): number {
    let at = 0
    while (at + 2 <= bytes.length) {
      const short = (bytes[at + 1] as number) & 0x7f
      const payload = at + (short < 126 ? 6 : short === 126 ? 8 : 14)
      if (payload > bytes.length) break
      const size =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : bytes.readUInt32BE(at + 6)
      const end = payload + size
      if (end > bytes.length) break
      unmask(bytes, payload, end)
      if (bytes[at] === 0x82) this.#answerBytes(bytes.subarray(payload, end))
      else if (isToAll) sendToAll(bytes.toString('utf8', payload, end))
      else this.answerText(bytes.toString('utf8', payload, end))
      at = end
    }
    return at
  }

  answerText(text: string): void {
    if (this.#used + 2 + 3 * text.length > this.#out.length) this.#flush()
    const size = this.#out.write(text, this.#used + 2)
    this.#out[this.#used] = 0x81
    this.#out[this.#used + 1] = size
    this.#used += 2 + size
    if (!isTuned) this.#flush()
  }

  /** For 64 KiB and more. */
  #answerBytes(payload: Buffer): void {
    this.#flush()
    const header = Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0])
    header.writeUInt32BE(payload.length, 6)
    this.#socket.cork()
    this.#socket.write(header)
    this.send(payload)
    this.#socket.uncork()
  }

  #flush(): void {
    if (this.#used === 0) return
    this.send(Buffer.from(this.#out.subarray(0, this.#used)))
    this.#used = 0
  }

  send(bytes: Buffer): void {
    if (!this.#socket.write(bytes)) this.#socket.pause()
  }
}

/** Four bytes at a time. */
function unmask(bytes: Buffer, payload: number, end: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const key = view.getInt32(payload - 4, true)
  let i = payload
  for (; i + 4 <= end; i += 4) view.setInt32(i, view.getInt32(i, true) ^ key, true)
  for (let at = payload - 4; i < end; i++, at++)
    bytes[i] = (bytes[i] as number) ^ (bytes[at] as number)
}

function sendToAll(text: string): void {
  const frame = Buffer.concat([Buffer.from([0x81, Buffer.byteLength(text)]), Buffer.from(text)])
  for (const peer of peers) peer.send(frame)
}

const server = createServer({ noDelay: true }, socket => {
  const peer = new Peer(socket)
  socket.on('data', data => peer.received(data))
  socket.on('drain', () => socket.resume())
  socket.on('close', () => peers.delete(peer))
  socket.on('error', () => {})
})
server.listen(0, '127.0.0.1', () => {
  const { address, port } = server.address() as AddressInfo
  ready([address, port])
})
