/**
 * Bench. The counts: what the core does for its work, in units that no other process and no clock
 * can change. CI runs them.
 *
 * Rules:
 * 1. Every count has a bound, and the bound has a reason. A count over its bound is a mistake, or
 *    the reason no longer holds: then change both here.
 * 2. The bounds of allocations leave room, because they depend on the version of V8. The bounds of
 *    all other counts leave none.
 */

import { Buffer } from 'node:buffer'
import { type ConnectionClass, Engine } from 'sluice'
import { type ReadOwner, ReadPath } from '../../src/core/read-path.ts'
import { RecvBuffer } from '../../src/core/reading/recv-buffer.ts'
import {
  Alternate,
  Bench,
  Broadcast,
  Buffers,
  Burst,
  Frames,
  Large,
  Lines,
  Utf8Lines,
} from './channels.ts'
import { countCopies } from './copies.ts'
import { chunks, FakeClock } from './fake-network.ts'
import { frames, lines, wideLines } from './streams.ts'

export interface Count {
  readonly what: string
  readonly count: number
  readonly bound: number
  readonly reason: string
}

/** Messages in one dispatch. */
const BATCH = 100

export async function counts(): Promise<Count[]> {
  return [
    ...(await systemCalls()),
    ...(await turns()),
    ...copies(),
    ...decodings(),
    ...timers(),
    ...(await allocations()),
  ]
}

// ---- system calls and turns ---------------------------------------------------------------------

async function systemCalls(): Promise<Count[]> {
  const one = 'all that is written in one dispatch, by one hook or a hundred, is one run'
  const chunk = Buffer.from('x')
  return [
    await writes('lines, latin1', Lines, lines(BATCH), 1, one),
    await writes('lines, UTF-8', Utf8Lines, wideLines(BATCH), 1, one),
    await writes('lines as Buffers, with their ends', Buffers, lines(BATCH), 1, one),
    await writes('length-prefixed frames', Frames, frames(BATCH), 1, one),
    await writes('a delimiter that alternates', Alternate, lines(BATCH), 1, one),
    await writes('100 small writes in one hook', Burst, chunk, 1, one),
    await writes(
      '3 Buffers of 16 KiB, text between',
      Large,
      chunk,
      1,
      'large Buffers are not copied, but all of them go out together',
    ),
  ]
}

async function writes(
  what: string,
  Class: ConnectionClass,
  arrived: Buffer,
  bound: number,
  reason: string,
): Promise<Count> {
  const bench = await Bench.with(Class)
  bench.turn(bench.first, arrived)
  return {
    what: `system calls of a dispatch: ${what}`,
    count: bench.first.system_calls,
    bound,
    reason,
  }
}

async function turns(): Promise<Count[]> {
  const peers = 100
  const room = await Bench.with(Broadcast, peers)
  room.turn(room.first, lines(10))
  const many = await Bench.with(Lines, peers)
  const before = many.clock.turns
  for (const transport of many.transports) transport.sink?.received(lines(10))
  const scheduled = many.clock.turns - before
  const early = many.transports.reduce((sum, each) => sum + each.writes, 0)
  many.clock.turn()
  return [
    {
      what: 'system calls of a dispatch: 10 lines to 100 peers, for each peer',
      count: room.transports.reduce((sum, each) => sum + each.system_calls, 0) / peers,
      bound: 1,
      reason: 'one run for each peer, whatever the number of lines',
    },
    {
      what: 'turns that 100 channels ask for if all of them write',
      count: scheduled,
      bound: 1,
      reason: 'the engine flushes all channels in one turn',
    },
    {
      what: 'writes of 640 bytes each before the turn ends',
      count: early,
      bound: 0,
      reason: 'small writes queue, so that later writes of the turn go out with them',
    },
    {
      what: 'pauses and resumes of a dispatch without backpressure',
      count: many.first.switches,
      bound: 0,
      reason: 'each is a system call or two',
    },
  ]
}

// ---- copies -------------------------------------------------------------------------------------

function copies(): Count[] {
  const stream = lines(10_000)
  const long = Buffer.concat([Buffer.alloc(2 ** 20, 'x'), Buffer.from('\r\n')])
  return [
    copied(
      'lines in chunks that end with one',
      chunks(stream, 6400),
      10_000,
      0,
      'a chunk is not copied if the buffer is empty',
    ),
    copied(
      'lines in chunks of 1460 bytes',
      chunks(stream, 1460),
      10_000,
      16,
      'only a line that is cut: 64 bytes in 22 lines, and a first step of 256',
    ),
    copied(
      'a line of 1 MiB in chunks of 64 KiB, per byte',
      chunks(long, 65536),
      long.length,
      3,
      'a buffer that doubles moves a byte twice, and once at the start',
    ),
    copied(
      'lines, a byte at a time, per byte',
      chunks(stream.subarray(0, 6400), 1),
      6400,
      3,
      'as for the line of 1 MiB',
    ),
  ]
}

