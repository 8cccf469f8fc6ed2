/**
 * What a peer can do to a connection, in each thing that the connection may be doing: the hooks
 * that fire, in order, compared with the table below. Real sockets; time passes by hand, so that a
 * timeout takes no time.
 *
 * How fast the system delivers says nothing about sluice. So time stands until all has happened
 * that the table has before a timeout, and from then on it passes only while nothing is on its way.
 */

import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type {
  OverflowError,
  ReadError,
  TimeoutError,
  TlsHandshakeError,
  WriteError,
} from '../../src/errors.ts'
import {
  type Address,
  Client,
  Connection,
  Engine,
  Server,
  type TlsOptions,
} from '../../src/index.ts'
import type { CloseReason, TimeoutKind } from '../../src/types.ts'
import { bareNode } from '../built.ts'
import { testCertificates } from '../certificates.ts'
import { turn, until } from '../kit.ts'
import { HandClock } from './networks.ts'

/** More than the system takes of a peer that does not read. */
const MUCH = Buffer.alloc(12 * 1024 * 1024, 'm')

/** How long everything may take, in ms of the clock. */
const LIMIT = 1000

/** What the connection is doing when it happens. */
const PHASES = {
  // Half a hello: the header of one, of a length that does not follow.
  'shaking hands': async (_victim, peer) =>
    void peer.write(Buffer.from('16030100f0010000ec0303', 'hex')),
  'waiting for a message': async () => {},
  'in the middle of a message': async (_victim, peer) => void peer.write('half'),
  writing: async victim => void victim.write(MUCH),
  'sending a file': async (victim, _peer, file) => void victim.write_file(file),
  ending: async victim => {
    victim.write(MUCH)
    victim.end()
  },
  suspended: async victim => victim.suspend(),
} satisfies Record<string, (victim: Victim, peer: Socket, file: string) => Promise<void>>

/** What the peer does then. */
const FAULTS = {
  resets: peer => peer.resetAndDestroy(),
  goes: peer => peer.destroy(),
  'half-closes and reads': peer => peer.end().resume(),
  'half-closes and does not read': peer => peer.end(),
  vanishes: () => {},
  'reads and says nothing': peer => peer.resume(),
  'sends and never reads': (peer, again) => again(() => peer.write('line\n')),
  'trickles and reads': (peer, again) => {
    peer.resume()
    again(() => peer.write('x'))
  },
  floods: peer => peer.write(Buffer.alloc(100_000, 'f')),
} satisfies Record<string, (peer: Socket, again: (each: () => void) => void) => unknown>

/** In these it has much to send. */
const SENDING: readonly Phase[] = ['writing', 'sending a file', 'ending']

type Phase = keyof typeof PHASES
type Fault = keyof typeof FAULTS

class Victim extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\n'
  override buffer_size = 1000
  override read_timeout = LIMIT
  override write_timeout = LIMIT
  override end_timeout = LIMIT
  override handshake_timeout = LIMIT
  override max_lifetime = 20 * LIMIT
  readonly log: string[] = []

  /** A row of equal entries is one. */
  #note(entry: string): void {
    if (this.log.at(-1) !== entry) this.log.push(entry)
  }

  override on_connect(): void {
    this.#note('connect')
  }
  override on_read(): void {
    this.#note('read')
  }
  override on_write(): void {
    this.#note('write')
  }
  override on_read_end(): void {
    this.#note('read_end')
    super.on_read_end()
  }
  override on_timeout(kind: TimeoutKind): void {
    this.#note(`timeout ${kind}`)
    return super.on_timeout(kind) as undefined
  }
  override on_read_error(error: ReadError): void {
    this.#note('broken')
    return super.on_read_error(error) as undefined
  }
  override on_write_error(error: WriteError): void {
    this.#note('broken')
    return super.on_write_error(error) as undefined
  }
  override on_tls_handshake(): void {
    this.#note('handshake')
  }
  override on_tls_handshake_error(error: TlsHandshakeError | TimeoutError): void {
    this.#note('handshake_error')
    return super.on_tls_handshake_error(error) as undefined
  }
  override on_overflow_error(error: OverflowError): void {
    this.#note('overflow')
    return super.on_overflow_error(error) as undefined
  }
  override on_close(reason: CloseReason): void {
    this.#note(`close ${reason}`)
  }
}

