/**
 * What must be so of a room server and its members, whatever happens. It is slow and obvious: it
 * writes down what everybody says and hears, and compares it in the end.
 *
 * A membership begins with a call of join(), and ends with one of leave() or when it is refused.
 *
 * 1. With a history: the relay has each message once. A member hears what the relay has, from the
 *    number on at which its membership begins, in the order of the numbers, each once, but not its
 *    own; or it is told a gap. If nothing is forgotten, there is no gap.
 * 2. Without: each message is heard at most once. Whoever is in the room when it is passed on, and
 *    stays, hears it.
 * 3. When all is calm, members know who is there.
 * 4. Every promise settles, and whatever fails does so with an error that is documented.
 */

import type { Engine } from '../../src/engine.ts'
import { ChannelError } from '../../src/errors.ts'
import type { Context } from '../../src/messages/context.ts'
import { Channel } from '../../src/rooms/client/node-channel.ts'
import type { Member } from '../../src/rooms/server/member.ts'
import { unpackRecord } from '../../src/rooms/server/record.ts'
import type { RoomServer } from '../../src/rooms/server/room-server.ts'
import type { TroubledRelay } from '../rooms/server/kit.ts'

export const ROOMS = ['a', 'b', '__proto__']

/** What is said. */
interface Said {
  readonly n: number
  readonly from: string
  readonly at: string
}

/** What was passed on, to those who were there. */
interface Passed extends Said {
  /** Its number in the history. */
  readonly seq: number | undefined
  readonly isVolatile: boolean
  /** Who was in the room. */
  readonly there: ReadonlySet<string>
}

interface Membership {
  readonly room: string
  /** After this number it begins; undefined: nobody knows. */
  start: number | undefined
  readonly begun: 'new' | 'all' | 'last'
  readonly heard: { readonly said: Said; readonly seq: number | undefined }[]
  readonly gaps: (readonly [from: number, to: number])[]
  readonly names: Set<string>
  /** What it had seen when it ended. */
  end: number | undefined
  isJoined: boolean
}

/** Those of the Channel, of a relay, and of the system. */
// prettier-ignore
const CODES = [
  'INVALID_STATE', 'INVALID_ARGUMENT', 'OVERFLOW', 'EXPIRED', 'REFUSED', 'DROPPED', 'TIMEOUT',
  'CLOSED', 'CONNECTION', 'GAVE_UP', 'RELAY_UNAVAILABLE', 'RELAY_CLOSED',
].map(name => `ERR_${name}`)

/** A member: a Channel, and what it has heard. */
export class Peer {
  readonly name: string
  readonly channel: Channel
  readonly #model: Model
  readonly now = new Map<string, Membership>()
  readonly all: Membership[] = []
  readonly #lastSeqs = new Map<string, number>()
  /** Has it joined over this connection? Then the server knows it again after a reconnect. */
  #isKnown = false