/**
 * The bytes that are moved between the transport and `on_read`. The lines are delivered as strings;
 * making those is no copy of bytes.
 */
function copied(
  what: string,
  arrived: readonly Buffer[],
  of: number,
  bound: number,
  reason: string,
): Count {
  const path = readPath()
  const count = countCopies(() => {
    for (const chunk of arrived) path.receive(chunk)
  })
  return { what: `bytes copied: ${what}`, count: round(count / of), bound, reason }
}

function readPath(): ReadPath {
  const owner: ReadOwner = {
    hookReturned() {},
    hookFailed: fail,
    overflowed: fail,
    broken: fail,
    delivered() {},
    pause() {},
    resume() {},
  }
  return new ReadPath(
    { on_read() {} },
    owner,
    '\r\n',
    { encoding: 'latin1', regex_search: true },
    2 ** 26,
  )
}

function fail(error: unknown): never {
  throw new Error(`the bench is wrong: ${error}`)
}

// ---- decodings ----------------------------------------------------------------------------------

/** Messages are cut out of a window that is decoded at once, even if they are long. */
function decodings(): Count[] {
  const stream = lines(640, 1024)
  const path = readPath()
  const { toString } = Buffer.prototype
  let count = 0
  Buffer.prototype.toString = function (this: Buffer, ...args: Parameters<Buffer['toString']>) {
    count++
    return toString.apply(this, args)
  }
  try {
    for (const chunk of chunks(stream, 65536)) path.receive(chunk)
  } finally {
    Buffer.prototype.toString = toString
  }
  return [
    {
      what: 'decodings of 64 KiB: lines of 1 KiB',
      count: count / 10,
      bound: 2,
      reason: 'one window each, and smaller ones at the start',
    },
  ]
}

// ---- timers -------------------------------------------------------------------------------------

function timers(): Count[] {
  const clock = new FakeClock()
  const engine = new Engine({ clock })
  for (let i = 0; i < 10_000; i++) engine.defer(1000 + i, () => {})
  return [
    {
      what: "the clock's timers for 10 000 of the engine",
      count: clock.timers,
      bound: 1,
      reason: 'one timer of the clock waits for the first of them',
    },
  ]
}

// ---- allocations --------------------------------------------------------------------------------

async function allocations(): Promise<Count[]> {
  return [
    await allocated(
      'latin1 line of 64, echoed',
      Lines,
      lines(BATCH),
      250,
      'a slice and two concatenations of 32; the rest is for other versions of V8',
    ),
    await allocated(
      'Buffer line of 64, echoed',
      Buffers,
      lines(BATCH),
      500,
      'a view is about 100; the rest is for other versions of V8',
    ),
    await allocated(
      'frame of 64, echoed',
      Frames,
      frames(BATCH),
      900,
      'a view, a cut, a frame; the rest is for other versions of V8',
    ),
    idleBuffer(),
  ]
}

/**
 * How many dispatches are counted together, and how often. V8 collects during few of these tries,
 * so the median is of one without a collection.
 */
const DISPATCHES = 100
const TRIES = 15

/** Bytes of V8's heap for each message. Needs --expose-gc, and a young generation with room. */
async function allocated(
  what: string,
  Class: ConnectionClass,
  arrived: Buffer,
  bound: number,
  reason: string,
): Promise<Count> {
  const { gc } = globalThis
  if (gc === undefined)
    throw new Error('Node must be started with --expose-gc, as npm run bench:micro does')
  const bench = await Bench.with(Class)
  const tries = Array.from({ length: TRIES }, () => {
    gc()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < DISPATCHES; i++) bench.turn(bench.first, arrived)
    return (process.memoryUsage().heapUsed - before) / DISPATCHES / BATCH
  })
  const middle = tries.toSorted((a, b) => a - b)[TRIES >> 1] as number
  return { what: `bytes of heap: ${what}`, count: Math.round(middle), bound, reason }
}

/** The bytes that a connection keeps between two messages. */
function idleBuffer(): Count {
  const buffer = new RecvBuffer()
  buffer.append(Buffer.alloc(65536, 'x'))
  buffer.skip(65500)
  buffer.trim()
  const held = buffer.bytes.length
  return {
    what: 'bytes held for half a line of 36 at the end of 64 KiB',
    count: held,
    bound: 256,
    reason: 'a buffer of the smallest size, not the whole chunk',
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
