/**
 * A client of Redis whose program, server and connections do what they like. The server is a small
 * one in memory: it answers at once, late or never, refuses, says nonsense, and goes.
 *
 * What must be so:
 * 1. Every promise settles: with its own reply, or with an error that is documented.
 * 2. What a connection carries are the commands in the order of their calls, and their replies
 *    settle them in this order. What does not only read runs once at most.
 * 3. A handler gets what was published to its name, in this order, each once, and nothing once it
 *    is unsubscribed or the client is closed. What is sent by a connection that lasts arrives. A
 *    gap is told before the first message that follows.
 * 4. When all is calm, the server has the subscriptions that the program has, and nothing else.
 * 5. No hook is called inside connect(), before it, or after on_close. `closed` settles. At the end
 *    nothing is left.
 */

import { Server } from '../../src/channels/basic.ts'
import { RedisClient } from '../../src/protocols/redis/client.ts'
import { RedisError } from '../../src/protocols/redis/errors.ts'
import { Replies } from '../../src/protocols/redis/reply-parser.ts'
import type { Transaction } from '../../src/protocols/redis/transaction.ts'
import { blob, list } from '../protocols/redis/kit.ts'
import { ClientWorld } from './client-world.ts'
import { HeldPeer } from './held-peer.ts'
import { pick, type Random, type Target } from './target.ts'

const NAMES = ['a', 'b', '__proto__', 'refused']

/** No reply begins like this. */
const GARBAGE = ['HTTP/1.1 400 Bad Request\r\n\r\n', '\0\0\0', '$x\r\n', '*-2\r\n', ':1\n\r']

// prettier-ignore
const CODES = [
  'ERR_CLOSED', 'ERR_DISCONNECTED', 'ERR_TIMEOUT', 'ERR_CUT_OFF', 'ERR_OVERFLOW', 'ERR_PROTOCOL',
  'ERR_WATCHED', 'EXECABORT', 'WRONG', 'BAD', 'NOPERM', 'LOADING',
]

/** Those of which nobody may have run what they are about. */
const NOT_RUN = ['ERR_DISCONNECTED', 'ERR_WATCHED', 'EXECABORT', 'BAD']

class Peer extends HeldPeer<Replies, Redis> {
  override read_delimiter = new Replies()
  override buffer_size = 1e6
  isRESP3 = false
  readonly names = new Set<string>()
  /** The number of the last command that ran here. */
  last = 0
  queue: string[][] | undefined
  isAborted = false

  override on_connect(): void {
    this.server.peers.push(this)
    if (this.server.world.isAway) this.cut()
  }

  override on_read(words: unknown): void {
    if (words !== undefined && !this.isCut) this.say(this.server.world.reply(this, words as any))
  }
}

class Redis extends Server<Peer> {
  override ConnectionClass = Peer
  peers: Peer[] = []
  readonly world: World

  constructor(world: World) {
    super(undefined, { engine: world.engine })
    this.world = world
  }
}

/** A command of the program. */
interface Asked {
  readonly n: number
  readonly isWrite: boolean
  ran: number
  fate: string
}

/** A handler. */
interface Listening {
  readonly kind: '' | 'p' | 's'
  readonly name: string
  stands: boolean
  isOver: boolean
  readonly got: number[]
  /** The connection by which the last message has come, and whether a gap was told since then. */
  by: Peer | undefined
  isGapTold: boolean
}

interface Published {
  readonly m: number
  readonly by: Peer
  readonly to: readonly Listening[]
}

class World extends ClientWorld {
  readonly server: Redis
  readonly client: RedisClient
  readonly isOld: boolean
  readonly #connectsAgain: boolean
  #isLoading = false
  #lastAnswered = 0
  readonly #asked = new Map<number, Asked>()
  readonly #listening: Listening[] = []
  readonly #published: Published[] = []

