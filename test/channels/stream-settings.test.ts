/** The settings of a Stream: what each may be, and as what it is kept. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  ACCEPTED_DEFAULTS,
  checkEncoding,
  readSettings,
  STREAM_CHECKS,
  STREAM_DEFAULTS,
  StreamSettings,
  type StreamValues,
} from '../../src/channels/stream-settings.ts'
import type { ReadOwner } from '../../src/core/read-path.ts'
import { thrown } from '../kit.ts'

/** Nothing is told to it in these tests. */
const OWNER = {} as ReadOwner

type Name = keyof StreamValues

t.test('the defaults', async t => {
  t.same(STREAM_DEFAULTS, {
    read_delimiter: null,
    regex_search: true,
    encoding: null,
    buffer_size: 65_536,
    send_high_water: 65_536,
    send_buffer_size: 16_777_216,
    backpressure: false,
    no_delay: true,
    keep_alive: false,
    tls: undefined,
    connect_timeout: 30_000,
    handshake_timeout: 10_000,
    read_timeout: Infinity,
    write_timeout: Infinity,
    idle_timeout: Infinity,
    max_lifetime: Infinity,
    end_timeout: 30_000,
  })
  t.same(ACCEPTED_DEFAULTS, { ...STREAM_DEFAULTS, backpressure: true, write_timeout: 60_000 })
  t.same(Object.keys(STREAM_CHECKS), Object.keys(STREAM_DEFAULTS))
  for (const [name, value] of Object.entries(STREAM_DEFAULTS))
    t.equal(STREAM_CHECKS[name as Name](name, value), value, 'can be set to itself')
})

const NEVER = [undefined, {}, [], Symbol('s'), 5n, () => {}, NaN, -1, 'x']

/** What each takes, and what it does not besides those of NEVER. */
const CASES: Record<Name, [takes: unknown[], refuses: unknown[]]> = {
  read_delimiter: [
    [null, '\n', 1, new Uint8Array([0]), /,/, { cut: () => 1 }],
    ['', 0, -1, 1.5, Infinity, new Uint8Array(0), /,*/, true, { cut: 1 }],
  ],
  regex_search: [
    [true, false],
    [...NEVER, null, 0, 1],
  ],
  encoding: [
    [null, 'utf8', 'latin1', 'hex', 'base64', 'base64url', 'ascii', 'utf16le'],
    [...NEVER, '', 'utf-9', 5, true],
  ],
  buffer_size: [
    [1, 65_536, Infinity],
    [...NEVER, 0, 1.5, null, '5', 2 ** 53, true],
  ],
  send_high_water: [
    [1, Infinity],
    [...NEVER, 0, null, '5'],
  ],
  send_buffer_size: [
    [1, Infinity],
    [...NEVER, 0, null, '5'],
  ],
  backpressure: [
    [true, false],
    [...NEVER, null, 0, 1],
  ],
  no_delay: [
    [true, false],
    [...NEVER, null, 0, 1],
  ],
  keep_alive: [
    [false, 1000, Infinity],
    [...NEVER, 0, true, null],
  ],
  tls: [
    [undefined, {}, { ca: 'of PEM' }],
    [null, 'cert', 5, true, () => {}],
  ],
  handshake_timeout: [
    [0.5, 1000, Infinity],
    [...NEVER, 0, null, false],
  ],
  connect_timeout: [
    [0.5, 1000, Infinity],
    [...NEVER, 0, null, false],
  ],
  read_timeout: [
    [0.5, 1000, Infinity],
    [...NEVER, 0, null, false],
  ],
  write_timeout: [
    [0.5, 1000, Infinity],
    [...NEVER, 0, null, false],
  ],
  idle_timeout: [
    [0.5, 1000, Infinity],
    [...NEVER, 0, null, false],
  ],
  max_lifetime: [
    [0.5, 1000, Infinity],
    [...NEVER, 0, null, false],
  ],
  end_timeout: [
    [0.5, 1000, Infinity],
    [...NEVER, 0, null, false],
  ],
}

t.test('the checks', async t => {
  for (const [name, [takes, refuses]] of Object.entries(CASES)) {
    const check = STREAM_CHECKS[name as Name]
    for (const value of takes) t.equal(check(name, value), value, `${name} ${String(value)}`)
    for (const value of refuses) {
      const code = name === 'read_delimiter' ? 'ERR_INVALID_DELIMITER' : 'ERR_INVALID_ARGUMENT'
      t.equal(
        thrown(() => check(name, value)),
        code,
        `${name} ${String(value)}`,
      )
    }
  }
  t.throws(() => STREAM_CHECKS.encoding('encoding', 'klingon'), {
    message: 'encoding must be an encoding of Node\'s Buffer, or null; got "klingon"',
  })
})

