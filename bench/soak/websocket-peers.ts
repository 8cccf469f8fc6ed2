/**
 * Bench. The peers of a soak of WebSocket. Each visits the server once, byte by byte: it behaves,
 * or breaks off or breaks the protocol in one of the ways that peers do.
 */

import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { LATE, type Outcome, type Random, type Visit } from './peers.ts'

const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9

const REQUEST =
  'GET /soak HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n'

const DEFLATE =
  'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; ' +
  'client_no_context_takeover\r\n'

const GOODBYE = Buffer.from([3, 0xe8])

/**
 * The shortest timeout of the server that a peer which behaves can run into, in ms: these peers
 * answer no pings. On a busy machine their process may stand still for as long.
 */
const PATIENCE = 1500

/** A ping of the server. */
const ASKED = Buffer.from([0x89, 0])

/** A frame. `first`: its first byte; FIN is 0x80. */
function frame(first: number, payload: Buffer | string, isMasked = true): Buffer {
  const bytes = Buffer.from(payload as string)
  const { length } = bytes
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10)
  head[0] = first
  head[1] = (isMasked ? 0x80 : 0) | (head.length === 2 ? length : head.length === 4 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  if (!isMasked) return Buffer.concat([head, bytes])
  const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
  return Buffer.concat([head, key, bytes.map((byte, i) => byte ^ key[i & 3]!)])
}

/** Shakes hands, and calls back with all that the server sends behind the 101. */
function shake(socket: Socket, more: string, then: () => void, got: (data: Buffer) => void): void {
  let head: Buffer | undefined = Buffer.alloc(0)
  // On a busy machine the server asks before it has heard anything.
  const answered = (data: Buffer): void =>
    got(data.subarray(0, 2).equals(ASKED) ? data.subarray(2) : data)
  socket.write(`${REQUEST}${more}\r\n`)
  socket.on('data', data => {
    if (head === undefined) return answered(data)
    head = Buffer.concat([head, data])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) return
    const rest = head.subarray(end + 4)
    head = undefined
    then()
    if (rest.length > 0) answered(rest)
  })
}

/** Shakes hands, sends that, and reads whatever comes. */
function sends(...bytes: readonly Buffer[]): Visit {
  return socket =>
    shake(
      socket,
      '',
      () => bytes.forEach(each => socket.write(each)),
      () => {},
    )
}

/** Sends that instead of a request, and reads whatever comes. */
function says(text: string): Visit {
  return socket => void socket.resume().write(text)
}

// ---- peers that behave --------------------------------------------------------------------------

/** Sends messages in fragments and pieces of a random size, and leaves when all have come back. */
function behaves(socket: Socket, random: Random, outcome: Outcome): void {
  const count = 1 + random(50)
  const sent: Buffer[] = []
  const expected: Buffer[] = []
  for (let i = 0; i < count; i++) {
    const payload = Buffer.alloc(random(3) === 0 ? random(20_000) : random(200), `message ${i} `)
    const opcode = random(2) === 0 ? TEXT : BINARY
    const cut = random(payload.length + 1)
    if (random(3) === 0)
      sent.push(frame(opcode, payload.subarray(0, cut)), frame(0x80, payload.subarray(cut)))
    else sent.push(frame(0x80 | opcode, payload))
    expected.push(frame(0x80 | opcode, payload, false))
  }
  expected.push(frame(0x80 | CLOSE, GOODBYE, false))
  const all = Buffer.concat([...sent, frame(0x80 | CLOSE, GOODBYE)])
  const want = Buffer.concat(expected)
  const since = performance.now()
  let got = 0
  const size = 1 + random(4000)
  const write = (): void => {
    for (let at = 0; at < all.length; at += size) socket.write(all.subarray(at, at + size))
  }
  shake(socket, '', write, data => {
    if (!want.subarray(got, got + data.length).equals(data)) {
      const what = data.subarray(0, 16).toString('hex')
      outcome.faults.push(`at byte ${got} of ${want.length}: ${what} … came back`)
      return void socket.destroy()
    }
    got += data.length
    if (got === want.length) outcome.answers += count
  })
  socket.once('close', () => {
    const isLate = socket.errored === LATE || performance.now() - since >= PATIENCE
    if (got < want.length && !isLate)
      outcome.faults.push(`closed after ${got} of ${want.length} bytes`)
  })
}

