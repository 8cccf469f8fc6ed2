/**
 * Bench. WebSocket echo by hand on node:net, for short unfragmented texts only, without any check:
 * the least that an echo of texts must do. 'tuned' writes once for each 'data' event, 'naive' once
 * for each message.
 */

import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { ready } from '../child.ts'

const isTuned = process.argv[2] === 'tuned'
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

class Peer {
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #isOpen = false
  /** The answers of this event. */
  #out = Buffer.allocUnsafe(64 * 1024)
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
    return end + 4
  }

  /** Returns the number of bytes of the frames that are complete. */
  #frames(bytes: Buffer): number {
    let at = 0
    while (at + 2 <= bytes.length) {
      const payload = at + 6
      const end = payload + ((bytes[at + 1] as number) & 0x7f)
      if (end > bytes.length) break
      for (let i = payload; i < end; i++)
        bytes[i] = (bytes[i] as number) ^ (bytes[payload - 4 + ((i - payload) & 3)] as number)
      this.onText(bytes.toString('utf8', payload, end))
      at = end
    }
    return at
  }

  onText(text: string): void {
    if (this.#used + 2 + 3 * text.length > this.#out.length) this.#flush()
    const size = this.#out.write(text, this.#used + 2)
    this.#out[this.#used] = 0x81
    this.#out[this.#used + 1] = size
    this.#used += 2 + size
    if (!isTuned) this.#flush()
  }

  #flush(): void {
    if (this.#used === 0) return
    if (!this.#socket.write(Buffer.from(this.#out.subarray(0, this.#used)))) this.#socket.pause()
    this.#used = 0
  }
}

const server = createServer({ noDelay: true }, socket => {
  const peer = new Peer(socket)
  socket.on('data', data => peer.received(data))
  socket.on('drain', () => socket.resume())
  socket.on('error', () => {})
})
server.listen(0, '127.0.0.1', () => {
  const { address, port } = server.address() as AddressInfo
  ready([address, port])
})