  constructor(model: Model, name: string, url: string, options: object) {
    this.name = name
    this.#model = model
    this.channel = new Channel(url, {
      ...options,
      name,
      auto_reconnect: true,
      // No wait is random.
      reconnect_delay: 1,
      max_reconnect_delay: 1,
      final_codes: [],
    })
    const { channel } = this
    channel.on_message(message => this.#heard(message))
    channel.on_gap((room, from, to) => void this.now.get(room)?.gaps.push([from, to]))
    channel.on_presence((room, came, went) => this.#changed(room, came, went))
    channel.on_close(() => {
      this.#model.closes++
      this.#isKnown = false
      for (const each of this.now.values()) each.isJoined = false
    })
    channel.on_error(error => this.#failed(error))
  }

  // ---- what it does -----------------------------------------------------------------------------

  /** A call may fail, but it settles, and says why by its code. */
  watch(promise: Promise<unknown>): void {
    this.#model.pending++
    promise
      .catch((error: unknown) => this.#failed(error as Error))
      .finally(() => this.#model.pending--)
  }

  connect(): void {
    this.watch(this.channel.connect())
  }

  close(): void {
    this.watch(this.channel.close())
  }

  join(room: string, begun: 'new' | 'all' | 'last'): void {
    const known = this.#lastSeqs.get(room)
    const seq = begun === 'all' ? 0 : begun === 'last' ? known : undefined
    if (!this.channel.is_in_room(room)) {
      const one: Membership = {
        room,
        start: seq,
        begun: seq === undefined ? 'new' : seq === 0 ? 'all' : begun,
        heard: [],
        gaps: [],
        names: new Set(),
        end: undefined,
        isJoined: false,
      }
      this.now.set(room, one)
      this.all.push(one)
    }
    this.watch(this.channel.join(room, seq === undefined ? {} : { seq }))
  }

  leave(room: string): void {
    this.#ends(room)
    this.watch(this.channel.leave(room))
  }

  say(room: string): void {
    const n = this.#model.next()
    this.#model.mark(this, room, n, this.#isKnown)
    this.watch(this.channel.send_to(room, { n, from: this.name, at: room }))
  }

  // ---- what it is told --------------------------------------------------------------------------

  #heard(message: any): void {
    if (message?.status === 'joined') this.#joined(message)
    const left = message?.status === 'left' ? this.now.get(message.room) : undefined
    if (left !== undefined) left.isJoined = false
    if (typeof message?.n !== 'number') return
    const one = this.now.get(message.at)
    // What was on its way when it left.
    if (one === undefined) return
    one.heard.push({ said: message, seq: this.channel.last_seq(message.at) })
  }

  #joined({ room, seq, client }: { room: string; seq?: number; client?: string }): void {
    this.#isKnown ||= client !== undefined
    const one = this.now.get(room)
    // It may answer what came before a leave.
    if (one === undefined || (seq !== undefined && this.channel.last_seq(room) === undefined))
      return
    one.isJoined = true
    one.start ??= seq
  }

  #ends(room: string): void {
    const one = this.now.get(room)
    if (one === undefined) return
    one.end = this.channel.last_seq(room)
    if (one.end !== undefined) this.#lastSeqs.set(room, one.end)
    this.now.delete(room)
  }

  #changed(room: string, came: readonly string[], went: readonly string[]): void {
    const names = this.now.get(room)?.names
    if (names === undefined) return
    for (const each of came) {
      if (names.has(each)) this.#model.complain(`${this.name}: ${each} has come to ${room} twice`)
      names.add(each)
    }
    for (const each of went)
      if (!names.delete(each))
        this.#model.complain(`${this.name}: ${each} has gone from ${room}, and was not there`)
  }

  #failed(error: Error): void {
    const { code, room } = error as { code?: string; room?: string }
    // The session has forgotten what it had seen.
    if (code === 'ERR_REFUSED' && !this.channel.is_in_room(room!)) this.now.delete(room!)
    this.#model.failed(this.name, error)
  }
}

export class Model {
  readonly #server: RoomServer
  readonly #history: number
  readonly peers: Peer[] = []
  readonly wrong: string[] = []
  readonly #passed: Passed[] = []
  /** How often a member has left a room. */
  readonly #leaves = new Map<string, number>()
  /** What each member has said last in each room. */
  readonly #marks = new Map<string, number>()
  /** What was said by somebody whom the server will not know again: it may come back to it. */
  readonly #unknown = new Set<number>()
  #count = 0
  /** How much was passed on before the last steps. */
  #before = [0, 0, 0]
  /** How many connections were lost. */
  closes = 0
  /** Promises that have not settled. */
  pending = 0

  constructor(server: RoomServer, { inner }: TroubledRelay, history: number) {
    this.#server = server
    this.#history = history
    const { publish, append } = inner
    inner.publish = (topic, data) => {
      this.#pass(data, undefined)
      return publish.call(inner, topic, data)
    }
    inner.append = async (topic, data) => {
      const seq = await append.call(inner, topic, data)
      this.#pass(data, seq)
      return seq
    }
  }

