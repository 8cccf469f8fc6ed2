/**
 * What does not hold on another runtime, test by test, with its reason. main.ts fails when a test
 * fails that has no row here, and when a row has no failing test any more.
 */

export interface Known {
  readonly on: 'bun' | 'deno'
  /** The file of the test, as 'scenarios/closing'. */
  readonly file: string
  /** Matches the titles of the test, from the outermost on, between ' > '. None: it is not run. */
  readonly test?: RegExp
  /** It is not run: it would hang, or take long. */
  readonly isLeftOut?: true
  /** It depends on the moment: the row stays true if the test passes. */
  readonly sometimes?: true
  /** Completes "it fails because …". */
  readonly why: string
}

const CHROMIUM = 'the peer is Chromium, and the same on each runtime'
const NO_DESCRIPTOR = 'a socket has no `fileno`'
const CHUNKS = 'a chunk is as long as what has come, so more than a bound may be read at once'
const NO_REFUSAL = 'a connected `Datagram` is told no refusal, and does not know its own host'
const UDP_CODES = 'errors of UDP sends have the code UNKNOWN'
const NO_SOCKET = '`FastNetwork`, and TLS over anything but a socket, are refused by name'
const OTHER_MOMENT = 'ends and time-outs are told at another moment, or in another order'
const HTTP_IN_USE = 'the error of an HTTP server for a port in use does not name its code'
const LONG = 'parsers compute alone: left out, as it takes long'
const OF_NODE = 'the test uses NODE_OPTIONS'
const FULL = '`process.stdout.write` throws if the disk is full, and names no code'
const ADDRESS = 'the error of an address that this machine does not have is EINVAL'
const OF_PEERS = 'its `WebSocket` sends name and password before it is asked'
const NO_TLS_INFO =
  'an HTTPS server does not say what was agreed upon: an attached connection has no `tls`'
const DIRECTORY = 'a standard input that is a directory ends at once'
const ALERTS =
  'the error of a refused handshake has another code, and in memory the peer hears of none'
const COLLECTOR = 'the test asks V8 to collect'
const NO_PERMISSIONS = 'a program that a page starts has no permissions'

/** Reasons that lie in the tests, not in the runtime. */
export const OF_TESTS: ReadonlySet<string> = new Set([
  CHROMIUM,
  LONG,
  NO_PERMISSIONS,
  OF_NODE,
  COLLECTOR,
])

/** Of a page: its programs are run. */
const PRINTS = /print what the page says/

