/**
 * What WebSocket reads: frames, and the heads of HTTP before them. Whatever comes, there is an
 * answer for it and nothing is thrown, and it is the same however the bytes are cut.
 */

import { NEED_MORE, READER } from '../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../src/core/reading/recv-buffer.ts'
import { readRequest, readResponse } from '../../src/protocols/websocket/handshake-text.ts'
import { HeadReader } from '../../src/protocols/websocket/head.ts'
import { Control, Deflated, Fault, type Incoming } from '../../src/protocols/websocket/incoming.ts'
import { Frames } from '../../src/protocols/websocket/receiver.ts'
import { frame, KEY, request } from '../protocols/websocket/kit.ts'
import { cutAtRandom, garbage, pick, type Random, type Target } from './target.ts'

// ---- frames -------------------------------------------------------------------------------------

function show(incoming: Incoming): string {
  if (typeof incoming === 'string') return `text ${incoming}`
  if (incoming instanceof Control)
    return `control ${incoming.opcode} ${incoming.payload.toString('hex')}`
  if (incoming instanceof Deflated)
    return `deflated ${incoming.isText} ${incoming.bytes.toString('hex')}`
  if (incoming instanceof Fault) return `fault ${incoming.code}`
  return `bytes ${incoming.toString('hex')}`
}

/** What is read up to the first fault, after which a connection reads no more. */
function readFrames(chunks: readonly Buffer[], isMasked: boolean): string[] {
  const reader = new Frames({ isMasked, isDeflated: false, maxSize: 1000 })[READER]()
  const buffer = new RecvBuffer()
  const news: string[] = []
  for (const chunk of chunks) {
    buffer.append(chunk)
    for (;;) {
      const incoming = reader.next(buffer, 1) as Incoming | undefined
      if (incoming !== NEED_MORE) news.push(show(incoming as Incoming))
      else if (!buffer.more()) break
      if (incoming instanceof Fault) return news
    }
    buffer.trim()
  }
  return news
}

function someFrame(random: Random, isMasked: boolean): Buffer {
  const payload = garbage(random, random(pick(random, [3, 125, 130, 1100])))
  const isText = random(2) === 0
  return frame(isText ? payload.toString() : payload, {
    fin: random(4) > 0,
    rsv: random(20) === 0 ? 1 + random(7) : 0,
    opcode: pick(random, [0, 0, 1, 1, 2, 2, 8, 9, 10, random(16)]),
    key: isMasked === random(50) > 0 ? KEY : undefined,
  })
}

export const webSocketFrames: Target = {
  name: 'WebSocket frames',
  round(random) {
    const isMasked = random(2) === 0
    const all = Array.from({ length: 1 + random(6) }, () => someFrame(random, isMasked))
    if (random(4) === 0) all.push(garbage(random, random(50)))
    const stream = Buffer.concat(all)
    const [one, other] = [0, 1].map(() => readFrames(cutAtRandom(random, stream), isMasked))
    return one!.join() === other!.join() ? [] : [`${one!.join()}, or ${other!.join()}`]
  },
}

// ---- heads --------------------------------------------------------------------------------------

// prettier-ignore
const FIELDS = [
  'Host', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Origin',
  'Sec-WebSocket-Protocol', 'Sec-WebSocket-Extensions', 'Content-Length', 'Transfer-Encoding',
]

// prettier-ignore
const VALUES = [
  'websocket', 'Upgrade, close', '13', '8', '', 'a,b', 'a;b', 'dGhlIHNhbXBsZSBub25jZQ==', '5', '\t',
  'permessage-deflate; client_max_window_bits', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', '"x', 'chunked',
]

// prettier-ignore
const LINES = [
  'GET / HTTP/1.1', 'GET /a?b#c HTTP/1.1', 'POST / HTTP/1.1', 'GET / HTTP/1.0', 'GET',
  'HTTP/1.1 101', 'HTTP/1.1 101 Switching', 'HTTP/1.1 404 no', 'HTTP/1.1 9', 'HTTP/2 101 x',
]

const WISH = {
  resource: '/',
  host: 'here',
  key: 'dGhlIHNhbXBsZSBub25jZQ==',
  protocols: ['a'],
  extensions: '',
  headers: {},
}

function readHead(chunks: readonly Buffer[]): string {
  const reader = new HeadReader()
  for (const chunk of chunks) {
    const head = reader.push(chunk)
    if (head === undefined) continue
    if (!('fields' in head)) return JSON.stringify(head)
    const says = [readRequest(head), readResponse(head, WISH)]
    return JSON.stringify([head.line, [...head.fields], says])
  }
  return 'more'
}

export const webSocketHeads: Target = {
  name: 'WebSocket handshakes',
  round(random) {
    const changes = Object.fromEntries(
      Array.from({ length: random(4) }, () => [pick(random, FIELDS), pick(random, VALUES)]),
    )
    const bytes = Buffer.from(request(changes, pick(random, LINES)))
    for (let n = random(3); n > 0; n--) bytes[random(bytes.length)] = random(256)
    const [one, other] = [0, 1].map(() => readHead(cutAtRandom(random, bytes)))
    return one === other ? [] : [`${one}, or ${other}`]
  },
}
