/**
 * Bench. The rows of the table: the work, and the programs that do it.
 *
 * To add a row: one entry here, and a program for each contestant that has none yet. A program is a
 * file below this folder, and its arguments. It listens on 127.0.0.1 at a port that the system
 * chooses, and calls `ready` (child.ts).
 */

import type { Load, Work } from './load/load.ts'
import type { Runtime } from './nodes.ts'

/**
 * sluice; node:net or node:dgram tuned by hand, which sluice is compared with; and the same as most
 * people write it.
 */
export const CONTESTANTS = ['sluice', 'tuned', 'naive'] as const
export type Contestant = (typeof CONTESTANTS)[number]

/** A file, and its arguments. In an argument, `{file}` stands for the path of the file to send. */
export type Program = readonly [file: string, ...args: string[]]

export interface Row {
  /** What `--only` takes. */
  readonly name: string
  readonly title: string
  /** What is counted in a second. 'KiB': kibibytes of memory for each connection. */
  readonly unit: string
  readonly load: Load
  /** Does `--quick` measure it? Default: no. */
  readonly isQuick?: true
  /** A multiple of the usual warm-up, for work that V8 takes longer to optimize. Default: 1. */
  readonly warm_up?: number
  /** Does the system choose the cores of its processes? Default: no, each is held to a core. */
  readonly isFree?: boolean
  /** The runtime that it is about. Default: any. */
  readonly runtime?: Runtime
  /** A contestant without a program does not take part. */
  readonly programs: Readonly<Partial<Record<Contestant, Program>> & { readonly sluice: Program }>
}

/** A program of sluice, and the baselines on node:net with the arguments `kind`. */
function onNet(sluice: Program, ...kind: string[]): Record<Contestant, Program> {
  return { sluice, tuned: ['baseline/net-tuned', ...kind], naive: ['baseline/net-naive', ...kind] }
}

const RAW = onNet(['servers/raw-echo'], 'raw')
const LATIN1 = onNet(['servers/line-echo', 'latin1'], 'lines')
/** The same server on the fast network. */
const FAST = { sluice: ['servers/line-echo', 'latin1', 'fast'], tuned: LATIN1.tuned } as const
/** On the network of Bun, beside Bun's own sockets. */
const BUN = {
  sluice: ['servers/line-echo', 'latin1', 'bun'],
  tuned: ['baseline/bun-tuned'],
} as const
/** The server of lines as several processes. */
function workers(count: string): Omit<Record<Contestant, Program>, 'naive'> {
  return {
    sluice: ['servers/workers', count, ...LATIN1.sluice],
    tuned: ['servers/workers', count, ...LATIN1.tuned],
  }
}

const UTF8 = onNet(['servers/line-echo', 'utf8'], 'lines', 'utf8')
const BUFFERS = onNet(['servers/buffer-echo'], 'buffers')
const FRAMES = onNet(['servers/frame-echo'], 'frames')
const ALTERNATE = onNet(['servers/alternate-echo'], 'alternate')
const BURST = onNet(['servers/burst'], 'burst')
const FILE = onNet(['servers/file-server', '{file}'], 'file', '{file}')
const BROADCAST = onNet(['servers/broadcast'], 'broadcast')
const TLS = onNet(['servers/line-echo', 'latin1', 'tls'], 'lines', 'latin1', 'tls')
const WEBSOCKET = {
  sluice: ['servers/websocket-echo'],
  tuned: ['baseline/net-websocket', 'tuned'],
  naive: ['baseline/net-websocket', 'naive'],
} as const
const WEBSOCKET_BROADCAST = {
  sluice: ['servers/websocket-broadcast'],
  tuned: ['baseline/net-websocket', 'tuned', 'to-all'],
} as const
/** Both are sluice's: a consumer of envelopes, and the bare echo of the same texts. */
const ENVELOPES = { sluice: ['servers/envelope-echo'], tuned: ['servers/websocket-echo'] } as const
const UDP = {
  sluice: ['servers/udp-echo'],
  tuned: ['baseline/dgram', 'tuned'],
  naive: ['baseline/dgram', 'naive'],
} as const