export const KNOWN: readonly Known[] = [
  { on: 'bun', file: 'peers/rooms-browser', why: CHROMIUM },
  { on: 'deno', file: 'peers/rooms-browser', why: CHROMIUM },
  { on: 'bun', file: 'scenarios/fast', why: NO_SOCKET },
  { on: 'bun', file: 'scenarios/faults', why: OTHER_MOMENT },
  { on: 'deno', file: 'scenarios/faults', why: OTHER_MOMENT },
  {
    on: 'bun',
    file: 'scenarios/machine',
    test: /is open already/,
    isLeftOut: true,
    why: 'a server cannot listen on a descriptor that another has opened',
  },
  { on: 'bun', file: 'scenarios/parsers', why: LONG },
  { on: 'deno', file: 'scenarios/parsers', why: LONG },
  { on: 'bun', file: 'scenarios/random-calls', test: /sockets/, why: NO_SOCKET },
  {
    on: 'deno',
    file: 'scenarios/random-calls',
    test: /^calls, sockets/,
    isLeftOut: true,
    why: NO_SOCKET,
  },
  {
    on: 'bun',
    file: 'commands/supervise/command',
    test: /what cannot be/,
    why: HTTP_IN_USE,
  },
  { on: 'bun', file: 'pages/io', test: PRINTS, why: NO_SOCKET },
  { on: 'deno', file: 'pages/io', test: PRINTS, why: NO_SOCKET },
  { on: 'bun', file: 'messages/carriers/mem-queue', test: /is freed/, why: COLLECTOR },
  { on: 'bun', file: 'messages/carriers/tls-options', test: /peers are accepted/, why: NO_SOCKET },
  { on: 'bun', file: 'messages/carriers/websocket/ws-client', test: /wss/, why: NO_SOCKET },
  { on: 'bun', file: 'protocols/nats/wire', test: /^TLS/, why: NO_SOCKET },
  {
    on: 'bun',
    file: 'protocols/websocket/attach/attachment',
    test: /over TLS/,
    why: NO_TLS_INFO,
  },
  ...[
    'core',
    'envelope',
    'errors',
    'messages',
    'redis',
    'relay',
    'requests',
    'room-server',
    'rooms',
    'servers',
  ].flatMap(page =>
    (['bun', 'deno'] as const).map(on => ({
      on,
      file: `pages/${page}`,
      test: PRINTS,
      why: '`console.log` shows values in other words',
    })),
  ),
  ...(['bun', 'deno'] as const).map(on => ({
    on,
    file: 'commands/echo/main',
    test: /workers that cannot live/,
    isLeftOut: true as const,
    why: OF_NODE,
  })),
  { on: 'deno', file: 'commands/echo/main', test: /a disk that is full/, why: FULL },
  { on: 'deno', file: 'commands/echo/command', why: ADDRESS },
  { on: 'deno', file: 'scenarios/descriptors', why: NO_DESCRIPTOR },
  { on: 'bun', file: 'scenarios/half-close', test: /nc -N, through a relay/, why: NO_SOCKET },
  { on: 'deno', file: 'scenarios/half-close', test: /nc -N, through a relay/, why: NO_SOCKET },
  {
    on: 'bun',
    file: 'scenarios/half-close',
    test: /a relay closes one side/,
    sometimes: true,
    why: OTHER_MOMENT,
  },
  { on: 'bun', file: 'scenarios/hooks', test: /^tls/, sometimes: true, why: OTHER_MOMENT },
  { on: 'deno', file: 'scenarios/socket-options', why: NO_DESCRIPTOR },
  {
    on: 'bun',
    file: 'scenarios/socket-options',
    test: /while it connects/,
    why: '`no_delay` cannot be switched off before the connection is open',
  },
  {
    on: 'bun',
    file: 'scenarios/conformance',
    test: /^udp, .* > throws for a group/,
    why: 'errors of multicast groups do not name the call',
  },
  {
    on: 'bun',
    file: 'commands/rooms/command',
    test: /it cannot listen/,
    why: HTTP_IN_USE,
  },
  ...(['bun', 'deno'] as const).flatMap(on => [
    {
      on,
      file: 'scenarios/streams',
      test: /a peer that never reads/,
      sometimes: true as const,
      why: CHUNKS,
    },
    {
      on,
      file: 'scenarios/bounds',
      test: /peers that take nothing/,
      sometimes: true as const,
      why: CHUNKS,
    },
  ]),
  {
    on: 'deno',
    file: 'scenarios/conformance',
    test: /^udp, .* > (opens, knows|tells a connected)/,
    isLeftOut: true,
    why: NO_REFUSAL,
  },
  {
    on: 'deno',
    file: 'scenarios/conformance',
    test: /^udp, .* > destroys/,
    isLeftOut: true,
    why: UDP_CODES,
  },
  {
    on: 'deno',
    file: 'scenarios/conformance',
    test: /^tls.* > both sides end at once/,
    sometimes: true,
    why: OTHER_MOMENT,
  },
  {
    on: 'deno',
    file: 'scenarios/fast',
    test: /TLS in the middle/,
    sometimes: true,
    why: OTHER_MOMENT,
  },
  {
    on: 'deno',
    file: 'scenarios/streams',
    test: /TLS that is refused/,
    isLeftOut: true,
    why: ALERTS,
  },
  { on: 'deno', file: 'scenarios/hooks', test: /^tls/, sometimes: true, why: OTHER_MOMENT },
  { on: 'deno', file: 'commands/cat/main', test: /a disk that is full/, why: FULL },
  { on: 'deno', file: 'commands/cat/main', test: /a directory/, why: DIRECTORY },
  { on: 'deno', file: 'scenarios/machine', test: /every form|is open already/, why: NO_DESCRIPTOR },
  { on: 'deno', file: 'scenarios/machine', test: /a port in use/, why: ADDRESS },
  { on: 'deno', file: 'pages/commands', test: PRINTS, sometimes: true, why: NO_PERMISSIONS },
  { on: 'bun', file: 'peers/websocket-peers', test: /Node's own client/, why: OF_PEERS },
  { on: 'deno', file: 'peers/websocket-peers', test: /Node's own client, asked/, why: OF_PEERS },
]
