/**
 * A client of NATS whose program, server and connections do what they like. The server is a small
 * one in memory: it answers at once, late or never, refuses, says nonsense, and goes.
 *
 * What must be so:
 * 1. Every promise settles, with what belongs to it or with a NatsError.
 * 2. A connection carries what is published in the order of the calls, and nothing twice. When
 *    `flush` resolves, or the client has ended politely, the server has everything that was
 *    published since the last loss.
 * 3. A handler gets messages in the order in which they were sent, each once, and nothing once it
 *    is unsubscribed or the client is closed. What is sent by a connection that lasts arrives.
 * 4. When all is calm, the server has the subscriptions that the program has, and nothing else.
 * 5. No hook is called inside connect(), or after on_close. At the end nothing is left.
 */

import { Server } from '../../src/channels/basic.ts'
import { NatsClient } from '../../src/protocols/nats/client.ts'
import { NatsError } from '../../src/protocols/nats/errors.ts'
import type { NatsSubscription } from '../../src/protocols/nats/subscription.ts'
import { INFO } from '../protocols/nats/kit.ts'
import { ClientWorld } from './client-world.ts'
import { HeldPeer } from './held-peer.ts'
import { pick, type Random, type Target } from './target.ts'

const SUBJECTS = ['a', 'b', '__proto__', 'constructor']

// prettier-ignore
const NONSENSE = ['HTTP/1.1 400', 'PONG', 'MSG a 1 -1', 'HMSG a 1 9 3', "-ERR 'x'", '\0', 'INFO [']

class Peer extends HeldPeer<'\r\n', Nats> {
  override encoding = 'latin1' as const
  override read_delimiter = '\r\n' as const
  /** The subject and the reply of the message whose payload comes next. */
  #head: readonly [subject: string, reply: string] | undefined
  readonly subjects = new Map<number, string>()
  /** The number of the last message that was published here. */
  last = 0

  override on_connect(): void {
    this.server.peers.push(this)
    if (this.server.world.isAway) this.cut()
    else this.say(`INFO ${JSON.stringify(INFO)}`)
  }

  override on_read(line: string): void {
    if (this.isCut) return
    const head = this.#head
    this.#head = undefined
    if (head !== undefined) return this.server.world.published(this, ...head, line)
    const [verb, first = '', second = '', third] = line.split(' ')
    if (verb === 'PING') this.say('PONG')
    else if (verb === 'PUB') this.#head = [first, third === undefined ? '' : second]
    else if (verb === 'SUB') this.subjects.set(Number(third ?? second), first)
    else if (verb === 'UNSUB' && second === '') this.subjects.delete(Number(first))
  }

  override say(line: string): void {
    super.say(`${line}\r\n`)
  }
}

class Nats extends Server<Peer> {
  override ConnectionClass = Peer
  readonly peers: Peer[] = []
  readonly world: World

  constructor(world: World) {
    super(undefined, { engine: world.engine })
    this.world = world
  }
}

/** What the program has published, and how many connections were lost before. */
interface Published {
  readonly n: number
  readonly losses: number
  isThere: boolean
}

/** A subscription of the program. */
interface Listening {
  readonly subject: string
  it?: NatsSubscription
  isOver: boolean
  readonly got: number[]
}

class World extends ClientWorld {
  readonly server: Nats
  readonly client: NatsClient
  /** Has it ended politely? Then what was published must have arrived. */
  #isEnding = false
  #losses = 0
  readonly #published = new Map<number, Published>()
  readonly #listening: Listening[] = []

  constructor(random: Random) {
    super(random)
    this.server = new Nats(this)
    this.client = new NatsClient({
      engine: this.engine,
      connect_timeout: 500,
      request_timeout: pick(random, [100, 5000]),
      ping_interval: 1000,
      wait_for_first: random(2) === 0,
      backoff: { first: 50, longest: 500 },
    })
    this.#setHooks()
  }

  /** What a hook throws when the client has failed can be told to nobody. */
  override logged(text: string): void {
    if (!text.includes('on purpose')) this.complain(`logged: ${text}`)
  }

  // ---- hooks ------------------------------------------------------------------------------------

