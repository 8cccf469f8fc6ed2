/**
 * What NATS reads, and a whole client with a server that says anything: whatever comes, the same is
 * read however it is cut, only a NatsError is told, and when the client has closed every promise
 * has settled.
 */

import { Connection, Server } from '../../src/channels/basic.ts'
import { NEED_MORE, READER } from '../../src/core/reading/readers.ts'
import { RecvBuffer } from '../../src/core/reading/recv-buffer.ts'
import { Engine } from '../../src/engine.ts'
import { codeOf } from '../../src/errors.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { NatsClient } from '../../src/protocols/nats/client.ts'
import { NatsError } from '../../src/protocols/nats/errors.ts'
import { NatsMessage } from '../../src/protocols/nats/message.ts'
import { PUBLISH } from '../../src/protocols/nats/packer.ts'
import { type Incoming, Info, Protocol, Refusal } from '../../src/protocols/nats/parser.ts'
import { turn } from '../kit.ts'
import { coded, cutAtRandom, garbage, pick, type Random, type Target } from './target.ts'

const publisher = { publish: (): boolean => false }

// prettier-ignore
const LINES = [
  'PING', 'pong', '+OK', "-ERR 'x'", '-ERR', 'INFO {}', 'INFO {"max_payload":"x"}', 'INFO [', 'MSG',
  'MSG a 1 -1', 'MSG a 1 99999999999999999999', 'MSG a 1 1e3', 'HMSG a 1 9 3', 'HMSG a 1 2 2',
  'MSG a b c d e f', 'MSGa 1 1', 'PINGPONG', '', ' ', 'INFO', 'HMSG a 1 2', '\0', 'é',
]

function text(random: Random): string {
  return pick(random, ['a', 'a.b', '_INBOX.x.1', 'é', 'a'.repeat(1 + random(300))])
}

/** A message as a server sends it, and what should be read. */
function message(random: Random, sid: number): { bytes: Buffer; shown: string } {
  const [subject, reply] = [text(random), random(2) === 0 ? '' : text(random)]
  const header = random(2) === 0 ? undefined : Buffer.from('NATS/1.0 100 Hi\r\nA: b\r\n\r\n')
  const data = garbage(random, random(pick(random, [3, 60, 900])))
  const wire = Buffer.from(subject).toString('latin1')
  const to = Buffer.from(reply).toString('latin1')
  const values = [`${wire} ${sid}`, to, header, data] as const
  const packed = PUBLISH.pack.apply(PUBLISH, values as never) as Buffer
  const bytes = Buffer.from(packed.toString('latin1').replace('PUB', 'MSG'), 'latin1')
  const status = header === undefined ? 0 : 100
  return { bytes, shown: `${subject} ${sid} ${reply} ${status} ${data.toString('hex')}` }
}

function show(incoming: Incoming): string {
  if (incoming instanceof NatsMessage) {
    const { subject, sid, reply, status, data } = incoming
    return `${subject} ${sid} ${reply} ${status} ${data.toString('hex')}`
  }
  if (incoming instanceof Info) return JSON.stringify(incoming.info)
  return incoming instanceof Refusal ? `refusal ${incoming.said}` : incoming
}

/** What is read up to the first fault. */
function read(chunks: readonly Buffer[]): string[] {
  const reader = new Protocol(publisher, 1000)[READER]()
  const buffer = new RecvBuffer()
  const news: string[] = []
  try {
    for (const chunk of chunks) {
      buffer.append(chunk)
      for (;;) {
        const incoming = reader.next(buffer, 1) as Incoming | undefined
        if (incoming !== NEED_MORE) news.push(show(incoming as Incoming))
        else if (!buffer.more()) break
      }
      buffer.trim()
    }
  } catch (error) {
    if (!(error instanceof NatsError)) throw error
    news.push(error.code)
  }
  return news
}

export const natsMessages: Target = {
  name: 'NATS messages',
  round(random) {
    const right = Array.from({ length: random(6) }, (_, at) => message(random, at))
    const wrong: Buffer[] = random(3) === 0 ? [] : [Buffer.from(`${pick(random, LINES)}\r\n`)]
    if (random(3) === 0) wrong.push(garbage(random, random(100)))
    const stream = Buffer.concat([...right.map(({ bytes }) => bytes), ...wrong])
    const [one, other] = [0, 1].map(() => read(cutAtRandom(random, stream))) as [string[], string[]]
    const expected = right.map(({ shown }) => shown)
    if (one.slice(0, expected.length).join() !== expected.join())
      return [`${one.join()}, and not ${expected.join()}`]
    return one.join() === other.join() ? [] : [`${one.join()}, or ${other.join()}`]
  },
}