function exchange(work: Work, outstanding: number, connections = 50): Load & { kind: 'exchange' } {
  return { kind: 'exchange', connections, work, outstanding }
}

export const ROWS: readonly Row[] = [
  {
    name: 'raw',
    title: 'raw echo, 100 outstanding',
    unit: 'messages',
    load: exchange('lines', 100),
    warm_up: 5,
    programs: RAW,
  },
  {
    name: 'lines-1',
    title: 'line echo, 1 outstanding',
    unit: 'lines',
    load: exchange('lines', 1),
    isQuick: true,
    programs: LATIN1,
  },
  {
    name: 'lines-10',
    title: 'line echo, 10 outstanding',
    unit: 'lines',
    load: exchange('lines', 10),
    isQuick: true,
    programs: LATIN1,
  },
  {
    name: 'lines-100',
    title: 'line echo, 100 outstanding',
    unit: 'lines',
    load: exchange('lines', 100),
    isQuick: true,
    warm_up: 5,
    programs: LATIN1,
  },
  {
    name: 'fast-1',
    title: 'fast network, 1 outstanding',
    unit: 'lines',
    load: exchange('lines', 1),
    runtime: 'Node',
    programs: FAST,
  },
  {
    name: 'fast-100',
    title: 'fast network, 100 outstanding',
    unit: 'lines',
    load: exchange('lines', 100),
    runtime: 'Node',
    warm_up: 5,
    programs: FAST,
  },
  {
    name: 'bun-1',
    title: 'BunNetwork, 1 outstanding',
    unit: 'lines',
    load: exchange('lines', 1),
    runtime: 'Bun',
    programs: BUN,
  },
  {
    name: 'bun-100',
    title: 'BunNetwork, 100 outstanding',
    unit: 'lines',
    load: exchange('lines', 100),
    runtime: 'Bun',
    warm_up: 3,
    programs: BUN,
  },
  {
    name: 'bun-connect',
    title: 'BunNetwork: open, a line, close',
    unit: 'connections',
    load: { kind: 'connect', connections: 32 },
    runtime: 'Bun',
    warm_up: 3,
    programs: BUN,
  },
  {
    name: 'workers-1',
    title: '1 worker, on any core',
    unit: 'lines',
    load: exchange('lines', 10),
    isFree: true,
    programs: workers('1'),
  },
  {
    name: 'workers-2',
    title: '2 workers, on any core',
    unit: 'lines',
    load: exchange('lines', 10),
    isFree: true,
    programs: workers('2'),
  },
  {
    name: 'utf8-ascii',
    title: 'ASCII as UTF-8, 100 outstanding',
    unit: 'lines',
    load: exchange('lines', 100),
    warm_up: 5,
    programs: UTF8,
  },
  {
    name: 'utf8-1',
    title: 'UTF-8 text, 1 outstanding',
    unit: 'lines',
    load: exchange('utf8', 1),
    programs: UTF8,
  },
  {
    name: 'utf8-10',
    title: 'UTF-8 text, 10 outstanding',
    unit: 'lines',
    load: exchange('utf8', 10),
    programs: UTF8,
  },
  {
    name: 'utf8-100',
    title: 'UTF-8 text, 100 outstanding',
    unit: 'lines',
    load: exchange('utf8', 100),
    isQuick: true,
    warm_up: 5,
    programs: UTF8,
  },
  {
    name: 'buffers',
    title: 'lines as Buffers',
    unit: 'lines',
    load: exchange('lines', 100),
    warm_up: 5,
    programs: BUFFERS,
  },
  {
    name: 'frames',
    title: 'length-prefixed frames',
    unit: 'frames',
    load: exchange('frames', 100),
    isQuick: true,
    warm_up: 5,
    programs: FRAMES,
  },
  {
    name: 'alternate',
    title: 'a line, 64 bytes, a line, …',
    unit: 'messages',
    load: exchange('alternate', 100),
    warm_up: 5,
    programs: ALTERNATE,
  },
  {
    name: 'tls-1',
    title: 'TLS, line echo, 1 outstanding',
    unit: 'lines',
    load: { ...exchange('lines', 1), isSecure: true },
    warm_up: 3,
    programs: TLS,
  },
  {
    name: 'tls-100',
    title: 'TLS, 100 outstanding',
    unit: 'lines',
    load: { ...exchange('lines', 100), isSecure: true },
    warm_up: 2,
    programs: TLS,
  },
  {
    name: 'tls-connect',
    title: 'TLS: open, a line, close',
    unit: 'connections',
    load: { kind: 'connect', connections: 32, tls: 'full' },
    warm_up: 3,
    programs: TLS,
  },
  {
    name: 'tls-resume',
    title: 'TLS: the same, resumed',
    unit: 'connections',
    load: { kind: 'connect', connections: 32, tls: 'resumed' },
    warm_up: 3,
    programs: TLS,
  },
  {
    name: 'tls-idle',
    title: 'KiB of memory, idle, TLS',
    unit: 'KiB',
    load: { kind: 'idle', connections: 1500, isSecure: true },
    programs: TLS,
  },
  {
    name: 'burst',
    title: '100 small writes in one hook',
    unit: 'writes',
    load: exchange('burst', 1),
    programs: BURST,
  },
  {
    name: 'bulk',
    title: 'bulk, lines of 1 KiB',
    unit: 'lines',
    load: { kind: 'bulk', connections: 4, size: 1024 },
    programs: LATIN1,
  },
  {
    name: 'file',
    title: 'files of 1 MiB',
    unit: 'files',
    load: exchange('file', 1, 4),
    programs: FILE,
  },
  {
    name: 'broadcast',
    title: 'broadcast to 1 000 connections',
    unit: 'deliveries',
    load: { kind: 'broadcast', connections: 1000, work: 'lines' },
    programs: BROADCAST,
  },
  {
    name: 'connect',
    title: 'connections: open, a line, close',
    unit: 'connections',
    load: { kind: 'connect', connections: 32 },
    isQuick: true,
    warm_up: 3,
    programs: LATIN1,
  },
  {
    name: 'idle',
    title: 'KiB of memory, idle connection',
    unit: 'KiB',
    load: { kind: 'idle', connections: 3000 },
    isQuick: true,
    programs: LATIN1,
  },
  {
    name: 'websocket-1',
    title: 'WebSocket text, 1 outstanding',
    unit: 'messages',
    load: exchange('websocket', 1),
    programs: WEBSOCKET,
  },
  {
    name: 'websocket-100',
    title: 'WebSocket text, 100 outstanding',
    unit: 'messages',
    load: exchange('websocket', 100),
    isQuick: true,
    warm_up: 5,
    programs: WEBSOCKET,
  },
  {
    name: 'websocket-utf8',
    title: 'WebSocket text that is not ASCII',
    unit: 'messages',
    load: exchange('websocket-utf8', 100),
    warm_up: 5,
    programs: WEBSOCKET,
  },
  {
    name: 'websocket-64k',
    title: 'WebSocket, 64 KiB of bytes',
    unit: 'messages',
    load: exchange('websocket-64k', 2, 8),
    programs: { sluice: WEBSOCKET.sluice, tuned: WEBSOCKET.tuned },
  },
  {
    name: 'websocket-broadcast',
    title: 'WebSocket broadcast to 1 000',
    unit: 'deliveries',
    load: { kind: 'broadcast', connections: 1000, work: 'websocket' },
    programs: WEBSOCKET_BROADCAST,
  },
  {
    name: 'envelopes-1',
    title: 'envelopes, 1 outstanding',
    unit: 'messages',
    load: exchange('websocket-envelope', 1),
    programs: ENVELOPES,
  },
  {
    name: 'envelopes-100',
    title: 'envelopes, 100 outstanding',
    unit: 'messages',
    load: exchange('websocket-envelope', 100),
    programs: ENVELOPES,
  },
  {
    name: 'udp',
    title: 'UDP echo, 8 outstanding',
    unit: 'packets',
    load: { kind: 'packets', connections: 8, outstanding: 8 },
    warm_up: 3,
    programs: UDP,
  },
]