  #setHooks(): void {
    const { client } = this
    client.on_connect = () => this.hook('on_connect')
    client.on_lame_duck = () => this.hook('on_lame_duck')
    client.on_connect_error = error => this.#lost(error, 'on_connect_error')
    client.on_disconnect = error => this.#lost(error, 'on_disconnect')
    client.on_error = error => {
      if (error.message !== 'on purpose') this.failed(error)
      return this.hook('on_error', false)
    }
    client.on_close = () => {
      if (this.#isEnding) this.#checkPublished('the end')
      this.#isEnding = false
      // What was published before has nothing to do with what follows.
      this.#losses++
      this.hook('on_close', false)
      this.isOpen = client.state !== 'closed'
    }
  }

  #lost(error: Error, hook: string): unknown {
    this.failed(error)
    this.#losses++
    this.#isEnding = false
    return this.hook(hook)
  }

  failed(error: Error): void {
    const { code } = error as NatsError
    if (!(error instanceof NatsError) && !/^(E[A-Z]+|ERR_CLOSED)$/.test(code))
      this.complain(error?.stack ?? String(error))
  }

  // ---- calls ------------------------------------------------------------------------------------

  /** A random call of the program. */
  call(): void {
    const { random, client } = this
    if (client.state === 'closed') return random(4) === 0 ? this.connect() : undefined
    // It refuses what would not be done.
    if (client.state === 'error') return
    if (client.state === 'closing') return random(8) === 0 ? this.close(false) : undefined
    switch (random(16)) {
      case 0:
        return random(6) === 0 ? this.close(random(2) === 0) : undefined
      case 1:
        return this.#flush()
      case 2:
      case 3:
        return this.#subscribe(pick(random, SUBJECTS))
      case 4:
      case 5:
        return this.#unsubscribe()
      case 6:
      case 7:
      case 8:
        return this.#request(pick(random, ['answered', 'answered', 'silent', 'nobody']))
      default:
        return this.#publish()
    }
  }

  connect(): void {
    this.connecting(() => this.client.connect('nats://localhost:4222'))
    this.watch('opened', this.client.opened)
    this.watch('closed', this.client.closed)
  }

  close(isPolite: boolean): void {
    const { client } = this
    if (!isPolite) {
      for (const each of this.#listening) each.isOver = true
      this.#losses++
      return client.close()
    }
    this.#isEnding = true
    client.end()
  }

  #publish(): void {
    const n = ++this.count
    this.#published.set(n, { n, losses: this.#losses, isThere: false })
    this.client.publish('news', String(n))
  }

  #flush(): void {
    const [losses, last] = [this.#losses, this.count]
    this.watch('flush', this.client.flush(), (_, code) => {
      if (code === undefined && losses === this.#losses) this.#checkPublished('flush', last)
    })
  }

  #checkPublished(what: string, last = this.count): void {
    for (const { n, losses, isThere } of this.#published.values())
      if (n <= last && losses === this.#losses && !isThere)
        this.complain(`${n} was published before ${what}, and is not there`)
  }

  #request(subject: string): void {
    const n = ++this.count
    const options = this.random(3) === 0 ? { timeout: 1 + this.random(300) } : {}
    this.watch(subject, this.client.request(subject, String(n), options), (answer: any, code) => {
      if (code === undefined && answer.text !== `re ${n}`) this.complain(`${n}: ${answer.text}`)
      if (code === 'ERR_NATS_NO_RESPONDERS' && subject !== 'nobody') this.complain(`${n}: ${code}`)
    })
  }

  #subscribe(subject: string): void {
    const one: Listening = { subject, isOver: false, got: [] }
    this.#listening.push(one)
    one.it = this.client.subscribe(subject, ({ text }) => {
      if (one.isOver) this.complain(`${text} came to ${subject}, which has gone`)
      if (Number(text) <= (one.got.at(-1) ?? 0)) this.complain(`${text} after ${one.got.at(-1)}`)
      one.got.push(Number(text))
      return this.hook('a handler')
    })
    void one.it.closed.then(() => (one.isOver = true))
    this.watch('closed of a subscription', one.it.closed)
  }

  #unsubscribe(): void {
    const one = pick(this.random, [...this.#listening, undefined])
    if (one?.it === undefined || one.isOver) return
    if (this.random(2) === 0) return this.watch('drain', one.it.drain())
    one.isOver = true
    one.it.unsubscribe()
  }

  // ---- the server -------------------------------------------------------------------------------

  published(peer: Peer, subject: string, reply: string, text: string): void {
    const n = Number(text)
    if (n <= peer.last) this.complain(`${n} was sent after ${peer.last}`)
    peer.last = n
    const one = this.#published.get(n)
    if (one?.isThere) this.complain(`${n} has come twice`)
    if (one !== undefined) one.isThere = true
    if (reply === '') return
    const [sid] = [...peer.subjects].find(([, each]) => each.startsWith('_INBOX')) ?? []
    if (sid === undefined) return this.complain(`${n}: nobody listens to its inbox`)
    if (subject === 'nobody') peer.say(`HMSG ${reply} ${sid} 16 16\r\nNATS/1.0 503\r\n\r\n`)
    const answer = `re ${text}`
    if (subject === 'answered') peer.say(`MSG ${reply} ${sid} ${answer.length}\r\n${answer}`)
  }

  /** Something happens to the server, or to a connection. */
  event(): void {
    const { random, server, network } = this
    const peer = pick(
      random,
      server.peers.filter(each => !each.isCut),
    )
    switch (random(14)) {
      case 0:
        return random(8) === 0 ? void (this.isAway = !this.isAway) : undefined
      case 1:
        return random(4) === 0 ? peer?.cut() : undefined
      case 2: {
        const transport = pick(random, network.transports)
        return random(4) === 0 && transport !== undefined ? network.reset(transport) : undefined
      }
      case 3:
        if (random(8) > 0 || peer === undefined) return
        peer.write(`${pick(random, NONSENSE)}\r\n`)
        return peer.cut()
      case 4:
        return peer === undefined ? undefined : void (peer.held ??= [])
      case 5:
      case 6:
      case 7:
        return peer?.release()
      case 8:
        return peer?.say('PING')
      default:
        return void this.#send(pick(random, SUBJECTS))
    }
  }

  /** A message for whoever has subscribed. */
  #send(subject: string): number {
    const m = String(++this.count)
    for (const peer of this.server.peers)
      for (const [sid, each] of peer.subjects)
        if (each === subject) peer.say(`MSG ${subject} ${sid} ${m.length}\r\n${m}`)
    return Number(m)
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Nothing random happens any more. */
  async calm(): Promise<void> {
    const { client, server } = this
    this.isCalm = true
    this.isAway = false
    for (const peer of server.peers) peer.release()
    await this.until('it is not closing', () => client.state !== 'closing')
    await this.step()
    // An attempt may be under way that fails.
    await this.until('it is connected', () => {
      if (client.state === 'closed') this.connect()
      return client.connected
    })
    const open = (): Listening[] => this.#listening.filter(each => !each.isOver)
    // Besides those, the promise of `closed`.
    await this.until('all has settled', () => this.pending.size === 1 + open().length)
    await this.until('it has subscribed again', () => this.#isRestored(open()))
    const last = SUBJECTS.map(subject => [subject, this.#send(subject)] as const)
    const haveCome = (): boolean =>
      last.every(([subject, m]) =>
        open().every(one => one.subject !== subject || one.got.includes(m)),
      )
    await this.until('the last messages have come', haveCome)
  }

  #isRestored(open: readonly Listening[]): boolean {
    const peers = this.server.peers.filter(each => !each.isCut)
    const found = peers.flatMap(each => [...each.subjects.values()])
    const own = found.filter(each => !each.startsWith('_INBOX'))
    return (
      own.sort().join() ===
      open
        .map(each => each.subject)
        .sort()
        .join()
    )
  }
}

export const natsCalls: Target = {
  name: 'NATS calls',
  async round(random) {
    const world = new World(random)
    const { random: before } = Math
    // The waits of its back-off.
    Math.random = () => random(2 ** 20) / 2 ** 20
    try {
      return await world.play(4222)
    } finally {
      Math.random = before
    }
  },
}