async function happens(
  phase: Phase,
  fault: Fault,
  expected: string,
  file: string,
  certificate: TlsOptions,
): Promise<{ hooks: string; left: number }> {
  const clock = new HandClock()
  const engine = new Engine({ clock, log: () => {} })
  const server = new Server(Victim, {
    engine,
    ...(phase === 'shaking hands' && { tls: certificate }),
  }).listen(['127.0.0.1', 0])
  await server.opened
  const peer = connect({
    port: (server.local_address as [string, number])[1],
    host: '127.0.0.1',
    allowHalfOpen: true,
    noDelay: true,
  }).pause()
  peer.on('error', () => {})
  await new Promise(resolve => peer.once('connect', resolve))
  await until(() => server.channels.size > 0)
  const [victim] = server.channels as ReadonlySet<Victim>
  if (victim === undefined) throw new Error('the server has accepted nothing')
  if (phase !== 'shaking hands') await until(() => victim.connected)
  await PHASES[phase](victim, peer, file)
  if (SENDING.includes(phase)) await until(() => victim.bytes_written > 0)
  const moves = (): number => victim.bytes_read + victim.bytes_written + peer.bytesRead
  await arrived(moves)
  let again = (): void => {}
  FAULTS[fault](peer, each => (again = () => void (peer.destroyed || each())))
  const hooks = (): string => victim.log.join(', ')
  while (victim.state !== 'closed') {
    again()
    await arrived(moves)
    if (mayPass(hooks(), expected)) clock.advance(LIMIT / 20)
  }
  peer.destroy()
  const stopped = engine.stop({ timeout: 1 })
  clock.advance(1)
  await stopped
  return { hooks: hooks(), left: engine.channels.size }
}

/** May time pass, for a timeout that is expected next? */
function mayPass(hooks: string, expected: string): boolean {
  const [before, ...timeouts] = expected.split(/(?:, )?(?:close )?timeout/)
  return timeouts.length > 0 && (hooks === before || !before!.startsWith(hooks))
}

/**
 * Nothing is on its way any more: a byte that was sent after it has been to a peer and back, no
 * file is being read, and in two turns nothing has moved.
 */
async function arrived(moves: () => number): Promise<void> {
  await thereAndBack()
  for (let still = 0, moved = moves(); still < 4; still++) {
    await turn()
    if (
      moves() !== moved ||
      process.getActiveResourcesInfo().some(name => name.startsWith('FSReq'))
    )
      still = 0
    moved = moves()
  }
}

/** Sends a byte to a peer and back: that takes as long as the system takes to deliver anything. */
const thereAndBack = await loopback()

