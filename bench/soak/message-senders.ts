/**
 * Bench. The peers of a soak of message channels. Senders send numbered messages over `rate+`,
 * `reopen+` and TLS, through a proxy that breaks connections, until all are confirmed. Others
 * misbehave in one of the ways that peers do.
 *
 * Rules:
 * 1. A sender that is connected again goes on behind the last message that was confirmed. So the
 *    server may get a message twice, over two connections; never over one, and none is left out.
 * 2. Every visit ends by itself. A sender to whom nothing is confirmed any more has found a fault.
 */

import { Buffer } from 'node:buffer'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Context, Control, type MessageChannel } from 'sluice/messages'
import { LATE, type Outcome, type Random } from './peers.ts'

/** The `seq` that says that a sender is done, and may be forgotten. */
export const DONE = -1n

/** The most messages of a visit. */
const MOST = 2000

/** The most messages that are sent and not confirmed. */
const WINDOW = 64n

/** Milliseconds without a confirmation after which a sender gives up: nothing takes so long. */
const LONGEST = 60_000

/** Milliseconds after which a peer that misbehaves leaves. */
const LONG = 5000

const BYTES = Buffer.from('0123456789abcdef'.repeat(512))

/** What the message with that number has: up to 8 KiB. */
export function contentOf(seq: bigint): Buffer {
  const number = Number(seq)
  return BYTES.subarray(number % 16, (number % 16) + ((number * 7919) % (number % 50 ? 200 : 8000)))
}

// ---- the proxy ----------------------------------------------------------------------------------

/** Passes everything on, and breaks each connection some time. Resolves when it listens. */
export async function startBreaker(port: number, random: Random): Promise<Server> {
  const server = createServer(near => {
    const far = connect({ host: '127.0.0.1', port, noDelay: true })
    let left = 2000 + random(400_000)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('data', data => {
        left -= data.length
        if (left > 0) return void (other.write(data) || (one.pause(), other.once('drain', wake)))
        // In the middle of a record, mostly; by a reset, or as if all were well.
        other.end(data.subarray(0, random(data.length)))
        // Node keeps a socket for ever that is reset while its end is sent.
        if (random(2) === 0 && !one.writableEnded) one.resetAndDestroy()
        else one.destroy()
      })
      const wake = (): void => void one.resume()
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return server
}

// ---- senders ------------------------------------------------------------------------------------

let senders = 0

/** Sends messages until all are confirmed. */
async function send(port: number, random: Random, outcome: Outcome): Promise<void> {
  const channel = new Context().init(
    `rate+reopen+tls+tcp://127.0.0.1:${port};verify=no;speed=${50 + random(500)}kb;` +
      'timeout-min=5ms;timeout-max=100ms;active-min=1ms;read-timeout=5s',
  )
  channel.on_error = () => {}
  const sender = new Sender(channel, BigInt(1 + random(MOST)))
  const fault = await sender.done
  channel.close(true)
  channel.destroy()
  if (fault === '') outcome.answers += Number(sender.count)
  else outcome.faults.push(fault)
}

class Sender {
  readonly count: bigint
  /** Resolves when all are confirmed, or with what is wrong. */
  readonly done: Promise<string>
  readonly #channel: MessageChannel
  readonly #id = ++senders
  #next = 1n
  /** The last message that was ever sent, and the last one that was confirmed. */
  #sent = 0n
  #confirmed = 0n
  #connections = 0
  #finish!: (fault: string) => void
  #timer: NodeJS.Timeout

  constructor(channel: MessageChannel, count: bigint) {
    this.count = count
    this.#channel = channel
    this.#timer = setTimeout(() => this.#giveUp(), LONGEST)
    this.done = new Promise<string>(resolve => (this.#finish = resolve)).finally(() =>
      clearTimeout(this.#timer),
    )
    channel.on_message = ({ msgid, seq }) => this.#answered(msgid, seq)
    channel.on_control = ({ msgid }) => {
      if (msgid === Control.Connect) {
        this.#connections++
        this.#next = this.#confirmed + 1n
      }
      if (msgid === Control.Connect || msgid === Control.WriteReady) this.#more()
    }
    channel.open().opened.then(
      () => this.#more(),
      () => {},
    )
  }

  #giveUp(): void {
    const { children, state } = this.#channel
    const states = [state, ...[...children].map(each => each.state)]
    this.#finish(
      `sender ${this.#id}: ${this.#confirmed} of ${this.count} confirmed, ${this.#next} is next, ` +
        `nothing for ${LONGEST} ms, ${this.#connections} connections; ${states}`,
    )
  }

  #answered(msgid: number, seq: bigint): void {
    if (msgid !== this.#id) return this.#finish(`sender ${this.#id} got an answer for ${msgid}`)
    if (seq === DONE) return this.#finish('')
    if (seq > this.#sent) return this.#finish(`${seq} was confirmed, and not sent yet`)
    this.#timer.refresh()
    if (seq > this.#confirmed) this.#confirmed = seq
    this.#more()
  }

  #more(): void {
    const channel = this.#channel
    while (channel.state === 'active' && this.#next <= this.#confirmed + WINDOW) {
      const isDone = this.#confirmed === this.count
      if (!isDone && this.#next > this.count) return
      const seq = isDone ? DONE : this.#next
      const data = isDone ? Buffer.alloc(0) : contentOf(seq)
      if (!channel.post({ msgid: this.#id, seq, data }) || isDone) return
      if (this.#next > this.#sent) this.#sent = this.#next
      this.#next++
    }
  }
}

// ---- peers that misbehave -----------------------------------------------------------------------

type Rude = (socket: Socket, random: Random) => void

const head = (size: number): Buffer => {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(size)
  return bytes
}

/** Without TLS. */
const IN_CLEAR: readonly Rude[] = [
  socket => void socket.resume(),
  socket => void socket.resume().end(Buffer.from('160301020001000', 'hex')),
  socket => void socket.resume().write('GET / HTTP/1.1\r\n\r\n'),
  socket => socket.resetAndDestroy(),
]

/** Behind the handshake of TLS. */
const IN_SECRET: readonly Rude[] = [
  socket => void socket.resume(),
  socket => void socket.resume().write(head(0x7fffffff)),
  socket => void socket.resume().write(head(100), () => socket.destroy()),
  (socket, random) =>
    void socket.resume().end(Buffer.from(Array.from({ length: 500 }, () => random(256)))),
]

async function misbehave(port: number, random: Random): Promise<void> {
  const isClear = random(2) === 0
  const to = { host: '127.0.0.1', port }
  const socket = isClear ? connect(to) : connectTls({ ...to, rejectUnauthorized: false })
  const timer = setTimeout(() => socket.destroy(LATE), LONG)
  const gone = new Promise(resolve => socket.once('close', resolve))
  socket.on('error', () => {})
  const all = isClear ? IN_CLEAR : IN_SECRET
  const rude = all[random(all.length)] as Rude
  socket.once(isClear ? 'connect' : 'secureConnect', () => rude(socket, random))
  await gone
  clearTimeout(timer)
}

/** Visits again and again until `signal` aborts. Three of four send. */
export async function sendAgain(
  ports: { readonly server: number; readonly breaker: number },
  random: Random,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (random(4) === 0) await misbehave(ports.server, random)
    else await send(random(4) === 0 ? ports.server : ports.breaker, random, outcome)
    outcome.visits++
  }
}
