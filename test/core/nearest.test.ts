/** The name that was meant, for those that new users typed and for some that mean nothing known. */

import t from 'tap'
import { didYouMean, misspelt, nearest } from '../../src/core/nearest.ts'

// prettier-ignore
const SETTINGS = [
  'read_delimiter', 'regex_search', 'encoding', 'buffer_size', 'send_high_water',
  'send_buffer_size', 'no_delay', 'keep_alive', 'read_timeout', 'write_timeout', 'tls',
]

t.test('a misspelt name', async t => {
  for (const [name, meant] of [
    ['read_delimeter', 'read_delimiter'],
    ['readDelimiter', 'read_delimiter'],
    ['READ-DELIMITER', 'read_delimiter'],
    ['encodnig', 'encoding'],
    ['bufferSize', 'buffer_size'],
    ['bufer_sise', 'buffer_size'],
    ['noDelay', 'no_delay'],
    ['tsl', 'tls'],
    ['no.delay', 'no_delay'],
    ['write_timout', 'write_timeout'],
    ['reed_timeout', 'read_timeout'],
  ] as const) {
    t.equal(misspelt(name, SETTINGS), meant, name)
    t.equal(nearest(name, SETTINGS), meant, name)
  }
  t.equal(nearest('frmae', ['dump', 'frame', 'name']), 'frame')
  t.equal(nearest('bach', ['batch', 'interval']), 'batch')
})

t.test('no name is better than a wrong one', async t => {
  for (const name of ['', 'x', 'ca', 'highWaterMark', 'signal', 'constructor', '__proto__'])
    t.equal(nearest(name, SETTINGS), undefined, name)
  t.equal(nearest('id', ['fd']), undefined)
  t.equal(nearest('port', ['host', 'path']), undefined)
  t.equal(nearest('anything', []), undefined)
  t.equal(misspelt('hostname', ['host', 'port', 'path']), undefined)
})

t.test('a part of a name, if only one name has it', async t => {
  t.equal(nearest('hostname', ['host', 'port', 'path']), 'host')
  t.equal(nearest('delimiter', SETTINGS), 'read_delimiter')
  t.equal(nearest('timeout', SETTINGS), undefined, 'there are two')
  t.equal(nearest('no', SETTINGS), undefined, 'too short to say anything')
})

t.test('a word of several names', async t => {
  const timeouts = ['read_timeout', 'end_timeout', 'backlog']
  t.equal(misspelt('timeout', timeouts), 'end_timeout', 'only three letters are missing')
  t.equal(nearest('timeout', timeouts), undefined)
  t.equal(didYouMean('Timeout', timeouts), 'did you mean one of read_timeout, end_timeout?')
  t.equal(nearest('end-timeout', timeouts), 'end_timeout')
  t.equal(nearest('timeout', ['timeout', 'read_timeout', 'end_timeout']), 'timeout')
})

t.test('of equals the first counts', async t => {
  t.equal(misspelt('aaab', ['aaaa', 'aaac']), 'aaaa')
  t.equal(misspelt('aaaa', ['aaab', 'aaaa']), 'aaaa', 'the same name is nearer')
})

t.test('what a message says', async t => {
  t.equal(didYouMean('read_delimeter', SETTINGS), 'did you mean read_delimiter?')
  t.equal(didYouMean('colour', ['batch', 'interval']), 'there are: batch, interval')
  t.equal(didYouMean('colour', []), 'there are none')
})

t.test('a name from outside costs no time, however long it is', async t => {
  const long = 'x'.repeat(1_000_000)
  t.equal(nearest(long, [...SETTINGS, `${long}y`]), `${long}y`, 'as a part')
  t.equal(misspelt(long, [...SETTINGS, `${long}y`]), undefined)
})

// A value without a text had none, and so an error of another kind was thrown.
t.test('a name that is no text', async t => {
  for (const name of [undefined, 5, Symbol('a'), Object.create(null)])
    t.equal(didYouMean(name as never, ['a', 'b']), 'there are: a, b')
})
