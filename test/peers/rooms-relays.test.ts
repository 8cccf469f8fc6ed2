/**
 * Three processes of sluice-rooms by one Redis or NATS are one chat. One of them is killed in the
 * middle, and then the server of the relay; both are started again. Nothing is doubled, and nothing
 * that was handed to a process that lives is lost.
 */

import t, { type Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import { Channel } from '../../src/rooms/client/node-channel.ts'
import { bareNode, built } from '../built.ts'
import { until } from '../kit.ts'
import { saying } from '../websocket-peers.ts'
import { RELAYS, type RelayServer } from './relay-servers.ts'

const MAIN = `${built()}commands/rooms/main.js`
const NAMES = ['Ann', 'Bob', 'Carl']

/** What is sent: the n-th message of that member. */
interface Said {
  readonly from: string
  readonly n: number
}

/** A process of sluice-rooms; resolves when it listens. */
async function rooms(t: Test, relay: string, port = 0) {
  const argv = [MAIN, '--host', '127.0.0.1', '--port', String(port), '--relay', relay]
  const listening = /listening on http:\S+:(\d+)\/\n/
  const { found, kill } = await saying(t, listening, ...bareNode(argv))
  return { port: Number(found[1]), kill }
}

class Person {
  readonly name: string
  readonly channel: Channel
  readonly heard: Said[] = []
  readonly gaps: unknown[] = []
  said = 0

  constructor(engine: Engine, name: string, port: number) {
    this.name = name
    const quick = { reconnect_delay: 20, max_reconnect_delay: 50 }
    const options = { engine, name, auto_reconnect: true, ...quick }
    this.channel = new Channel(`ws://127.0.0.1:${port}/`, options)
    this.channel.on_error(() => {})
    this.channel.on_gap((...gap) => void this.gaps.push(gap))
    this.channel.on_room_message('r', message => {
      if (typeof (message as Said).n === 'number') this.heard.push(message as Said)
    })
  }

  say(count: number): void {
    for (let i = 0; i < count; i++)
      void this.channel.send_to('r', { from: this.name, n: ++this.said } satisfies Said)
  }

  /** The numbers that it has heard of one member. */
  of(name: string): number[] {
    return this.heard.filter(({ from }) => from === name).map(({ n }) => n)
  }
}

async function chat(t: Test, server: RelayServer): Promise<void> {
  const servers = await Promise.all(NAMES.map(() => rooms(t, server.url)))
  const engine = new Engine({ log: message => t.fail(message) })
  const people = NAMES.map((name, index) => new Person(engine, name, servers[index]!.port))
  const [ann, bob, carl] = people as [Person, Person, Person]
  for (const { channel } of people) {
    await channel.connect()
    await channel.join('r', { seq: 0 })
  }
  for (const { channel } of people)
    await until(() => channel.get_members('r').length === NAMES.length)
  /** All have heard the last of these. */
  const settled = async (...speakers: Person[]): Promise<void> => {
    for (const { name, said } of speakers)
      for (const each of people)
        if (each.name !== name) await until(() => each.of(name).at(-1) === said)
  }
  for (const each of people) each.say(20)
  await settled(...people)

  const lost = new Promise(resolve => bob.channel.on_close(resolve))
  ann.say(20)
  await servers[1]!.kill()
  await lost
  for (const each of people) each.say(20)
  await rooms(t, server.url, servers[1]!.port)
  await settled(...people)

  ann.say(20)
  await server.kill()
  for (const each of people) each.say(20)
  await server.start()
  for (const each of people) each.say(20)
  await settled(...people)

  const counted = (count: number): number[] =>
    Array.from({ length: count }, (_, index) => index + 1)
  for (const hearer of people)
    for (const { name, said } of people)
      if (hearer.name !== name)
        t.strictSame(hearer.of(name), counted(said), `${hearer.name} has heard ${name}`)
  t.same([ann.gaps, bob.gaps, carl.gaps], [[], [], []])
  await Promise.all(people.map(({ channel }) => channel.close()))
}

async function forget(t: Test, server: RelayServer): Promise<void> {
  const { port } = await rooms(t, server.url)
  const engine = new Engine({ log: message => t.fail(message) })
  const [ann, bob] = ['Ann', 'Bob'].map(name => new Person(engine, name, port)) as [Person, Person]
  for (const { channel } of [ann, bob]) {
    await channel.connect()
    await channel.join('r', { seq: 0 })
    await until(() => channel.last_seq('r') !== undefined && channel.last_seq('r')! > 0)
  }
  ann.say(3)
  await until(() => bob.heard.length === 3)
  await server.kill()
  await server.start()
  ann.say(3)
  await until(() => bob.heard.length === 6)
  t.strictSame(bob.of('Ann'), [1, 2, 3, 4, 5, 6])
  t.equal(bob.gaps.length, 1)
  await Promise.all([ann, bob].map(({ channel }) => channel.close()))
}

for (const { name, skip, keeping, forgetting } of RELAYS) {
  t.test(`a process dies, and then ${name}`, { skip, timeout: 120_000 }, async t =>
    chat(t, await keeping(t)),
  )
  t.test(`${name} has lost its memory: it is told`, { skip, timeout: 120_000 }, async t =>
    forget(t, await forgetting(t)),
  )
}