  add(url: string, options: { engine: Engine; context: Context }): void {
    const peer = new Peer(this, `peer ${this.peers.length}`, url, options)
    this.peers.push(peer)
    peer.connect()
  }

  next(): number {
    return ++this.#count
  }

  complain(fault: string): void {
    if (this.wrong.length < 10) this.wrong.push(fault)
  }

  failed(where: string, error: Error): void {
    const { code, message } = error as { code?: string; message: string }
    const isKnown =
      (error instanceof ChannelError && (CODES.includes(code!) || /^E[A-Z]+$/.test(code!))) ||
      /^on purpose$|^emit to .* too much waits/.test(message)
    if (!isKnown) this.complain(`${where}: ${error?.stack ?? String(error)}`)
  }

  logged(message: string): void {
    this.complain(`logged: ${message}`)
  }

  stepped(): void {
    this.#before = [...this.#before.slice(1), this.#passed.length]
  }

  /** Was nothing passed on in the last steps? */
  get isStill(): boolean {
    return this.#history > 0 || this.#before[0] === this.#passed.length
  }

  get #isShort(): boolean {
    return this.#history > 0 && this.#history < 100
  }

  // ---- what happens -----------------------------------------------------------------------------

  #pass(data: string | Uint8Array, seq: number | undefined): void {
    const record = unpackRecord(Buffer.from(data))
    if (record === undefined) return
    const { n, from, at, _room } = JSON.parse(record.text)
    if (typeof n !== 'number') return
    if (at !== _room) this.complain(`message ${n} to ${at} was passed on to ${_room}`)
    const there = new Set(this.#server.members(at).map(member => this.#visit(member, at)))
    this.#passed.push({ n, from, at, seq, isVolatile: record.isVolatile, there })
  }

  #key({ id }: Member, room: string): string {
    return `${id} ${room}`
  }

  /** Somebody who is there, until it leaves. */
  #visit(member: Member, room: string): string {
    const key = this.#key(member, room)
    return `${key} ${this.#leaves.get(key) ?? 0}`
  }

  left(member: Member, room: string): void {
    const key = this.#key(member, room)
    this.#leaves.set(key, (this.#leaves.get(key) ?? 0) + 1)
  }

  emit(room: string, isVolatile: boolean, except: Member | undefined): void {
    // Somebody who is excepted, and comes back, is another member.
    const from = except === undefined ? '' : `but ${except.name}`
    const message = { n: this.next(), from, at: room }
    this.#server.emit(room, message, { volatile: isVolatile, except })
  }

  mark({ name }: Peer, room: string, n: number, isKnown: boolean): void {
    this.#marks.set(`${name} ${room}`, n)
    if (!isKnown) this.#unknown.add(n)
  }

  // ---- when all is calm -------------------------------------------------------------------------

  async settled(promise: Promise<unknown>, step: () => Promise<void>): Promise<void> {
    let isDone = false
    promise.then(
      () => (isDone = true),
      (error: Error) => this.failed('close()', error),
    )
    for (let n = 0; n < 4000 && !isDone; n++) await step()
    if (!isDone) this.complain('close() takes too long')
  }

  #membersOf(room: string): Peer[] {
    return this.peers.filter(({ channel }) => channel.is_in_room(room))
  }

  haveJoined(): boolean {
    return this.peers.every(({ now, channel }) =>
      channel.get_rooms().every(room => now.get(room)?.isJoined === true),
    )
  }

  /** Has everybody heard what the others have said last? */
  haveHeard(): boolean {
    return (
      this.pending === 0 &&
      ROOMS.every(room => {
        const members = this.#membersOf(room)
        return members.every(({ now, name }) => {
          const heard = new Set(now.get(room)?.heard.map(({ said }) => said.n))
          return members.every(
            each => each.name === name || heard.has(this.#marks.get(`${each.name} ${room}`)!),
          )
        })
      })
    )
  }

  areKnown(): boolean {
    if (!this.#server.presence) return true
    return ROOMS.every(room => {
      const names = new Set(this.#server.members(room).map(member => member.name))
      const lists = this.#membersOf(room).map(({ channel }) => channel.get_members(room))
      if (lists.length > 0) lists.push(this.#server.names(room))
      return lists.every(list => list.length === names.size && list.every(name => names.has(name)))
    })
  }

  check(): void {
    for (const peer of this.peers) {
      for (const [room, one] of peer.now) one.end = peer.channel.last_seq(room)
      for (const one of peer.all) this.#checkMembership(peer, one)
      for (const [room, { names }] of peer.now)
        if ([...names].sort().join() !== peer.channel.get_members(room).sort().join())
          this.complain(`${peer.name} was not told who is in ${room}`)
    }
    if (this.#history === 0) this.#checkThere()
    const ns = this.#passed.map(({ n }) => n)
    // A short history may have forgotten that it has it.
    if (!this.#isShort && new Set(ns).size < ns.length)
      this.complain('a message was passed on twice')
  }

  /** Whoever was there and is still there has heard it. */
  #checkThere(): void {
    for (const peer of this.peers) {
      const heard = new Set(peer.all.flatMap(one => one.heard.map(({ said }) => said.n)))
      for (const member of this.#server.members().filter(({ name }) => name === peer.name))
        for (const { n, at, from, there, isVolatile } of this.#passed)
          if (!isVolatile && !isOf(from, peer.name) && there.has(this.#visit(member, at)))
            if (!heard.has(n)) this.complain(`${peer.name} was in ${at}, and has not heard ${n}`)
    }
  }

  #checkMembership({ name }: Peer, one: Membership): void {
    const { room, heard, gaps } = one
    const about = `${name} in ${room}`
    for (const { said } of heard) {
      if (said.from === name && !this.#unknown.has(said.n))
        this.complain(`${about} has heard its own ${said.n}`)
      if (said.at !== room) this.complain(`${about} has heard ${said.n} of ${said.at}`)
    }
    const numbers = heard.map(({ said }) => said.n)
    if (new Set(numbers).size < numbers.length) this.complain(`${about} has heard something twice`)
    if (this.#history > 0) this.#checkHistory(name, one)
    if (!this.#isShort && gaps.length > 0)
      this.complain(`${about}: a gap, though nothing is gone: ${gaps.join(' ')}`)
  }

  #checkHistory(name: string, { room, heard, gaps, start, end, begun }: Membership): void {
    const about = `${name} in ${room}`
    const seqs = heard.map(({ seq }) => seq ?? 0)
    if (seqs.some((seq, index) => index > 0 && seq <= seqs[index - 1]!))
      this.complain(`${about}: out of order: ${seqs}`)
    // What was forgotten before it came is no gap.
    const isCut = begun === 'all' && this.#isShort
    const from = isCut ? Math.min(...seqs, ...gaps.map(([first]) => first)) - 1 : start
    if (from === undefined || end === undefined) return
    const got = new Map(heard.map(({ said, seq }) => [said.n, seq]))
    for (const { n, at, seq, from: sayer, isVolatile } of this.#passed) {
      if (at !== room || seq! <= from || seq! > end) continue
      const has = got.has(n)
      if (has && got.get(n) !== seq && !this.#isShort)
        this.complain(`${about}: ${n} is ${seq}, not ${got.get(n)}`)
      const isGone = gaps.some(([first, last]) => seq! >= first && seq! <= last)
      if (!has && !isGone && !isVolatile && !isOf(sayer, name))
        this.complain(`${about} has not heard ${n}, with the number ${seq}`)
    }
  }
}

/** Need it not be told what this one has said, or was excepted from? */
function isOf(sayer: string, name: string): boolean {
  return sayer === name || sayer === `but ${name}`
}
