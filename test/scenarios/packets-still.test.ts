/**
 * A router that stands still when agents and their supervisor come to it: it takes what they send,
 * and says nothing. Then it goes on, or dies; or it is of another make, and never says anything.
 */

import t from 'tap'
import { type Addr, Control } from '../../src/messages/message.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import { WebsocketChannel } from '../../src/packets/channel/websocket-channel.ts'
import type { Packet } from '../../src/packets/packet.ts'
import { PacketAgent } from '../../src/packets/packet-agent.ts'
import { PacketRouter } from '../../src/packets/router/router.ts'
import { Supervisor } from '../../src/packets/supervisor/supervisor.ts'
import { type Stage, stage } from '../messages/kit.ts'
import { numbersOf, sendBothWays, upTo } from '../packets/kit.ts'

const AGENTS = 3
const EACH = 200
const MINUTES = 60_000

/** Stands before a router, and passes nothing on until it is told to. */
class Gate {
  readonly #world: Stage
  readonly #router: string
  readonly #held: { addr: Addr; data: string }[] = []
  readonly #ways = new Map<Addr, MessageChannel>()
  #server!: MessageChannel

  constructor(world: Stage, router: string) {
    this.#world = world
    this.#router = router
  }

  async open(name: string): Promise<string> {
    this.#server = this.#world.context.init(`mem://;mode=server;name=${name}`)
    this.#server.on_message = ({ data, addr }) =>
      void this.#held.push({ addr: addr!, data: data.toString() })
    this.#server.open()
    await this.#world.pump()
    return this.#server.client_url!
  }

  get held(): number {
    return this.#held.length
  }

  /** Passes on what was held, the first `count` of it; with all of it, also what comes later. */
  async goOn(count = Infinity): Promise<void> {
    for (const { addr, data } of this.#held.splice(0, count)) await this.#pass(addr, data)
    if (count === Infinity)
      this.#server.on_message = ({ data, addr }) => void this.#pass(addr!, data.toString())
  }

  async #pass(addr: Addr, data: string): Promise<void> {
    const known = this.#ways.get(addr)
    if (known !== undefined) return void known.post(data)
    const way = this.#world.context.init(this.#router)
    this.#ways.set(addr, way)
    way.on_message = ({ data }) => void this.#server.post({ data: data.toString(), addr })
    way.open()
    await this.#world.pump()
    way.post(data)
  }