  constructor(random: Random) {
    super(random)
    this.server = new Redis(this)
    this.isOld = random(4) === 0
    this.#connectsAgain = random(8) > 0
    this.client = new RedisClient({
      engine: this.engine,
      connect_timeout: 500,
      waiting: pick(random, ['reads', 'reads', 'all', 'none']),
      limit: pick(random, [100_000, 20]),
      blocking_connections: 1 + random(3),
      reconnect: this.#connectsAgain && {
        first: 50,
        longest: 500,
        random: () => random(1000) / 1000,
      },
    })
    this.#setHooks()
  }

  // ---- hooks ------------------------------------------------------------------------------------

  #setHooks(): void {
    const { client } = this
    client.on_connect = () => this.hook('on_connect')
    client.on_push = () => this.hook('on_push')
    client.on_disconnect = error => {
      this.failed(error)
      if (!this.#connectsAgain) for (const each of this.#listening) each.isOver = true
      return this.hook('on_disconnect')
    }
    client.on_error = error => {
      if (error.message !== 'on purpose') this.failed(error)
      return this.hook('on_error', false)
    }
    client.on_close = () => {
      this.hook('on_close', false)
      this.isOpen = client.state !== 'closed'
    }
  }

  failed(error: Error): void {
    const isKnown = error instanceof RedisError && CODES.includes(error.code)
    if (!isKnown) this.complain(error?.stack ?? String(error))
  }

  // ---- calls ------------------------------------------------------------------------------------

  /** A random call of the program. */
  call(): void {
    const { random, client } = this
    switch (random(20)) {
      case 0:
        return client.state === 'closed' ? this.connect() : undefined
      case 1:
        return random(6) === 0 ? this.close(random(2) === 0) : undefined
      case 2:
        return this.#transact(client.multi(), 1 + random(3))
      case 3:
        return this.#block()
      case 4:
      case 5:
        return void this.#subscribe(pick(random, ['', 'p', 's'] as const), pick(random, NAMES))
      case 6:
        return this.#unsubscribe()
      default:
        return this.#ask(pick(random, ['ECHO', 'ECHO', 'SET', 'WRONG']))
    }
  }

  connect(): void {
    this.connecting(() => this.client.connect(1))
    this.watch('ready', this.client.ready)
    this.watch('closed', this.client.closed)
  }

  close(isPolite: boolean): void {
    for (const each of this.#listening) each.isOver = true
    if (isPolite) this.client.end()
    else this.client.close()
  }

  #ask(name: string): void {
    const { random, client } = this
    const one = this.#expect(name !== 'ECHO')
    const words = [name, one.n, ...(random(30) === 0 ? ['x'.repeat(70_000)] : [])]
    const timeout = random(5) === 0 ? 1 + random(300) : Infinity
    const view = client.with({ timeout, ...(random(4) === 0 && { encoding: null }) })
    this.#settles(one, view.call(...(words as [string])), reply => {
      if (Number(reply) !== one.n) this.complain(`${name} ${one.n} got ${String(reply)}`)
      if (one.n < this.#lastAnswered) this.complain(`${one.n} after ${this.#lastAnswered}`)
      this.#lastAnswered = one.n
    })
  }

  #expect(isWrite: boolean): Asked {
    const one: Asked = { n: ++this.count, isWrite, ran: 0, fate: 'waits' }
    this.#asked.set(one.n, one)
    return one
  }

  #settles(one: Asked, promise: Promise<unknown>, check: (reply: any) => void): void {
    this.watch(String(one.n), promise, (reply, code) => {
      if (one.fate !== 'waits') this.complain(`${one.n} settles twice`)
      one.fate = code ?? 'done'
      if (code === undefined) check(reply)
    })
  }

  #transact(transaction: Transaction, parts: number): void {
    const all = Array.from({ length: parts }, () => {
      const one = this.#expect(true)
      const name = pick(this.random, ['SET', 'SET', 'SET', 'WRONG', 'BAD'])
      this.#settles(one, transaction.call(name, one.n), reply => {
        if (reply !== one.n) this.complain(`${one.n} of a transaction got ${reply}`)
      })
      return one.n
    })
    this.watch('exec', transaction.exec(), (replies, code) => {
      if (code === undefined && (replies as unknown[]).length !== all.length)
        this.complain(`EXEC of ${all.length} has ${String(replies)}`)
    })
  }

  #block(): void {
    const { random, client } = this
    const one = this.#expect(true)
    const timeout = random(3) === 0 ? 1 + random(300) : Infinity
    this.#settles(one, client.with({ timeout }).call('BLPOP', one.n, 0), reply => {
      if (String(reply) !== `${one.n},${one.n}`) this.complain(`BLPOP ${one.n} got ${reply}`)
    })
  }

  #subscribe(kind: Listening['kind'], name: string): Promise<void> {
    const { random } = this
    const one: Listening = {
      ...{ kind, name, stands: false, isOver: false, got: [], by: undefined },
      isGapTold: false,
    }
    this.#listening.push(one)
    const on_gap = (): unknown => {
      one.isGapTold = true
      if (one.isOver) this.complain('a gap of a handler that has gone')
      return this.hook('on_gap')
    }
    const handler = (message: unknown): unknown => {
      this.#heard(one, Number(message))
      // It may await a confirmation.
      if (random(10) === 0 && this.left-- > 0 && !this.isCalm)
        return this.#subscribe(pick(random, ['', 'p', 's'] as const), pick(random, NAMES))
      return this.hook('a handler')
    }
    const standing = this.client[`${kind}subscribe`](name, handler, { on_gap })
    this.watch(name, standing, (_, code) => {
      one.stands = code === undefined
      one.isOver ||= code !== undefined
    })
    return standing
  }

  #unsubscribe(): void {
    const { kind, name } = pick(this.random, [...this.#listening, { kind: '', name: 'a' } as const])
    for (const each of this.#listening)
      if (each.kind === kind && each.name === name) each.isOver = true
    this.watch('unsubscribe', this.client[`${kind}unsubscribe`](name))
  }

  #heard(one: Listening, m: number): void {
    const message = this.#published.find(each => each.m === m)
    const about = `${m} for ${one.kind}${one.name}`
    if (one.isOver) this.complain(`${about} came to a handler that has gone`)
    if (message === undefined) return this.complain(`${about} was not published`)
    if (m <= (one.got.at(-1) ?? 0)) this.complain(`${about} came after ${one.got.at(-1)}`)
    if (one.by !== undefined && one.by !== message.by && !one.isGapTold)
      this.complain(`${about}: a gap was not told`)
    // Before it stands, what comes may be of a subscription before.
    if (one.stands) one.by = message.by
    one.isGapTold = false
    one.got.push(m)
  }

  // ---- the server -------------------------------------------------------------------------------

  reply(peer: Peer, words: string[]): string {
    const [name, first = ''] = words as [string, string?]
    if (peer.queue !== undefined && name !== 'EXEC') return this.#queued(peer, words)
    const [, kind, un] = /^([PS]?)(UN)?SUBSCRIBE$/.exec(name) ?? []
    if (kind !== undefined) return this.#subscribed(peer, kind.toLowerCase(), first, un === 'UN')
    switch (name) {
      case 'HELLO':
        peer.isRESP3 = !this.isOld
        return this.isOld ? "-ERR unknown command 'HELLO'\r\n" : '%1\r\n+proto\r\n:3\r\n'
      case 'CLIENT':
        return "-ERR unknown subcommand 'SETINFO'\r\n"
      case 'PING':
        return this.#isLoading ? '-LOADING of data\r\n' : '+PONG\r\n'
      case 'MULTI':
        peer.queue = []
        return '+OK\r\n'
      case 'EXEC':
        return this.#executed(peer)
      case 'BLPOP':
        if (!this.isCalm && this.random(2) === 0) peer.held ??= []
        this.#run(peer, Number(first), true)
        return list([first, first])
      case 'ECHO':
        this.#run(peer, Number(first))
        return blob(first)
      default:
        this.#run(peer, Number(first))
        return name === 'SET' ? `:${first}\r\n` : `-WRONG of ${first}\r\n`
    }
  }

  /** Notes that it runs. */
  #run(peer: Peer, n: number, isAlone = false): void {
    const one = this.#asked.get(n) as Asked
    if (++one.ran > 1 && one.isWrite) this.complain(`${n} has run twice`)
    if (!isAlone && n <= peer.last) this.complain(`${n} was sent after ${peer.last}`)
    peer.last = n
  }

  #queued(peer: Peer, words: string[]): string {
    peer.isAborted ||= words[0] === 'BAD'
    if (words[0] === 'BAD') return '-BAD of a transaction\r\n'
    ;(peer.queue as string[][]).push(words)
    return '+QUEUED\r\n'
  }

  #executed(peer: Peer): string {
    const { queue = [], isAborted } = peer
    peer.queue = undefined
    peer.isAborted = false
    if (isAborted) return '-EXECABORT of a transaction\r\n'
    if (this.random(5) === 0) return peer.isRESP3 ? '_\r\n' : '*-1\r\n'
    return `*${queue.length}\r\n${queue.map(words => this.reply(peer, words)).join('')}`
  }

  #subscribed(peer: Peer, kind: string, name: string, isUn: boolean): string {
    if (name === 'refused' && !isUn) return '-NOPERM of this name\r\n'
    const key = `${kind} ${name}`
    if (!isUn && peer.names.has(key)) this.complain(`${key} is subscribed twice`)
    if (isUn) peer.names.delete(key)
    else peer.names.add(key)
    const said = `${kind}${isUn ? 'un' : ''}subscribe`
    return list([said, name, peer.names.size], peer.isRESP3 ? '>' : '*')
  }

  /** Something happens to the server, or to a connection. */
  event(): void {
    const { random, server } = this
    const peers = server.peers.filter(each => !each.isCut)
    const peer = pick(random, peers)
    switch (random(16)) {
      case 0:
        return random(8) === 0 ? void (this.#isLoading = !this.#isLoading) : undefined
      case 1:
        return random(8) === 0 ? void (this.isAway = !this.isAway) : undefined
      case 2:
        return random(4) === 0 ? peer?.cut() : undefined
      case 3:
        return random(4) === 0 ? this.#reset() : undefined
      case 4:
        return random(8) === 0 ? this.#spoil(peer) : undefined
      case 5:
        return peer === undefined ? undefined : void (peer.held ??= [])
      case 6:
      case 7:
      case 8:
        return peer?.release()
      case 9:
        return peer?.isRESP3 ? peer.say(list(['invalidate', 'x'], '>')) : undefined
      default:
        return this.#publish()
    }
  }

  #reset(): void {
    const { network, random } = this
    const transport = pick(random, network.transports)
    if (transport === undefined) return
    network.reset(transport)
    // Which one it was shows later.
    for (const each of this.server.peers) each.isCut ||= !each.connected
  }

  /** It ends in the middle of a reply, or says nonsense. */
  #spoil(peer: Peer | undefined): void {
    if (peer === undefined) return
    peer.write(pick(this.random, [...GARBAGE, '$100\r\nabc', '*3\r\n:1\r\n', '>3\r\n+mess']))
    peer.cut()
  }

  #publish(name = pick(this.random, NAMES)): void {
    for (const by of this.server.peers.filter(each => !each.isCut)) {
      const m = ++this.count
      const to = this.#listening.filter(
        each => each.name === name && each.stands && !each.isOver && by.names.has(keyOf(each)),
      )
      const kinds = ['', 'p', 's'].filter(kind => by.names.has(`${kind} ${name}`))
      if (kinds.length > 0) this.#published.push({ m, by, to })
      for (const kind of kinds) {
        const parts = [`${kind}message`, name, ...(kind === 'p' ? ['channel'] : []), String(m)]
        by.say(list(parts, by.isRESP3 ? '>' : '*'))
      }
    }
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Nothing random happens any more. */
  async calm(): Promise<void> {
    const { client, server } = this
    this.isCalm = true
    this.isAway = this.#isLoading = false
    for (const peer of server.peers) peer.release()
    await this.until('it is not closing', () => client.state !== 'closing')
    await this.step()
    if (client.state === 'closed') this.connect()
    await this.until('it is connected', () => client.connected || client.state === 'closed')
    // With `reconnect: false` it may have been lost.
    if (client.state === 'closed') return
    // That of `closed` has not.
    await this.until('all has settled', () => this.pending.size === 1)
    await this.until('it has subscribed again', () => this.#isRestored())
    const before = this.count
    for (const name of NAMES) this.#publish(name)
    const isHeard = (): boolean =>
      this.#published.every(({ m, to }) => m <= before || to.every(each => each.got.includes(m)))
    await this.until('the last messages have come', isHeard)
  }

  #isRestored(): boolean {
    const wanted = new Set(this.#listening.filter(each => !each.isOver).map(keyOf))
    const found = this.server.peers.filter(each => !each.isCut).flatMap(each => [...each.names])
    return found.length === wanted.size && found.every(each => wanted.has(each))
  }

  override async end(): Promise<void> {
    await super.end()
    this.#check()
  }

  #check(): void {
    for (const { n, isWrite, ran, fate } of this.#asked.values()) {
      if (isWrite && (fate === 'done' || fate === 'WRONG') && ran !== 1)
        this.complain(`${n} is done, and has run ${ran} times`)
      if (NOT_RUN.includes(fate) && ran > 0) this.complain(`${n} has run: ${fate}`)
    }
  }
}

function keyOf({ kind, name }: Listening): string {
  return `${kind} ${name}`
}

export const redisCalls: Target = {
  name: 'Redis calls',
  round: random => new World(random).play(1),
}