t.test('an encoding has one name', async t => {
  for (const [name, kept] of [
    ['UTF8', 'utf8'],
    ['utf-8', 'utf8'],
    ['Utf-8', 'utf8'],
    ['binary', 'latin1'],
    ['LATIN1', 'latin1'],
    ['ucs2', 'utf16le'],
    ['UCS-2', 'utf16le'],
    ['utf-16le', 'utf16le'],
    ['HEX', 'hex'],
  ])
    t.equal(checkEncoding('encoding', name), kept)
})

t.test('the same object for the same settings', async t => {
  t.same(readSettings('utf8', true), { encoding: 'utf8', regex_search: true })
  t.equal(readSettings('utf8', true), readSettings('utf8', true))
  t.not(readSettings('utf8', true), readSettings('utf8', false))
  t.not(readSettings(null, true), readSettings('utf8', true))
  t.same(readSettings(null, false), { encoding: null, regex_search: false })
})

t.test('streams that are given the same have the same object', async t => {
  const root = new StreamSettings(STREAM_DEFAULTS)
  const lines = root.with('encoding', 'utf8', true).with('read_delimiter', '\n', true)
  t.same(lines.values, { ...STREAM_DEFAULTS, encoding: 'utf8', read_delimiter: '\n' })
  t.equal(root.with('encoding', 'utf8', true).with('read_delimiter', '\n', true), lines)
  t.not(root.with('encoding', 'latin1', true), root.with('encoding', 'utf8', true))
  t.same(root.values, STREAM_DEFAULTS)
})

t.test(
  'a stream that changes a setting while it is open has its own object, which is changed in place',
  async t => {
    const shared = new StreamSettings(STREAM_DEFAULTS).with('encoding', 'utf8', true)
    const own = shared.with('read_delimiter', 5, false)
    t.not(own, shared.with('read_delimiter', 5, false))
    t.equal(own.with('read_delimiter', 6, true), own)
    t.same(
      [own.values.read_delimiter, shared.values.read_delimiter, own.values.encoding],
      [6, null, 'utf8'],
    )
  },
)

// A program that makes a Struct for each connection, or sets the same setting over and over, must
// not fill the memory.
t.test('what is shared is bounded', async t => {
  const root = new StreamSettings(STREAM_DEFAULTS)
  const all = Array.from({ length: 20 }, (_, i) => root.with('buffer_size', i + 1, true))
  t.same(
    all.map((each, i) => each === root.with('buffer_size', i + 1, true)),
    all.map((_, i) => i < 16),
  )
  const first = all[0] as StreamSettings
  const back = first.with('buffer_size', 65_536, true)
  t.not(back, root)
  t.equal(
    back.with('buffer_size', 1, true),
    back,
    'no way leads on from a value that is not the default',
  )
})

t.test('read paths are lent by shared settings, and kept by a stream of its own', async t => {
  const reads: string[] = []
  const target = (name: string) => ({ on_read: (line: string) => void reads.push(name + line) })
  const lines = new StreamSettings(STREAM_DEFAULTS)
    .with('encoding', 'utf8', true)
    .with('read_delimiter', '\n', true)
  const path = lines.borrow(target('a '), OWNER, false)
  path.receive(Buffer.from('one\n'))
  t.equal(lines.takeBack(path), true)
  t.equal(lines.borrow(target('b '), OWNER, false), path)
  path.receive(Buffer.from('two\n'))
  t.same(reads, ['a one', 'b two'])
  const own = lines.with('read_delimiter', ';', false)
  const kept = own.borrow(target('c '), OWNER, false)
  kept.receive(Buffer.from('three;'))
  t.equal(own.takeBack(kept), false)
  kept.receive(Buffer.from('four;'))
  t.same(reads.slice(2), ['c three', 'c four'])
  const many = Array.from({ length: 70 }, () => lines.borrow(target(''), OWNER, false))
  for (const each of many) lines.takeBack(each)
  const again = new Set(many.map(() => lines.borrow(target(''), OWNER, false)))
  t.equal(many.filter(each => again.has(each)).length, 64)
})