/** Sends one compressed message, which comes back compressed. */
function compresses(socket: Socket, random: Random, outcome: Outcome): void {
  const text = Buffer.from('word '.repeat(1000 + random(5000)))
  let got = Buffer.alloc(0)
  const write = (): void => void socket.write(frame(0xc0 | TEXT, deflated(text)))
  shake(socket, DEFLATE, write, data => {
    got = Buffer.concat([got, data])
    const start = (got[1] ?? 0) === 126 ? 4 : 2
    const length = start === 4 && got.length >= 4 ? got.readUInt16BE(2) : (got[1] ?? Infinity)
    if (got.length < start + length) return
    const options = { finishFlush: constants.Z_SYNC_FLUSH }
    const bytes = inflateRawSync(got.subarray(start, start + length), options)
    if (bytes.equals(text)) outcome.answers++
    else outcome.faults.push('a compressed message came back as another')
    socket.destroy()
  })
}

function deflated(bytes: Buffer): Buffer {
  return deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}

// ---- peers that do not --------------------------------------------------------------------------

/** Sends without reading: messages that come back, or pings. */
function neverReads(bytes: Buffer): Visit {
  return socket => {
    const more = (): void => {
      if (!socket.destroyed) socket.write(bytes, error => error == null && setImmediate(more))
    }
    shake(
      socket,
      '',
      () => {
        socket.pause()
        more()
      },
      () => {},
    )
  }
}

function trickles(socket: Socket): void {
  const bytes = Buffer.concat([frame(0x80 | TEXT, 'slow'), frame(0x80 | CLOSE, GOODBYE)])
  let at = 0
  const more = (): void => {
    if (at < bytes.length && !socket.destroyed)
      socket.write(bytes.subarray(at, ++at), () => setImmediate(more))
  }
  shake(socket, '', more, () => {})
}

/** Vanishes in the middle of a message. */
function resets(socket: Socket): void {
  const half = frame(0x80 | TEXT, 'x'.repeat(500)).subarray(0, 100)
  const leave = (): void => void socket.write(half, () => socket.resetAndDestroy())
  shake(socket, '', leave, () => {})
}

/** A little that becomes 10 MiB. */
const BOMB = frame(0xc0 | TEXT, deflated(Buffer.alloc(10 * 1024 * 1024)))

function bombs(socket: Socket): void {
  const write = (): void => void socket.write(BOMB)
  shake(socket, DEFLATE, write, () => {})
}

/** Most behave. */
export const WEBSOCKET_VISITS: readonly Visit[] = [
  ...Array<Visit>(10).fill(behaves),
  compresses,
  compresses,
  says('GET / HT'),
  says('GET / HTTP/1.1\nHost: here\n\n'),
  says('POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello'),
  says(`GET / HTTP/1.1\r\n${'Field: value\r\n'.repeat(5000)}`),
  says(REQUEST.replace('13', '8') + '\r\n'),
  // It keeps silent, and does not answer pings.
  sends(),
  sends(frame(0x80 | TEXT, 'not masked', false)),
  sends(frame(0xf0 | TEXT, 'reserved bits')),
  sends(frame(0x80 | 3, 'an unknown opcode')),
  sends(frame(0x80 | TEXT, Buffer.from([0x61, 0xff]))),
  sends(frame(0x80 | BINARY, Buffer.alloc(200_000))),
  sends(frame(TEXT, ''), ...Array<Buffer>(1000).fill(frame(0, ''))),
  sends(frame(0x80 | CLOSE, Buffer.from([0, 1]))),
  sends(frame(0x80 | CLOSE, GOODBYE), frame(0x80 | CLOSE, GOODBYE)),
  neverReads(frame(0x80 | TEXT, 'x'.repeat(1000))),
  neverReads(frame(0x80 | PING, 'ping')),
  trickles,
  resets,
  bombs,
  socket =>
    shake(
      socket,
      DEFLATE,
      () => socket.end(frame(0xc0 | TEXT, 'no deflate')),
      () => {},
    ),
  socket =>
    shake(
      socket,
      '',
      () => socket.end(),
      () => {},
    ),
]
