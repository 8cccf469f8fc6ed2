/**
 * Random traffic below every prefix and every pair of prefixes, over mem, tcp and unix: peers that
 * do not read, that leave and come back, a server that breaks. It is held against a slow model of
 * who may post and who is told what.
 *
 * The rules of the model:
 * 1. From WriteFull with an `addr` until WriteReady, or Disconnect, with that `addr`, nothing can
 *    be posted to it. Without an `addr` they are about the channel as a whole.
 * 2. Whenever `post` returns false, one of these has been told: WriteFull, or Disconnect.
 * 3. Each WriteFull is told once, and so is each WriteReady.
 * 4. If everybody reads again, everybody can be posted to again.
 * 5. What was taken for a peer that stays arrives once, in order.
 *
 * SLUICE_MODEL_STEPS: steps for each combination, instead of 120; SLUICE_MODEL_SEED: another seed.
 */

import t, { type Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { Context } from '../../src/messages/context.ts'
import { type Addr, Control, type Message } from '../../src/messages/message.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import type { Prefix } from '../../src/messages/prefixes/prefix.ts'
import { turn } from '../kit.ts'
import { seeded } from './networks.ts'

const STEPS = Number(process.env.SLUICE_MODEL_STEPS ?? 120)

/** Of one carrier, in ms: 20 of each step is plenty. */
const TIME = 30_000 + 20 * STEPS

const PREFIXES = ['rate+', 'reopen+', 'filter+', 'deflate+']
const CHAINS = ['', ...PREFIXES, ...PREFIXES.flatMap(one => PREFIXES.map(two => one + two))]

/** The parameters of all prefixes, of which a URL gets those that it has. */
const PARAMETERS: Readonly<Record<string, string>> = {
  'rate+': ';speed=20kb;max-window=1kb;initial=1kb',
  'reopen+': ';timeout-min=5ms;active-min=1ms',
  'filter+': ';messages=0-9',
  'deflate+': '',
}

const CARRIERS: readonly [url: string, parameters: string][] = [
  ['mem://', ';mode=server;name=room;size=700b'],
  ['tcp://127.0.0.1:1', ';mode=server;send-buffer-size=500b'],
  ['unix:///tmp/room', ';mode=server;send-buffer-size=500b'],
]

type Random = () => number

/** What one channel was told: who may post. */
class Model {
  readonly connected = new Set<Addr>()
  readonly #full = new Set<Addr | 'all'>()
  readonly faults: string[] = []

  told({ msgid, addr }: Message): void {
    const key = addr ?? 'all'
    if (msgid === Control.Connect && addr !== undefined) this.connected.add(addr)
    if (msgid === Control.Disconnect) this.#gone(addr)
    if (msgid === Control.WriteFull) {
      if (this.#full.has(key)) this.faults.push(`WriteFull of ${key} twice`)
      this.#full.add(key)
    }
    if (msgid === Control.WriteReady && !this.#full.delete(key))
      this.faults.push(`WriteReady of ${key} without WriteFull`)
  }

  #gone(addr: Addr | undefined): void {
    if (addr !== undefined) {
      this.connected.delete(addr)
      this.#full.delete(addr)
      return
    }
    // The server below has gone, and all its peers with it.
    for (const each of this.connected) this.#full.delete(each)
    this.connected.clear()
  }

  mayPost(addr: Addr | undefined): boolean {
    return !this.#full.has('all') && (addr === undefined || !this.#full.has(addr))
  }
}

interface Peer {
  readonly channel: MessageChannel
  readonly got: string[]
  /** What the server has posted to it, by its number there. */
  addr: Addr | undefined
  hasLeft: boolean
}

/** Bytes that do not become fewer when they are compressed. */
function noise(random: Random, size: number): string {
  return Array.from({ length: size }, () => String.fromCharCode(33 + random() * 90)).join('')
}

class World {
  readonly clock = new ManualClock()
  readonly network = new MemoryNetwork({ capacity: 300 })
  readonly engine = new Engine({ network: this.network, clock: this.clock, log: () => {} })
  readonly context = new Context({ engine: this.engine })

  async settle(ms = 0): Promise<void> {
    for (let isQuiet = false; !isQuiet;) {
      await turn()
      this.clock.advance(0)
      isQuiet = this.network.pump() === 0
    }
    if (ms > 0) {
      this.clock.advance(ms)
      await this.settle()
    }
  }
}

function urlOf(chain: string, [url, parameters]: readonly [string, string], more = ''): string {
  const all = chain.split('+').map(each => PARAMETERS[`${each}+`] ?? '')
  return chain + url + parameters + [...new Set(all)].join('') + more
}

async function aServer(t: Test, chain: string, carrier: readonly [string, string], seed: number) {
  const random = seeded(seed)
  const world = new World()
  const model = new Model()
  const server = world.context.init(urlOf(chain, carrier))
  const sent = new Map<Addr, string[]>()
  const peers: Peer[] = []
  server.on_error = () => {}
  server.callback_add(message => model.told(message), 'control')
  server.on_message = ({ addr, data }) => {
    const peer = peers.find(({ channel }) => channel.name === String(data))
    if (peer !== undefined && peer.addr === undefined) peer.addr = addr
  }
  server.open()
  await world.settle()
  const any = <Each>(list: readonly Each[]): Each | undefined =>
    list[Math.floor(random() * list.length)]

  const connect = async (): Promise<void> => {
    if (server.client_url === undefined) return
    const channel = world.context.init(server.client_url)
    const peer: Peer = { channel, got: [], addr: undefined, hasLeft: false }
    channel.on_error = () => {}
    channel.on_message = ({ data }) => void peer.got.push(String(data))
    peers.push(peer)
    channel.open()
    await world.settle()
    if (channel.state === 'active') channel.post(channel.name)
    else peer.hasLeft = true
    await world.settle()
  }
  const post = (): void => {
    const addr = any([...sent.keys(), ...model.connected])
    if (addr === undefined) return
    const may = model.mayPost(addr)
    const data = noise(random, 1 + random() * 250)
    const isTaken = server.post({ data, addr, msgid: Math.floor(random() * 9) })
    if (isTaken) sent.set(addr, [...(sent.get(addr) ?? []), data])
    if (isTaken && !may) model.faults.push(`taken for ${addr}, which is full`)
    const peer = peers.find(each => each.addr === addr)
    const isThere = model.connected.has(addr) && peer?.channel.state === 'active'
    if (!isTaken && isThere && model.mayPost(addr))
      model.faults.push(`refused for ${addr}, which is not full`)
  }
  const leave = (): void => {
    const peer = any(peers.filter(each => !each.hasLeft))
    if (peer === undefined) return
    peer.hasLeft = true
    if (random() < 0.3) peer.channel.destroy()
    else peer.channel.close(random() < 0.5)
  }
  const breakDown = (): void => {
    if (!chain.includes('reopen+') || server.state !== 'active') return
    const { carrier } = server as Prefix
    if (carrier.state !== 'active') return
    for (const peer of peers) peer.hasLeft = true
    carrier.fail(new Error('it breaks'))
  }

  for (let step = 0; step < STEPS; step++) {
    const what = random()
    if (what < 0.08) await connect()
    else if (what < 0.12) leave()
    else if (what < 0.17) any(peers)?.channel.suspend()
    else if (what < 0.22) any(peers)?.channel.resume()
    else if (what < 0.23) breakDown()
    else if (what < 0.4) await world.settle(Math.floor(random() * 20))
    else post()
  }
  for (const { channel } of peers) channel.resume()
  for (let turns = 0; turns < 20; turns++) await world.settle(100)
  await connect()
  for (const { channel, got, addr, hasLeft } of peers) {
    if (hasLeft || addr === undefined || channel.state !== 'active') continue
    if (got.join() !== (sent.get(addr) ?? []).join())
      model.faults.push(`${addr} got ${got.length} of ${sent.get(addr)?.length}`)
    if (!model.mayPost(addr)) model.faults.push(`${addr} is full for ever`)
    else if (!server.post({ data: 'x', addr })) model.faults.push(`${addr} is refused for ever`)
    await world.settle(100)
  }
  t.strictSame(model.faults, [], `${urlOf(chain, carrier)}, seed ${seed}`)
  await end(world)
}

/** The other side: a client that loses its server, which may not read. */
async function aClient(t: Test, chain: string, carrier: readonly [string, string], seed: number) {
  const random = seeded(seed)
  const world = new World()
  const model = new Model()
  const far = world.context.init(urlOf(chain.replace(/(rate|reopen|filter)\+/g, ''), carrier))
  far.on_error = () => {}
  const got: string[] = []
  const peers: Addr[] = []
  far.on_control = ({ msgid, addr }) => {
    if (msgid === Control.Connect) peers.push(addr!)
  }
  far.on_message = ({ data }) => void got.push(String(data))
  far.open()
  await world.settle()
  const bare = far.client_url!.replace(/^(deflate\+)*/, '')
  const [url, parameters] = [bare.split(';')[0]!, bare.slice(bare.split(';')[0]!.length)]
  const more = url.startsWith('mem') ? '' : ';send-buffer-size=500b'
  const client = world.context.init(urlOf(chain, [url, parameters], more))
  client.on_error = () => {}
  client.callback_add(message => model.told(message), 'control')
  client.open()
  await world.settle()
  const sent: string[] = []
  let hasBroken = false
  for (let step = 0; step < STEPS; step++) {
    const what = random()
    const canReopen = chain.includes('reopen+')
    if (what < 0.05) far.suspend()
    else if (what < 0.15) far.resume()
    else if (what < 0.18 && canReopen && peers.length > 0 && far.state === 'active') {
      hasBroken = true
      far.post({ type: 'control', msgid: Control.Disconnect, addr: peers.at(-1)! })
    } else if (what < 0.19 && canReopen && far.state === 'active') {
      hasBroken = true
      far.close(true)
    } else if (far.state === 'closed') {
      far.open()
    } else if (what < 0.4) await world.settle(Math.floor(random() * 20))
    else if (client.state === 'active') {
      const may = model.mayPost(undefined)
      const data = noise(random, 1 + random() * 250)
      const isTaken = client.post(data)
      if (isTaken) sent.push(data)
      if (isTaken && !may) model.faults.push('taken, though it is full')
      if (!isTaken && model.mayPost(undefined)) model.faults.push('refused, though it is not full')
    }
  }
  far.resume()
  if (far.state === 'closed') far.open()
  for (let turns = 0; turns < 30; turns++) await world.settle(100)
  if (client.state !== 'active') model.faults.push(`it is ${client.state}`)
  else if (!model.mayPost(undefined)) model.faults.push('full for ever')
  if (!hasBroken && got.join() !== sent.join())
    model.faults.push(`${got.length} of ${sent.length} have come`)
  t.strictSame(model.faults, [], `${client.config.init}, seed ${seed}`)
  await end(world)
}

async function end(world: World): Promise<void> {
  for (const channel of [...world.context.channels.values()]) channel.destroy()
  await world.settle()
}

let seed = Number(process.env.SLUICE_MODEL_SEED ?? 1)
for (const carrier of CARRIERS) {
  t.test(`a server over ${carrier[0]}`, { timeout: TIME }, async t => {
    for (const chain of CHAINS) await aServer(t, chain, carrier, seed++)
  })
  t.test(`a client over ${carrier[0]}`, { timeout: TIME }, async t => {
    for (const chain of CHAINS) await aClient(t, chain, carrier, seed++)
  })
}
