/** The reads that a program awaits: their order, and the readers that cut them. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { readerFor, type ReadDelimiter } from '../../../src/core/delimiters.ts'
import { Awaited, type AwaitedRead } from '../../../src/core/reading/awaited.ts'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import { Struct } from '../../../src/core/struct/struct.ts'

const SETTINGS = { encoding: 'utf8', regex_search: true } as const
const reader = (delimiter: ReadDelimiter) => readerFor(delimiter, SETTINGS)

/** A buffer, the reader of the channel, and what became of each read. */
function scene(own: ReadDelimiter = '\n') {
  const awaited = new Awaited()
  const buffer = new RecvBuffer()
  const channel = reader(own)
  const log: unknown[] = []
  let hasEnded = false
  return {
    awaited,
    buffer,
    log,
    ask(delimiter?: ReadDelimiter): AwaitedRead {
      const read: AwaitedRead = {
        reader: delimiter === undefined ? undefined : reader(delimiter),
        taken: (data, isSpread) => log.push(isSpread ? data : String(data)),
        overflowed: (limit, size) => log.push(`over ${limit} ${size}`),
        broken: error => log.push((error as Error).message),
        ended: () => log.push('ended'),
      }
      awaited.push(read)
      return read
    },
    serve(text = '', limit = 100): unknown[] {
      if (text !== '') buffer.append(Buffer.from(text))
      awaited.serve(buffer, channel, limit, hasEnded)
      return log.splice(0)
    },
    end: () => (hasEnded = true),
    rest(): string {
      awaited.giveBack(buffer)
      channel.giveBack(buffer)
      return buffer.takeText(buffer.length, 'utf8')
    },
  }
}

t.test('in order, each by its own delimiter', async t => {
  const { ask, serve, awaited, rest } = scene()
  for (const delimiter of [undefined, 2, '\r\n', new Struct('!BB'), undefined]) ask(delimiter)
  t.same(serve('one\nabtwo'), ['one', 'ab'])
  t.same(serve('\r\n\x01\x02three\nfour\n'), ['two', [1, 2], 'three'])
  t.equal(awaited.isWaiting, false)
  t.equal(rest(), 'four\n')
  t.equal(rest(), '')
})

t.test('what a reader has looked at, and not delivered, is given back', async t => {
  const { ask, serve, rest } = scene()
  ask(':')
  t.same(serve('a:b:c'), ['a'])
  ask(':')
  ask(';')
  t.same(serve(), ['b'])
  t.equal(rest(), 'c')
})

t.test('byte by byte, and many at once', async t => {
  const text = 'one\nabtwo\r\nthree\n'
  const { ask, serve } = scene()
  for (const delimiter of [undefined, 2, '\r\n', '\n']) ask(delimiter)
  t.same(
    [...text].flatMap(byte => serve(byte)),
    ['one', 'ab', 'two', 'three'],
  )
  const much = scene()
  for (let n = 0; n < 3000; n++) much.ask('\n')
  const lines = Array.from({ length: 3000 }, (_, n) => `${n}`)
  t.same(much.serve(lines.map(line => `${line}\n`).join('')), lines)
})

t.test('what is removed is not served', async t => {
  const { ask, serve, awaited } = scene()
  const first = ask()
  ask()
  awaited.remove(first)
  awaited.remove(first)
  t.same(serve('one\n'), ['one'])
  ask(3)
  t.equal(awaited.removeAll().length, 1)
  t.same([awaited.isWaiting, serve()], [false, []])
})

t.test('what goes wrong is one read; nothing is dropped', async t => {
  const { ask, serve, rest } = scene()
  ask('|')
  ask({
    cut: () => {
      throw new Error('broken')
    },
  })
  ask({ needs: 6, cut: () => 100 })
  ask()
  t.same(serve('longer\n', 4), ['over 4 undefined', 'broken', 'over 6 100', 'over 4 undefined'])
  t.equal(rest(), 'longer\n')
})

t.test('at the end of the peer', async t => {
  const { ask, serve, end } = scene()
  end()
  ask()
  ask('|')
  ask(null)
  ask(null)
  t.same(serve('one\nha\xc3'.normalize()), ['one', 'ended', 'haÃ', 'ended'])
  const cut = scene()
  cut.end()
  cut.buffer.append(Buffer.from([0x61, 0xc3]))
  cut.ask(null)
  cut.ask(null)
  cut.ask(null)
  t.same(cut.serve(), ['a', '\ufffd', 'ended'])
})