// ---- a client and a server that says anything ---------------------------------------------------

/** A server that says what it is told to. */
class Anybody extends Connection {
  override on_connect(): void {
    ;(this.server as Anything).peers.push(this)
    this.write((this.server as Anything).greeting)
  }
  override on_error(): void {
    this.close()
  }
}

class Anything extends Server<Anybody> {
  readonly peers: Anybody[] = []
  greeting = 'INFO {"headers":true,"max_payload":1000}\r\n'
}

class Told extends NatsClient {
  readonly strange: unknown[] = []
  #note(error: Error): void {
    if (codeOf(error) === '') this.strange.push(error)
  }
  override on_error(error: Error): void {
    this.#note(error)
  }
  override on_disconnect(error: Error): void {
    this.#note(error)
  }
}

/** One thing that a server says. */
function saying(random: Random): Buffer {
  if (random(3) > 0) return Buffer.from('PONG\r\n')
  if (random(2) === 0) return message(random, random(5)).bytes
  return random(4) > 0 ? Buffer.from(`${pick(random, LINES)}\r\n`) : garbage(random, random(30))
}

/** One call of the program; what it returns is settled in the end. */
function call(random: Random, client: NatsClient): unknown {
  switch (random(10)) {
    case 0:
      return client.request('a', 'x', { timeout: pick(random, [1, 50, Infinity]) })
    case 1:
      return client.flush()
    case 2:
      return client.publish('a.b', 'x'.repeat(random(500)), { headers: { A: 'b' } })
    case 3: {
      const subscription = client.subscribe('a.>', { max: 1 + random(3) })
      return subscription.closed
    }
    case 4:
      return client.subscribe('a', async one => {
        await turn()
        one.respond('yes')
        if (random(4) === 0) throw new NatsError('ERR_NATS_SERVER', 'a handler')
      }).closed
    case 5:
      return client.subscribe('b').drain()
    case 6:
      return (async () => {
        for await (const { size } of client.subscribe('*')) if (size === 3) break
      })()
    case 7:
      return random(8) === 0 ? client.end() : client.suspend()
    case 8:
      return client.resume()
    default:
      return undefined
  }
}

export const natsHostile: Target = {
  name: 'NATS, a hostile server',
  async round(random) {
    const clock = new ManualClock()
    const network = new MemoryNetwork({ auto: true })
    const engine = new Engine({ network, clock, log() {} })
    const server = new Anything(Anybody, { engine }).listen(4222)
    const client = new Told({ engine, ping_interval: 100, queue_size: 2000, pending_size: 2000 })
    client.connect('localhost,localhost:1')
    client.opened.catch(() => {})
    const settled: Promise<unknown>[] = []
    for (let step = 0; step < 20 && client.state !== 'closed'; step++) {
      const peer = server.peers.at(-1)
      if (random(10) === 0) server.greeting = saying(random).toString('latin1')
      if (peer !== undefined && peer.connected)
        if (random(12) === 0) peer.close()
        else for (const each of cutAtRandom(random, saying(random))) peer.write(each)
      const result = coded(() => call(random, client))
      if (result instanceof Promise) settled.push(result.catch(error => codeOf(error) || error))
      if (random(3) === 0) await turn()
      if (random(5) === 0) clock.advance(pick(random, [1, 50, 2000]))
    }
    client.resume()
    client.close()
    server.close()
    for (const peer of server.peers) peer.close()
    for (let n = 0; n < 5; n++) await turn()
    const all = await Promise.race([
      Promise.all(settled),
      turn()
        .then(turn)
        .then(() => undefined),
    ])
    const faults = client.strange.map(error => `told: ${error}`)
    if (all === undefined) faults.push('a promise has not settled')
    for (const each of all ?? []) if (each instanceof Error) faults.push(`rejected: ${each}`)
    if (client.state !== 'closed') faults.push(`the client is ${client.state}`)
    const stopped = engine.stop({ timeout: 1 })
    await turn()
    clock.advance(1)
    await stopped
    if (clock.pending > 0) faults.push(`${clock.pending} timers are left`)
    return faults
  },
}