async function loopback(): Promise<() => Promise<void>> {
  const echo = createServer(socket => socket.setNoDelay().pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const { port } = echo.address() as { port: number }
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  t.teardown(() => (socket.destroy(), echo.close()))
  await once(socket, 'connect')
  return async () => {
    socket.write('.')
    await once(socket, 'data')
  }
}

/**
 * 'broken' is on_read_error or on_write_error: which of the two meets a reset first is the system's
 * affair.
 */
const EXPECTED: Readonly<Record<Phase, Readonly<Record<Fault, string>>>> = {
  'shaking hands': {
    resets: 'handshake_error, close error',
    goes: 'handshake_error, close error',
    'half-closes and reads': 'handshake_error, close error',
    'half-closes and does not read': 'handshake_error, close error',
    vanishes: 'timeout handshake, handshake_error, close timeout',
    'reads and says nothing': 'timeout handshake, handshake_error, close timeout',
    'sends and never reads': 'timeout handshake, handshake_error, close timeout',
    'trickles and reads': 'timeout handshake, handshake_error, close timeout',
    floods: 'handshake_error, close error',
  },
  'waiting for a message': {
    resets: 'connect, broken, close error',
    goes: 'connect, read_end, close remote',
    'half-closes and reads': 'connect, read_end, close remote',
    'half-closes and does not read': 'connect, read_end, close remote',
    vanishes: 'connect, timeout read, close timeout',
    'reads and says nothing': 'connect, timeout read, close timeout',
    'sends and never reads': 'connect, read, timeout lifetime, close timeout',
    'trickles and reads': 'connect, timeout lifetime, close timeout',
    floods: 'connect, overflow, close overflow',
  },
  'in the middle of a message': {
    resets: 'connect, broken, close error',
    goes: 'connect, read_end, close remote',
    'half-closes and reads': 'connect, read_end, close remote',
    'half-closes and does not read': 'connect, read_end, close remote',
    vanishes: 'connect, timeout read, close timeout',
    'reads and says nothing': 'connect, timeout read, close timeout',
    'sends and never reads': 'connect, read, timeout lifetime, close timeout',
    'trickles and reads': 'connect, timeout lifetime, close timeout',
    floods: 'connect, overflow, close overflow',
  },
  writing: {
    resets: 'connect, broken, close error',
    goes: 'connect, broken, close error',
    'half-closes and reads': 'connect, write, read_end, close remote',
    'half-closes and does not read': 'connect, timeout write, close timeout',
    vanishes: 'connect, timeout write, close timeout',
    'reads and says nothing': 'connect, write, timeout read, close timeout',
    'sends and never reads': 'connect, timeout write, close timeout',
    'trickles and reads': 'connect, write, timeout lifetime, close timeout',
    floods: 'connect, timeout write, close timeout',
  },
  'sending a file': {
    resets: 'connect, broken, close error',
    goes: 'connect, broken, close error',
    'half-closes and reads': 'connect, write, read_end, close remote',
    'half-closes and does not read': 'connect, timeout write, close timeout',
    vanishes: 'connect, timeout write, close timeout',
    'reads and says nothing': 'connect, write, timeout read, close timeout',
    'sends and never reads': 'connect, timeout write, close timeout',
    'trickles and reads': 'connect, write, timeout lifetime, close timeout',
    floods: 'connect, timeout write, close timeout',
  },
  ending: {
    resets: 'connect, broken, close error',
    goes: 'connect, broken, close error',
    'half-closes and reads': 'connect, write, close local',
    'half-closes and does not read': 'connect, close timeout',
    vanishes: 'connect, close timeout',
    'reads and says nothing': 'connect, write, close timeout',
    'sends and never reads': 'connect, close timeout',
    'trickles and reads': 'connect, write, close timeout',
    floods: 'connect, close timeout',
  },
  suspended: {
    resets: 'connect, broken, close error',
    goes: 'connect, timeout lifetime, close timeout',
    'half-closes and reads': 'connect, timeout lifetime, close timeout',
    'half-closes and does not read': 'connect, timeout lifetime, close timeout',
    vanishes: 'connect, timeout lifetime, close timeout',
    'reads and says nothing': 'connect, timeout lifetime, close timeout',
    'sends and never reads': 'connect, timeout lifetime, close timeout',
    'trickles and reads': 'connect, timeout lifetime, close timeout',
    floods: 'connect, timeout lifetime, close timeout',
  },
}

t.test('what a peer does, and the hooks that fire', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const made = testCertificates()
  const certificate = { key: made.server.key, cert: made.server.cert }
  const file = join(folder, 'much')
  await writeFile(file, MUCH)
  for (const phase of Object.keys(PHASES) as Phase[]) {
    for (const fault of Object.keys(FAULTS) as Fault[]) {
      const expected = EXPECTED[phase][fault]
      const { hooks, left } = await happens(phase, fault, expected, file, certificate)
      t.equal(hooks, expected, `${phase}, and the peer ${fault}`)
      t.equal(left, 0, 'no channel is left')
    }
  }
})

/**
 * What happens to who connects; with TLS, or in clear. A reset may come before the system has
 * called it connected, or after.
 */