  async close(): Promise<void> {
    for (const each of [...this.#ways.values(), this.#server]) {
      each.close()
      await this.#world.pump()
      each.destroy()
    }
    this.#ways.clear()
    await this.#world.pump()
  }
}

/** A supervisor and agents at that address; each writes down what it gets. */
async function people(world: Stage, url: string) {
  const { context, engine } = world
  const channel = { lost: { max_outage: Infinity }, backoff: { first: 10, longest: 20 } }
  const silent = { channel: { ...channel, on_error() {} }, on_error() {} }
  const acts = new Map<string, Packet[]>()
  const tells = new Map<string, Packet[]>()
  const supervisor = new Supervisor({ engine, on_error() {} })
  const opening = supervisor.register_job({
    architect: {
      get_channels: (...callbacks) => [
        new WebsocketChannel('main', ...callbacks, url, { ...silent.channel, context }),
      ],
    },
    handlers: { act: packet => void acts.get(packet.sender_id!)!.push(packet) },
  })
  const agents = upTo(AGENTS).map(index => {
    const id = `agent${index}`
    acts.set(id, [])
    tells.set(id, [])
    const on_packet = (packet: Packet): void => void tells.get(id)!.push(packet)
    return new PacketAgent(id, url, { ...silent, context, on_packet }).open()
  })
  await world.pump()
  const run = await opening
  const lists = (): number[][] => [...acts.values(), ...tells.values()].map(numbersOf)
  const end = async (): Promise<void> => {
    for (const agent of agents) agent.close()
    const ending = supervisor.shutdown({ timeout: 0 })
    await world.advance(5000)
    await ending
  }
  return { run, agents, acts, tells, lists, end }
}

/** Of each agent, both ways. */
const ALL = upTo(2 * AGENTS).map(() => upTo(EACH))

/** After this part of what was held the router dies; 1: it does not. */
for (const part of [0, 0.01, 0.5, 1])
  stage(t, `ours; it goes on with ${part} of what was held`, async (t, world) => {
    const { context } = world
    const quiet = { context, on_error() {}, on_drop() {} }
    const first = new PacketRouter(quiet)
    const opening = first.listen('mem://;mode=server')
    await world.pump()
    const gate = new Gate(world, await opening)
    const { run, agents, lists, end } = await people(world, await gate.open('still'))
    sendBothWays(run, agents, EACH / 2)
    await world.advance(30 * MINUTES)
    t.ok(gate.held > AGENTS * EACH, 'it is not waited for for ever')
    t.strictSame([run.stats()[0]!.mode, agents[0]!.mode], ['asking', 'asking'], 'nothing is known')
    sendBothWays(run, agents, EACH, EACH / 2)
    await world.pump()
    await gate.goOn(part === 1 ? Infinity : Math.floor(part * gate.held))
    await world.advance(5000)
    let second: PacketRouter | undefined
    if (part < 1) {
      await gate.close()
      second = new PacketRouter(quiet)
      void second.listen('mem://;mode=server;name=still')
      await world.pump()
    }
    await world.advance(5000)
    t.strictSame(lists(), ALL, 'none lost, none doubled, in order')
    t.strictSame([run.stats()[0]!.queued, ...agents.map(({ queued }) => queued)], [0, 0, 0, 0])
    await end()
    if (part === 1) await gate.close()
    const closing = Promise.all([first.close(), second?.close()])
    await world.advance(5000)
    await closing
  })

/** What one of another make does: it passes on everything, and says nothing itself. */
class Another {
  readonly #at = new Map<string, Addr>()
  #server!: MessageChannel

  async open(world: Stage): Promise<string> {
    const server = world.context.init('mem://;mode=server;name=another')
    this.#server = server
    server.on_message = ({ data, addr }) => {
      const { packet_type, sender_id, receiver_id } = JSON.parse(data.toString())
      if (packet_type === 'alive') this.#at.set(sender_id, addr!)
      else if (this.#at.has(receiver_id))
        server.post({ data: data.toString(), addr: this.#at.get(receiver_id)! })
    }
    server.open()
    await world.pump()
    return server.client_url!
  }

  disconnect(): void {
    for (const addr of this.#at.values())
      this.#server.post({ type: 'control', msgid: Control.Disconnect, addr })
    this.#at.clear()
  }

  async close(world: Stage): Promise<void> {
    this.#server.close()
    await world.pump()
    this.#server.destroy()
  }
}

stage(t, 'of another make: nothing comes twice, also after connections break', async (t, world) => {
  const router = new Another()
  const { run, agents, acts, lists, end } = await people(world, await router.open(world))
  for (const agent of agents) for (const n of upTo(EACH / 2)) agent.send('act', { n })
  await world.advance(30 * MINUTES)
  t.strictSame(
    [...acts.values()].map(numbersOf),
    upTo(AGENTS).map(() => upTo(EACH / 2)),
  )
  t.equal(agents[0]!.mode, 'asking', 'nobody has told them anything')
  router.disconnect()
  await world.advance(5000)
  sendBothWays(run, agents, EACH)
  await world.advance(5000)
  const twice = upTo(AGENTS).map(() => [...upTo(EACH / 2), ...upTo(EACH)])
  t.strictSame(lists(), [...twice, ...ALL.slice(AGENTS)])
  t.strictSame([run.stats()[0]!.mode, agents[0]!.mode], ['plain', 'plain'])
  t.strictSame([run.stats()[0]!.queued, ...agents.map(({ queued }) => queued)], [0, 0, 0, 0])
  await end()
  await router.close(world)
})
