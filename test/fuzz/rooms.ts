/**
 * A room server and its members, whose calls, hooks, connections and relay do what they like. What
 * must be so: see rooms-model.ts.
 */

import { Stream } from '../../src/channels/streams/stream.ts'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import { Context } from '../../src/messages/context.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import type { Member } from '../../src/rooms/server/member.ts'
import { RoomServer } from '../../src/rooms/server/room-server.ts'
import { TroubledRelay } from '../rooms/server/kit.ts'
import { Model, ROOMS } from './rooms-model.ts'
import { pick, type Random, type Target } from './target.ts'

/** How many steps it may take until all is calm, and to close. */
const MOST_STEPS = 4000

/** The same on real sockets, in ms. */
const MOST_MS = 60_000

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** What a peer says that is none of the Channel. */
const NASTY = [
  '',
  '{',
  'null',
  '[]',
  '{"_room":5}',
  '{"_room":""}',
  '{"_room":"a","_seq":9007199254740991,"text":"x"}',
  '{"_room":"a",\n"text":"of two\\n lines"}',
  '{"_room":"nowhere","status":"joined","room":"a"}',
  '{"type":"_join","room":"a"}',
  '{"type":"_join","room":"__proto__","name":"__proto__"}',
  '{"type":"_join","room":"a","seq":0,"client":"constructor","name":"nasty"}',
  '{"type":"_join","room":"b","seq":9007199254740991}',
  '{"type":"_join","room":{"a":1}}',
  `{"type":"_join","room":"${'x'.repeat(300)}"}`,
  '{"type":"_leave","room":"a"}',
  '{"type":"_leave"}',
  '{"status":"joined","room":"a","seq":1}',
  '\u0000',
]

class World {
  readonly random: Random
  readonly network: MemoryNetwork | NodeNetwork
  readonly clock: ManualClock | undefined
  readonly engine: Engine
  readonly context: Context
  readonly relay: TroubledRelay
  readonly server: RoomServer
  readonly model: Model
  readonly strangers: MessageChannel[] = []
  /** How many hooks have not settled. */
  #working = 0
  #isCalm = false

  constructor(random: Random, isReal: boolean) {
    this.random = random
    this.clock = isReal ? undefined : new ManualClock()
    this.network = isReal
      ? new NodeNetwork()
      : new MemoryNetwork({ chunk: () => 1 + random(2 ** random(14)) })
    const { network, clock } = this
    const log = (message: string): void => this.model.logged(message)
    this.engine = new Engine({ network, log, ...(clock && { clock }) })
    const { engine } = this
    this.context = new Context({ engine })
    const count = pick(random, [0, 0, 6, 1000])
    this.relay = new TroubledRelay(engine, Math.max(1, count))
    this.server = new RoomServer({
      engine,
      context: this.context,
      relay: this.relay,
      history: count > 0 && count,
      presence: random(4) > 0,
      echo: random(2) === 0,
      rate: pick(random, [Infinity, Infinity, 500]),
      member_buffer: pick(random, [2 ** 20, 2000]),
      ...(random(2) === 0 && { max_rooms: 2 }),
    })
    this.model = new Model(this.server, this.relay, count)
    this.#setHooks()
  }

  // ---- hooks ------------------------------------------------------------------------------------