const CONNECTING: Readonly<
  Record<string, readonly [hooks: string, isTls: boolean, peer: (socket: Socket) => void]>
> = {
  'resets at once': ['connect_error, close error', false, socket => socket.resetAndDestroy()],
  'ends at once': ['connect, read_end, close remote', false, socket => socket.end()],
  'is silent': ['connect, timeout read, close timeout', false, () => {}],
  'resets, asked for TLS': ['connect_error, close error', true, socket => socket.resetAndDestroy()],
  'ends, asked for TLS': ['handshake_error, close error', true, socket => socket.end()],
  'is silent, asked for TLS': ['timeout handshake, handshake_error, close timeout', true, () => {}],
  'answers garbage, asked for TLS': [
    'handshake_error, close error',
    true,
    socket => socket.write('HTTP/1.1 400 what?\r\n\r\n'),
  ],
}

/** The same hooks, of a client. */
class Caller extends Client {
  readonly log: string[] = []
  override read_timeout = LIMIT
  override handshake_timeout = LIMIT
  override connect_timeout = 3 * LIMIT
  override on_connect(): void {
    this.log.push('connect')
  }
  override on_read_end(): void {
    this.log.push('read_end')
    super.on_read_end()
  }
  override on_timeout(kind: TimeoutKind): void {
    this.log.push(`timeout ${kind}`)
    return super.on_timeout(kind) as undefined
  }
  override on_connect_error(): void {
    this.log.push('connect_error')
  }
  override on_read_error(): void {
    this.log.push('broken')
  }
  override on_tls_handshake_error(): void {
    this.log.push('handshake_error')
  }
  override on_close(reason: CloseReason): void {
    this.log.push(`close ${reason}`)
  }
}

/** Connects, and lets time pass while nothing moves. */
async function calls(address: Address, isTls: boolean, expected: string): Promise<string> {
  const clock = new HandClock()
  const engine = new Engine({ clock, log: () => {} })
  const caller = new Caller({ engine, ...(isTls && { tls: {} }) }).connect(address)
  const hooks = (): string => caller.log.join(', ')
  while (caller.state !== 'closed') {
    await arrived(() => caller.bytes_read)
    if (mayPass(hooks(), expected)) clock.advance(LIMIT / 20)
  }
  const stopped = engine.stop({ timeout: 1 })
  clock.advance(1)
  await stopped
  return hooks()
}

t.test('what a peer does to who connects', async t => {
  for (const [fault, [expected, isTls, peer]] of Object.entries(CONNECTING)) {
    const sockets: Socket[] = []
    const server = createServer(socket => {
      sockets.push(socket.on('error', () => {}))
      peer(socket)
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const hooks = await calls(['127.0.0.1', port], isTls, expected)
    t.equal(
      fault.startsWith('resets')
        ? hooks.replace(/^(connect, broken|handshake_error)/, 'connect_error')
        : hooks,
      expected,
      `the peer ${fault}`,
    )
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
    if (fault === 'is silent')
      t.equal(
        await calls(['127.0.0.1', port], false, 'connect_error, close error'),
        'connect_error, close error',
        'nobody is there any more',
      )
  }
})

// A process that is stopped accepts nothing: when its queue is full, the system does not even
// answer.
t.test(
  'a peer that never answers',
  { skip: process.platform !== 'linux' && 'other systems refuse' },
  async t => {
    const program = `
      const server = require('net').createServer()
      server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () =>
        console.log(server.address().port))`
    const child = spawn(...bareNode(['-e', program]), { stdio: ['ignore', 'pipe', 'ignore'] })
    t.teardown(() => void child.kill('SIGKILL'))
    const port = Number(String(await once(child.stdout!, 'data')))
    child.kill('SIGSTOP')
    const crowd = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    t.teardown(() => crowd.forEach(socket => socket.destroy()))
    await once(crowd[1]!, 'connect')
    const expected = 'timeout connect, connect_error, close timeout'
    t.equal(await calls(['127.0.0.1', port], false, expected), expected)
  },
)
