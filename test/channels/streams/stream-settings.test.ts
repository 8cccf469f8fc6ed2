/** The settings of a Stream: which values are valid, and how they are kept. */

import t from 'tap'
import {
  ACCEPTED_DEFAULTS,
  checkEncoding,
  STREAM_CHECKS,
  STREAM_DEFAULTS,
  type StreamValues,
} from '../../../src/channels/streams/stream-settings.ts'
import { thrown } from '../../kit.ts'

type Name = keyof StreamValues

t.test('the defaults', async t => {
  t.same(STREAM_DEFAULTS, {
    read_delimiter: null,
    regex_search: true,
    overflow: 'hold',
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

/** The values that each takes, and those that it refuses besides NEVER. */
const CASES: Record<Name, [takes: unknown[], refuses: unknown[]]> = {
  read_delimiter: [
    [null, '\n', 1, new Uint8Array([0]), /,/, { cut: () => 1 }],
    ['', -1, 1.5, Infinity, new Uint8Array(0), /,*/, true, { cut: 1 }],
  ],
  regex_search: [
    [true, false],
    [...NEVER, null, 0, 1],
  ],
  overflow: [
    ['hold', 'skip'],
    [...NEVER, null, true],
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
    [
      ...NEVER,
      0,
      true,
      null,
      {},
      { after: 0 },
      { after: 5, interval: 0 },
      ...[0, 1.5, 128].map(count => ({ after: 5, count })),
      { after: 5, cuont: 3 },
    ],
  ],
  tls: [
    [undefined, {}, { ca: 'of PEM' }],
    ['cert', 5, true, () => {}],
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

t.test('keep_alive: a copy is kept', async t => {
  const given = { after: 5, interval: Infinity, count: 127 }
  const kept = STREAM_CHECKS.keep_alive('keep_alive', given)
  t.same(kept, given)
  t.not(kept, given)
  t.same(STREAM_CHECKS.keep_alive('keep_alive', { after: 5, count: undefined }), { after: 5 })
  t.throws(() => STREAM_CHECKS.keep_alive('keep_alive', { after: 5, cuont: 3 }), {
    message: 'keep_alive: there is no option "cuont"; did you mean count?',
  })
})
