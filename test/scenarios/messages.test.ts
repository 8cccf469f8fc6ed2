/** One suite for every channel that carries data: a program sees the same with every URL. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import { TrickleNetwork } from '../../src/io/trickle.ts'
import { Context } from '../../src/messages/context.ts'
import type { Addr, Message } from '../../src/messages/message.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import type { Network } from '../../src/transport.ts'
import { testCertificates } from '../certificates.ts'
import { NO_DUPLEX_TLS } from '../duplex-tls.ts'
import { until } from '../kit.ts'
import { seeded } from './networks.ts'

interface Carrier {
  /** The URL of the near end. The far end opens the near end's `client_url`, with `tail`. */
  readonly url: (folder: string) => string
  readonly network?: () => Network
  /** Do messages arrive inside `post`? Then a promise cannot hold the next one. */
  readonly isDirect?: boolean
  /** Does it carry data without msgid and seq? */
  readonly isBare?: boolean
  /** May it lose messages? */
  readonly isLossy?: boolean
  /** Further parameters of the far end's URL. */
  readonly tail?: () => string
}

const made = testCertificates()

const random = seeded(11)
const pieces = (): number => 1 + Math.floor(random() * (random() < 0.6 ? 3 : 6000))
const memory = (): Network => new MemoryNetwork({ auto: true })

const TLS_FILES = `cert=${made.server.certFile};key=${made.server.keyFile}`
const TLS_SERVER = `tls+tcp://127.0.0.1:0;mode=server;${TLS_FILES}`
const TLS_TAIL = (): string => `;ca=${made.ca.certFile}`

const CARRIERS: Record<string, Carrier> = {
  direct: { url: () => 'direct://', isDirect: true },
  mem: { url: () => 'mem://' },
  'mem, small': { url: () => 'mem://;size=200b' },
  'mem, server': { url: () => 'mem://;mode=server' },
  'deflate+mem, server': { url: () => 'deflate+mem://;mode=server' },
  'tcp in memory': { url: () => 'tcp://127.0.0.1:0;mode=server', network: memory },
  'tcp in memory, trickling': {
    url: () => 'tcp://127.0.0.1:0;mode=server',
    network: () => new TrickleNetwork(memory(), pieces),
  },
  tcp: { url: () => 'tcp://127.0.0.1:0;mode=server' },
  'tcp, short': { url: () => 'tcp://127.0.0.1:0;mode=server;frame=short' },
  'tcp, tiny': { url: () => 'tcp://127.0.0.1:0;mode=server;frame=tiny' },
  'tcp, size32': { url: () => 'tcp://127.0.0.1:0;mode=server;frame=size32', isBare: true },
  'tcp, line': { url: () => 'tcp://127.0.0.1:0;mode=server;frame=line', isBare: true },
  unix: { url: folder => `unix://${folder}/u;mode=server` },
  ws: { url: () => 'ws://127.0.0.1:0;mode=server', isBare: true },
  'ws, std': { url: () => 'ws://127.0.0.1:0/path;mode=server;frame=std' },
  'ws, deflate': {
    url: () => 'ws://127.0.0.1:0;mode=server;deflate=yes;binary=yes',
    tail: () => ';deflate=yes',
    isBare: true,
  },
  'ws in memory, trickling': {
    url: () => 'ws://127.0.0.1:0;mode=server',
    network: () => new TrickleNetwork(memory(), pieces),
    isBare: true,
  },
  'reopen+ws': {
    url: () => 'reopen+ws://127.0.0.1:0;mode=server;frame=std',
    network: memory,
  },
  wss: {
    url: () => `wss://127.0.0.1:0;mode=server;frame=std;${TLS_FILES}`,
    tail: TLS_TAIL,
  },
  udp: { url: () => 'udp://127.0.0.1:0;mode=server', isLossy: true },
  'deflate+mem': { url: () => 'deflate+mem://' },
  'tls+tcp': { url: () => TLS_SERVER, tail: TLS_TAIL },
  ...(!NO_DUPLEX_TLS && {
    'tls+tcp in memory': { url: () => TLS_SERVER, tail: TLS_TAIL, network: memory },
  }),
  'filter+deflate+tcp': {
    url: () => 'filter+deflate+tcp://127.0.0.1:0;mode=server;messages=!99',
    network: memory,
  },
  'reopen+tcp': { url: () => 'reopen+tcp://127.0.0.1:0;mode=server', network: memory },
  'rate+mem': { url: () => 'rate+mem://;speed=1gb;max-window=1gb' },
}