  #setHooks(): void {
    const { server, random, model } = this
    const sayNo = ['no', false] as const
    if (random(2) === 0) server.on_join = () => this.#behave(sayNo)
    if (random(2) === 0)
      server.on_room_message = (_member, _room, data) =>
        this.#behave([false, { ...data, isChanged: true }, undefined], () => (data['more'] = 1))
    server.on_message = () => this.#behave([false])
    server.on_presence = () => this.#behave([])
    server.on_connect = member => this.#act(member)
    server.on_disconnect = member => this.#act(member)
    server.on_leave = (member, room) => {
      model.left(member, room)
      return this.#act(member)
    }
    server.on_error = error => model.failed('server.on_error', error)
  }

  /** One of these answers, now or later; or it throws. */
  #behave(answers: readonly unknown[], change = (): unknown => undefined): unknown {
    const { random } = this
    if (this.#isCalm || random(3) > 0) return undefined
    if (random(3) === 0) change()
    if (random(4) === 0) this.call()
    const answer = pick(random, [undefined, undefined, ...answers])
    switch (random(6)) {
      case 0:
        throw new Error('on purpose')
      case 1:
        return this.#later(random(30), () => Promise.reject(new Error('on purpose')))
      case 2:
      case 3:
        return this.#later(random(30), () => answer)
      default:
        return answer
    }
  }

  async #later(steps: number, answer: () => unknown): Promise<unknown> {
    this.#working++
    while (steps-- > 0) await turn()
    this.#working--
    return answer()
  }

  #act(member: Member): void {
    if (this.#isCalm || this.random(4) > 0) return
    member.send({ hello: 1 })
    if (this.random(3) === 0) member.disconnect(1012, 'on purpose')
    if (this.random(4) === 0) this.call()
  }

  // ---- calls ------------------------------------------------------------------------------------

  async open(): Promise<void> {
    const ports = this.clock === undefined ? [0, 0] : [1, 2]
    const places = [`tcp://127.0.0.1:${ports[0]};frame=line`, `ws://127.0.0.1:${ports[1]}/`]
    this.server.listen('mem://;name=rooms', ...places)
    await this.until('it listens', () => this.server.state === 'active')
    for (let n = 3 + this.random(4); n > 0; n--) {
      const url = pick(this.random, this.server.client_urls)
      const { engine, context } = this
      this.model.add(isWs(url) ? url.replace(/;.*/, '') : url, { engine, context })
    }
  }

  /** A random call of a program, or something that happens to it. */
  call(): void {
    const { random, server, model } = this
    if (server.state !== 'active') return
    const peer = pick(random, model.peers)
    const room = pick(random, ROOMS)
    switch (random(18)) {
      case 0:
        return peer.connect()
      case 1:
        return random(4) === 0 ? peer.close() : undefined
      case 2:
      case 3:
      case 4:
        return peer.join(room, pick(random, ['new', 'new', 'all', 'last'] as const))
      case 5:
        return random(2) === 0 ? peer.leave(room) : undefined
      case 6:
        return peer.watch(peer.channel.send(pick(random, ['text', '{"status":1}', 5])))
      case 7:
        return model.emit(room, random(4) === 0, this.#excepted())
      case 8:
        return void pick(random, [undefined, ...server.members()])?.expel(room, 'on purpose')
      case 9:
        return random(3) > 0 ? undefined : this.#kill()
      case 10:
        return random(3) > 0 ? undefined : this.#trouble()
      case 11:
        return this.#stranger()
      default:
        return peer.say(room)
    }
  }

  /** A member that has joined something: only then its name is known. */
  #excepted(): Member | undefined {
    const members = this.server.members().filter(({ name }) => name.startsWith('peer'))
    return pick(this.random, [undefined, ...members])
  }

  /** A connection is lost. */
  #kill(): void {
    const { random, server, engine } = this
    const streams = [...engine.channels].filter(each => each instanceof Stream)
    if (streams.length > 0 && random(3) > 0) pick(random, streams).close()
    else pick(random, [undefined, ...server.members()])?.disconnect(1012, 'on purpose')
  }

  /** The server of the relay goes, or comes back. */
  #trouble(): void {
    const { model } = this
    // What waits for it waits for seconds. What is on its way may be lost without a history.
    if (this.clock === undefined || !model.isStill) return
    if (this.relay.isAway) this.#untrouble()
    else if (this.random(2) === 0) this.relay.append_mode = 'store and fail'
    else this.relay.isAway = true
  }

  #untrouble(): void {
    this.relay.append_mode = 'store'
    this.relay.comeBack()
  }

  #stranger(): void {
    const { random, strangers, context, server, model } = this
    if (strangers.length === 0 || random(20) === 0) {
      const url = pick(random, server.client_urls)
      const stranger = context.init(url)
      stranger.on_error = () => stranger.close(true)
      strangers.push(stranger.open())
    }
    const stranger = pick(random, strangers)
    if (stranger.state !== 'active') return
    try {
      stranger.post(pick(random, NASTY))
    } catch (error) {
      // Two lines are not one message everywhere.
      model.failed('post()', error as Error)
    }
  }

  // ---- time -------------------------------------------------------------------------------------

  async step(): Promise<void> {
    const { network, clock, random, model } = this
    model.stepped()
    await turn()
    if (clock === undefined) return
    clock.advance(this.#isCalm ? 20 : random(3))
    ;(network as MemoryNetwork).pump(random(3) === 0 ? 1 + random(1000) : undefined)
  }

  async until(what: string, isSo: () => boolean): Promise<boolean> {
    const end = performance.now() + MOST_MS
    for (let n = 0; !isSo(); n++) {
      if (this.clock === undefined ? performance.now() > end : n > MOST_STEPS) {
        this.model.complain(`it takes too long until ${what}`)
        return false
      }
      await this.step()
    }
    return true
  }

  /** Nothing random happens any more: everybody connects, and speaks once in each of its rooms. */
  async calm(): Promise<void> {
    const { model } = this
    this.#isCalm = true
    this.#untrouble()
    await this.until('hooks have settled', () => this.#working === 0)
    for (const stranger of this.strangers) stranger.close(true)
    const areClosing = (): boolean => model.peers.some(({ channel }) => channel.state === 'closing')
    await this.until('nobody is closing', () => !areClosing())
    const areOpen = (): boolean => model.peers.every(({ channel }) => channel.is_connected)
    await this.until('all are connected', () => {
      // A first attempt is not repeated. One that is under way may still hear of a kill.
      for (const peer of model.peers) if (peer.channel.state === 'closed') peer.connect()
      return areOpen()
    })
    for (let closes = -1; closes < model.closes;) {
      closes = model.closes
      await this.until('all have joined', () => areOpen() && model.haveJoined())
      for (const peer of model.peers) for (const room of peer.channel.get_rooms()) peer.say(room)
      // A slow one is sent away, and what it has said may be lost.
      const isDone = (): boolean => model.haveHeard() || model.closes > closes
      await this.until('all have heard all', isDone)
    }
    await this.until('all know who is there', () => model.areKnown())
    model.check()
  }

  async end(): Promise<void> {
    const { model, server, engine, network, clock } = this
    for (const { channel } of model.peers) await model.settled(channel.close(), () => this.step())
    await this.until('all have gone', () => server.members().length + server.rooms().length === 0)
    server.close()
    let isStopped = false
    void engine.stop({ timeout: 50 }).then(() => (isStopped = true))
    await this.until('the engine has stopped', () => isStopped)
    for (let n = 0; n < 10; n++) await this.step()
    if (engine.channels.size > 0) model.complain(`${engine.channels.size} channels are left`)
    if (network instanceof MemoryNetwork && network.transports.length > 0)
      model.complain(`${network.transports.length} transports are left`)
    if (clock !== undefined && clock.pending > 0) model.complain(`${clock.pending} timers are left`)
  }
}

function isWs(url: string): boolean {
  return url.startsWith('ws:')
}

async function round(random: Random, isReal: boolean): Promise<string[]> {
  const world = new World(random, isReal)
  const { model } = world
  const unhandled = (error: unknown): void =>
    model.complain(`unhandled: ${(error as Error)?.stack ?? String(error)}`)
  process.on('unhandledRejection', unhandled)
  const { random: before } = Math
  Math.random = () => random(2 ** 20) / 2 ** 20
  await world.open()
  for (let n = 100 + random(200); n > 0; n--) {
    world.call()
    if (random(2) === 0) await world.step()
  }
  await world.calm()
  await world.end()
  await turn()
  Math.random = before
  process.off('unhandledRejection', unhandled)
  return model.wrong
}

export const roomsInMemory: Target = {
  name: 'rooms, in memory',
  round: random => round(random, false),
}

export const roomsOverSockets: Target = {
  name: 'rooms, sockets',
  round: random => round(random, true),
}
