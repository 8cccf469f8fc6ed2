/**
 * Bench. The cases whose times are taken: reading by each kind of delimiter, writing, structs,
 * timers, messages.
 */

import { Buffer } from 'node:buffer'
import type { Delimiter, ReadDelimiter } from '../../src/core/delimiters.ts'
import { length_prefix } from '../../src/core/length/length-prefix.ts'
import { type ReadOwner, ReadPath } from '../../src/core/read-path.ts'
import { NetStruct } from '../../src/core/struct/net-struct.ts'
import { Struct } from '../../src/core/struct/struct.ts'
import { Timers } from '../../src/core/time/timers.ts'
import { WritePath } from '../../src/core/write-path.ts'
import type { Data, Encoding } from '../../src/types.ts'
import { envelopes } from './envelopes.ts'
import { FakeTransport } from './fake-network.ts'
import { messages } from './messages.ts'
import { frames, lines, wideLines } from './streams.ts'

/** A piece of work that is measured. */
export interface Case {
  readonly what: string
  /** Works through some messages, and returns how many. */
  readonly run: () => number
  /** The case below it, and how many layers this one has on top: their cost is the difference. */
  readonly over?: readonly [what: string, layers: number]
}

/** Messages of one chunk: of the 64 KiB that a socket delivers at once. */
const COUNT = 1024

/** All cases, in the order in which they are printed. */
export function makeCases(): Case[] {
  return [...reading(), ...writing(), ...structs(), ...timers(), ...messages(), ...envelopes()]
}

// ---- reading ------------------------------------------------------------------------------------

/** A delimiter as a program would write it: an object, of none of sluice's classes. */
const OWN: Delimiter<[Buffer]> = {
  cut: (bytes, start, end) =>
    end - start < 64 ? 64 : { size: 64, data: [bytes.subarray(start, start + 64)] },
}

function reading(): Case[] {
  const text = lines(COUNT)
  return [
    read('lines, latin1', text, '\r\n', 'latin1'),
    read('lines, utf8, text is ASCII', text, '\r\n', 'utf8'),
    read('lines, utf8, text is not', wideLines(COUNT), '\r\n', 'utf8'),
    read('lines, Buffers', text, '\r\n', null),
    read('lines that end with \\n, latin1', text, '\n', 'latin1'),
    read('lines that end with bytes, latin1', text, Buffer.from('\r\n'), 'latin1'),
    read('lines by a RegExp, latin1', text, /\r\n/, 'latin1', 16),
    read('count 64, Buffers', text, 64, null),
    read('count 64, latin1', text, 64, 'latin1'),
    read('Struct !16I', text, new Struct('!16I'), null),
    read('NetStruct !I$', frames(COUNT), new NetStruct('!I$'), null),
    read('length_prefix, Buffers', frames(COUNT), length_prefix(), null),
    read('length_prefix, latin1', frames(COUNT), length_prefix(), 'latin1'),
    read('a delimiter of the program', text, OWN, null),
    alternating(text),
    read('null, chunks of 64 KiB, per 64 bytes', text, null, null),
  ]
}

/** Reads a stream that comes in this many chunks. */
function read(
  what: string,
  stream: Buffer,
  delimiter: ReadDelimiter,
  encoding: Encoding | null,
  parts = 1,
): Case {
  const path = new ReadPath(
    { on_read },
    OWNER,
    delimiter,
    { encoding, regex_search: true },
    2 ** 20,
  )
  const size = stream.length / parts
  const run = (): number => {
    for (let at = 0; at < stream.length; at += size) path.receive(stream.subarray(at, at + size))
    return COUNT
  }
  return { what: `read: ${what}`, run }
}

function alternating(stream: Buffer): Case {
  const settings = { encoding: 'latin1', regex_search: true } as const
  let isLine = true
  const target = {
    on_read(): void {
      isLine = !isLine
      path.use(isLine ? '\r\n' : 64, settings, 2 ** 20)
    },
  }
  const path = new ReadPath(target, OWNER, '\r\n', settings, 2 ** 20)
  const run = (): number => {
    path.receive(stream)
    return COUNT
  }
  return { what: 'read: a line, 64 bytes, a line, …, latin1', run }
}

/** What is delivered is kept, so that V8 cannot leave out making it. */
let sink: unknown

function on_read(...data: unknown[]): void {
  sink = data[0]
}

const OWNER: ReadOwner = {
  hookReturned() {},
  hookFailed: fail,
  overflowed: fail,
  broken: fail,
  delivered() {},
  pause() {},
  resume() {},
}

function fail(error: unknown): never {
  throw new Error(`the bench is wrong: ${error}`)
}

// ---- writing ------------------------------------------------------------------------------------

const LINE = 'x'.repeat(62) + '\r\n'
const BYTES = Buffer.from(LINE)
const LARGE = Buffer.alloc(16 * 1024)

function writing(): Case[] {
  return [
    write('text of 64', path => put(path, LINE)),
    write('text of 64, each looked at', path => path.push(LINE, 'latin1')),
    write('Buffers of 64', path => put(path, BYTES)),
    write('Buffers of 64, text between', path => {
      put(path, BYTES)
      put(path, '\r\n')
    }),
    write('Buffers of 16 KiB', path => path.push(LARGE, 'latin1'), 4),
  ]
}

/** Writes as a stream does. */
function put(path: WritePath, data: Data): void {
  if (path.add(data)) return
  path.push(data, 'latin1')
  path.grant(65536, 'latin1')
}

/** `count` writes, then a flush. */
function write(what: string, put: (path: WritePath) => void, count = 100): Case {
  const path = new WritePath({ filled() {}, queued() {}, emptied() {}, writeFailed: fail })
  const transport = new FakeTransport()
  path.open(transport)
  const run = (): number => {
    for (let i = 0; i < count; i++) put(path)
    path.flush()
    path.reportEmptied()
    sink = transport.last
    return count
  }
  return { what: `write: ${what}`, run }
}

// ---- structs and timers -------------------------------------------------------------------------

function structs(): Case[] {
  const header = new Struct('!LHHd')
  const packed = header.pack(1, 2, 3, 4)
  const net = new NetStruct('!H$')
  return [
    repeat('Struct !LHHd: pack', () => header.pack(1, 2, 3, 4)),
    repeat('Struct !LHHd: unpack', () => header.unpack(packed)),
    repeat('NetStruct !H$: pack, 60 bytes', () => net.pack(BYTES)),
  ]
}

function timers(): Case[] {
  const pending = new Timers()
  for (let i = 0; i < 10_000; i++) pending.add(1e9 + i, 0, () => {})
  const due = new Timers()
  let now = 0
  return [
    repeat('timers: add and cancel, among 10 000', i =>
      pending.add(1e9 + ((i * 7919) % 10_000), 0, noop)(),
    ),
    repeat('timers: add and run', () => {
      due.add(now, 0, noop)
      due.run(now++)
    }),
  ]
}

function noop(): void {}

function repeat(what: string, call: (i: number) => unknown): Case {
  const run = (): number => {
    for (let i = 0; i < 100; i++) sink = call(i)
    return 100
  }
  return { what, run }
}

/** Reads the variable, so that it is used. */
export function lastSeen(): unknown {
  return sink
}