/** Two open ends. A server at the near end answers to the peer that it last heard of. */
class Ends {
  readonly near: MessageChannel
  readonly far: MessageChannel
  #addr: Addr | undefined

  constructor(near: MessageChannel, far: MessageChannel) {
    this.near = near
    this.far = far
    near.callback_add(({ addr }) => void (this.#addr = addr), ['data', 'control'])
  }

  /** Posts to the far end. */
  answer(data: string): boolean {
    return this.near.post({ data, addr: this.#addr })
  }
}

async function open(context: Context, carrier: Carrier, folder: string): Promise<Ends> {
  const near = context.init(`${carrier.url(folder)};name=near`)
  near.open()
  await near.opened
  const far = context.init(`${near.client_url}${carrier.tail?.() ?? ''}`)
  const ends = new Ends(near, far)
  far.open()
  await far.opened
  t.same([near.state, far.state], ['active', 'active'])
  return ends
}

/** Posts all messages, and waits if there is no room. */
async function postAll(
  channel: MessageChannel,
  messages: readonly { data: string; msgid: number; seq: bigint }[],
): Promise<void> {
  for (const message of messages) {
    while (!channel.post(message)) await channel.recv({ type: 'control' })
  }
}

type Scenario = (t: Test, ends: Ends, carrier: Carrier) => Promise<void>

const SCENARIOS: Record<string, Scenario> = {
  async 'messages arrive whole, in order'(t, { near, far }, { isBare = false, isLossy = false }) {
    const sent = Array.from({ length: isLossy ? 50 : 300 }, (_, index) => ({
      data: 'x'.repeat(index % 97) + index,
      msgid: index % 90,
      seq: BigInt(index),
    }))
    const received: Message[] = []
    near.callback_add(message => void received.push(message), 'data')
    await postAll(far, sent)
    await until(() => received.length >= sent.length)
    t.same(
      received.map(({ data }) => String(data)),
      sent.map(({ data }) => data),
    )
    if (!isBare)
      t.same(
        received.map(({ msgid, seq }) => [msgid, seq]),
        sent.map(({ msgid, seq }) => [msgid, seq]),
      )
  },

  async 'both ways'(t, ends) {
    const [near, far]: string[][] = [[], []]
    ends.near.callback_add(({ data }) => {
      near!.push(String(data))
      ends.answer(`re: ${data}`)
    }, 'data')
    ends.far.on_message = ({ data }) => void far!.push(String(data))
    ends.far.post('one')
    ends.far.post('two')
    await until(() => far!.length === 2)
    t.same(
      [near, far],
      [
        ['one', 'two'],
        ['re: one', 're: two'],
      ],
    )
  },

  async 'suspended: nothing is received until it is resumed'(
    t,
    { near, far },
    { isDirect = false },
  ) {
    if (isDirect) return
    const received: string[] = []
    near.on_message = ({ data }) => void received.push(String(data))
    near.suspend()
    for (const data of ['a', 'b', 'c']) t.equal(far.post(data), true)
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
    t.same(received, [])
    near.resume()
    await until(() => received.length === 3)
    t.same(received, ['a', 'b', 'c'])
  },

  async 'a promise holds the next message'(t, { near, far }, { isDirect = false }) {
    if (isDirect) return
    const log: string[] = []
    near.on_message = async ({ data }) => {
      log.push(`${data}(`)
      await new Promise(setImmediate)
      log.push(')')
    }
    for (const data of ['a', 'b', 'c']) far.post(data)
    await until(() => log.length === 6)
    t.equal(log.join(''), 'a()b()c()')
  },

  async 'receiving with promises'(t, { near, far }) {
    const texts: string[] = []
    const loop = (async () => {
      for await (const { data } of near) {
        texts.push(String(data))
        if (texts.length === 3) break
      }
    })()
    for (const data of ['a', 'b', 'c']) far.post(data)
    await loop
    t.same([texts, near.state], [['a', 'b', 'c'], 'active'])
    const [received] = await Promise.all([near.recv(), far.post('d')])
    t.equal(String(received.data), 'd')
  },

  async 'a callback may close its own channel'(t, { near, far }) {
    let count = 0
    near.on_message = () => {
      count++
      near.close(true)
    }
    far.post('a')
    far.post('b')
    await until(() => near.state === 'closed')
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
    t.equal(count, 1, 'nothing is received afterwards')
  },

  async 'a callback may destroy its own channel'(t, { near, far }) {
    let count = 0
    near.on_message = () => {
      count++
      near.destroy()
    }
    far.post('a')
    far.post('b')
    await until(() => count > 0)
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
    t.same([count, near.state, near.post('x'), near.process()], [1, 'closed', false, false])
    t.throws(() => near.open(), { code: 'ERR_INVALID_STATE' })
    near.close()
    near.destroy()
  },

  async 'a callback may suspend its own channel'(t, { near, far }, { isDirect = false }) {
    if (isDirect) return
    const texts: string[] = []
    near.on_message = ({ data }) => {
      texts.push(String(data))
      if (texts.length === 1) near.suspend()
    }
    for (const data of ['a', 'b', 'c']) far.post(data)
    await until(() => texts.length > 0)
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
    t.same(texts, ['a'], 'the next one is not received')
    near.resume()
    await until(() => texts.length === 3)
    t.same(texts, ['a', 'b', 'c'])
  },

  async 'misuse throws; other calls are allowed at any time'(t, { near, far }) {
    for (const channel of [near, far]) {
      t.throws(() => channel.open(), { code: 'ERR_INVALID_STATE' }, 'twice')
      t.throws(() => channel.post(5 as never), { code: 'ERR_INVALID_ARGUMENT' })
      t.throws(() => channel.close(5 as never), { code: 'ERR_INVALID_ARGUMENT' })
      channel.suspend()
      channel.suspend()
      channel.resume()
      channel.resume()
      t.equal(channel.state, 'active', 'nothing has changed')
    }
    const { closed } = near
    near.close()
    near.close()
    near.close(true)
    near.close(true)
    t.equal(near.state, 'closed')
    await closed
    await t.rejects(near.recv(), { code: 'ERR_CLOSED' })
    for await (const message of near) t.fail(String(message))
    t.equal(near.post('x'), false)
    t.equal(near.process(), false)
    near.suspend()
    near.resume()
  },

  async 'closed, and opened again'(t, { near, far }) {
    for (const channel of [far, near]) {
      channel.close()
      await channel.closed
      t.equal(channel.post('late'), false)
    }
    near.open()
    await near.opened
    t.equal(near.state, 'active')
    near.close(true)
    t.equal(near.state, 'closed', 'by force: at once')
    near.open().close(true)
    t.equal(near.state, 'closed', 'also while it opens')
  },

  async 'close sends what was posted'(t, { near, far }, { isLossy = false }) {
    if (isLossy) return
    const received: string[] = []
    near.on_message = ({ data }) => void received.push(String(data))
    for (const data of ['a', 'b', 'c']) far.post(data)
    far.close()
    await until(() => received.length === 3)
    t.equal(await far.closed, 'local')
  },
}

for (const [name, carrier] of Object.entries(CARRIERS)) {
  t.test(name, async t => {
    // Not t.testdir(): the path of a unix socket has at most 107 bytes.
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    for (const [title, scenario] of Object.entries(SCENARIOS)) {
      await t.test(title, { timeout: 120_000 }, async t => {
        const logged: string[] = []
        const engine = new Engine({
          network: carrier.network?.() ?? new NodeNetwork(),
          log: message => logged.push(message),
        })
        const context = new Context({ engine })
        const ends = await open(context, carrier, folder)
        await scenario(t, ends, carrier)
        await engine.stop({ timeout: 1000 })
        t.equal(engine.channels.size, 0)
        t.same(logged, [])
      })
    }
  })
}
