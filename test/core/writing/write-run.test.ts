/**
 * Runs of small writes alone: what becomes one item, and how many bytes that is. That the order is
 * kept is tested with the write path.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import type { SendItem } from '../../../src/core/writing/send-item.ts'
import { type IntoPacker, WriteRun } from '../../../src/core/writing/write-run.ts'
import type { Transport } from '../../../src/transport.ts'
import type { Encoding } from '../../../src/types.ts'

/**
 * A run. `news` returns what it has handed on since the last call: text with its encoding, or bytes
 * in latin1.
 */
function make() {
  const items: SendItem[] = []
  const run = new WriteRun(item => items.push(item))
  const news = (): string[] => {
    const all: string[] = []
    const transport = {
      write: (data: string | Uint8Array, encoding: Encoding) =>
        all.push(
          typeof data === 'string' ? `${encoding} ${data}` : Buffer.from(data).toString('latin1'),
        ),
    } as unknown as Transport
    for (const item of items.splice(0)) {
      const { size } = item
      item.send(transport, () => {})
      const sent = all.at(-1) as string
      const space = sent.indexOf(' ')
      t.equal(
        size,
        space > 0
          ? Buffer.byteLength(sent.slice(space + 1), sent.slice(0, space) as Encoding)
          : sent.length,
        'its size is that of its bytes',
      )
    }
    return all
  }
  return { run, news }
}

/** Bytes, which are copied because something was written after them. */
function pushBytes(run: WriteRun, bytes: Uint8Array, encoding: Encoding = 'utf8'): void {
  run.push(bytes, encoding)
  run.push(Buffer.alloc(0), encoding)
}

t.test('the bytes of one write are taken as they are, and copied if more is written', async t => {
  const { run, news } = make()
  const bytes = Buffer.from('bytes')
  run.push(bytes, 'utf8')
  t.same([run.isEmpty, run.size, run.least, run.most], [false, 5, 5, 5])
  run.grant(100, 'utf8')
  t.same([run.add('a'), run.add(bytes)], [false, false], 'it has no memory to add to')
  t.equal(run.takeText(), '')
  t.equal(run.takeBytes(), bytes)
  t.same([run.isEmpty, run.takeBytes()], [true, undefined])
  for (const more of ['+', Buffer.from('+')]) {
    run.push(bytes, 'utf8')
    run.push(more, 'utf8')
    t.equal(run.size, 6)
    t.same(run.takeBytes(), Buffer.from('bytes+'))
    t.ok(run.isEmpty)
  }
  run.push(bytes, 'utf8')
  run.pushPacked({ pack: () => bytes, pack_into: (target, at) => target.write('+', at) }, [])
  t.same(run.takeBytes(), Buffer.from('bytes+'))
  t.same(String(bytes), 'bytes', 'they are not ours to change')
  run.push(bytes, 'utf8')
  run.end()
  run.push(bytes, 'utf8')
  run.clear()
  t.same([news(), run.isEmpty], [['bytes'], true])
})

t.test('text stays text, and is counted only when its size is asked for', async t => {
  const { run, news } = make()
  t.same(
    {
      isEmpty: run.isEmpty,
      size: run.size,
      least: run.least,
      most: run.most,
      encoding: run.encoding,
    },
    { isEmpty: true, size: 0, least: 0, most: 0, encoding: 'utf8' },
  )
  run.push('ñ', 'utf8')
  run.push('o', 'utf8')
  t.same([run.isEmpty, run.least, run.most], [false, 2, 6], 'not counted')
  t.equal(run.size, 3)
  t.same([run.least, run.most], [3, 3])
  run.push('p', 'utf8')
  t.equal(run.takeText(), 'ñop')
  t.same(
    { isEmpty: run.isEmpty, text: run.takeText(), news: news() },
    { isEmpty: true, text: '', news: [] },
  )
  run.push('x', 'utf16le')
  t.same([run.most, run.encoding], [2, 'utf16le'])
  run.end()
  t.same(news(), ['utf16le x'])
  run.push('y', 'latin1')
  t.equal(run.most, 1)
  run.clear()
  t.ok(run.isEmpty)
  run.end()
  t.same(news(), [])
})

t.test('add takes text that was granted, and nothing else', async t => {
  const { run } = make()
  run.grant(100, 'latin1')
  t.equal(run.add('a'), false, 'there is no text that says in which encoding')
  run.push('a', 'latin1')
  t.equal(run.add('b'), false)
  run.grant(4, 'latin1')
  t.same(
    ['b', 'c', 'd'].map(text => run.add(text)),
    [true, true, false],
    'less than the limit',
  )
  run.grant(100, 'latin1')
  t.equal(run.add(Buffer.from('d')), false, 'bytes after text make bytes of it')
  run.revoke()
  t.equal(run.add('d'), false)
  t.equal(run.takeText(), 'abc')
  run.push('é', 'utf8')
  run.grant(10, 'utf8')
  const added = ['é', 'é', 'é'].map(text => run.add(text))
  t.same(added, [true, true, false], 'each may be three bytes')
})

t.test('after bytes, add takes bytes and short text', async t => {
  const { run, news } = make()
  const bytes = Buffer.from('bytes,')
  pushBytes(run, bytes)
  t.same([run.add(bytes), run.add('\r\n')], [false, false], 'nothing was granted')
  run.grant(100, 'utf8')
  t.same(
    [run.add(bytes), run.add(new Uint8Array(bytes)), run.add('\r\n'), run.add('')],
    [true, true, true, true],
  )
  t.same([run.add('more than 8'), run.add('é')], [false, false], 'nor what has to be encoded')
  t.same(
    ['5', null, undefined, 5, { length: 1 }].map(data => run.add(data as string)),
    [true, false, false, false, false],
    'nor what is not Data',
  )
  run.grant(22, 'utf8')
  t.same(
    [run.add(bytes), run.add('7'), run.add(Buffer.from('7'))],
    [false, false, false],
    'less than the limit',
  )
  t.equal(run.size, 21)
  for (const end of [() => run.end(), () => run.clear(), () => run.revoke()]) {
    pushBytes(run, bytes)
    run.grant(100, 'utf8')
    end()
    t.same([run.add(bytes), run.add('0')], [false, false])
  }
  run.clear()
  t.same(news(), ['bytes,bytes,bytes,\r\n5bytes,'])
})

t.test(
  'add does not go beyond its memory, nor takes text that is not one byte per character',
  async t => {
    const { run } = make()
    const kilobyte = Buffer.alloc(1000, 'k')
    pushBytes(run, kilobyte)
    run.grant(65536, 'utf8')
    t.same(
      [run.add(kilobyte), run.add(kilobyte), run.size],
      [true, false, 2000],
      'it has to grow first',
    )
    for (const encoding of ['latin1', 'ascii', 'utf16le', 'hex'] as const) {
      run.clear()
      pushBytes(run, Buffer.from('b'), encoding)
      run.grant(100, encoding)
      t.equal(run.add('61'), encoding === 'latin1' || encoding === 'ascii', encoding)
    }
  },
)

t.test('text that is not of its encoding is refused, and the run stays as it was', async t => {
  const { run } = make()
  run.push('6869', 'hex')
  t.throws(() => run.push('68\n', 'hex'), { code: 'ERR_INVALID_ARGUMENT', message: /^write: data/ })
  t.throws(() => run.push('A', 'base64'), { code: 'ERR_INVALID_ARGUMENT' })
  run.push('6a', 'hex')
  t.equal(run.size, 3)
})

t.test('small bytes make bytes of it; large ones are handed on as they are', async t => {
  const { run, news } = make()
  run.push('text,', 'utf8')
  run.push(Buffer.from('bytes,'), 'utf8')
  run.push('\r\n', 'utf8')
  run.push('é', 'utf8')
  run.push('no_short_text', 'latin1')
  run.push('u', 'utf16le')
  run.push('6869', 'hex')
  t.equal(run.size, 32)
  t.equal(run.takeText(), '', 'it is not text')
  const large = Buffer.alloc(4097, 'L')
  run.push(large, 'utf8')
  t.same(news(), ['text,bytes,\r\nÃ©no_short_textu\0hi', String(large)])
  run.push('x'.repeat(5000), 'utf8')
  run.push(Buffer.from('b'), 'utf8')
  t.same(news(), [`utf8 ${'x'.repeat(5000)}`], 'text that is large is not copied')
  run.push('y'.repeat(1400), 'utf8')
  t.same(news(), ['b'], 'nor is text that may be')
  run.push('z', 'latin1')
  t.same(news(), [`utf8 ${'y'.repeat(1400)}`], 'two encodings are two texts')
})

t.test('its memory grows, begins with the size of the last, and is never used again', async t => {
  const { run, news } = make()
  const byte = Buffer.from('0')
  for (let i = 0; i < 5000; i++) run.push(byte, 'utf8')
  run.end()
  run.push(byte, 'utf8')
  run.push(Buffer.from('1'), 'utf8')
  run.end()
  t.same(news(), ['0'.repeat(5000), '01'])
})

t.test('halves of a character are counted as what they become together', async t => {
  const [high, low] = ['\ud83d', '\ude00']
  const { run } = make()
  run.push(high, 'utf8')
  t.equal(run.size, 3)
  run.push(low, 'utf8')
  t.equal(run.size, 4)
  run.push(low, 'utf8')
  t.equal(run.size, 7)
})

t.test(
  'text that waits becomes bytes, a batch at a time, never between halves of a character',
  async t => {
    const { run, news } = make()
    run.push('a'.repeat(65535), 'utf8')
    run.wait()
    t.same(news(), [])
    run.push('\ud83d', 'utf8')
    run.wait()
    t.same(news(), [])
    run.push('\ude00', 'utf8')
    run.wait()
    t.same(news(), ['a'.repeat(65535) + Buffer.from('\u{1f600}').toString('latin1')])
    t.ok(run.isEmpty)
  },
)

t.test('packed values are written straight into it', async t => {
  const { run, news } = make()
  let size: unknown = 0
  const packer: IntoPacker = {
    pack: (text: string) => Buffer.from(text),
    pack_into: (target, at, text: string) =>
      size === 0 ? target.write(text, at, 'latin1') && text.length : (size as number),
  }
  run.push('text,', 'utf8')
  run.pushPacked(packer, ['packed,'])
  run.pushPacked(packer, ['x'.repeat(1500)])
  run.pushPacked(packer, ['y'.repeat(5000)])
  run.end()
  t.same(news(), [`text,packed,${'x'.repeat(1500)}`, 'y'.repeat(5000)])
  pushBytes(run, Buffer.from('b'))
  t.equal(run.addPacked(packer, ['p']), false, 'nothing was granted')
  run.grant(4, 'utf8')
  size = 0
  t.same(
    [run.addPacked(packer, ['pp']), run.addPacked(packer, ['p'])],
    [true, false],
    'less than the limit',
  )
  run.end()
  t.same(news(), ['bpp'])
  for (size of [-1, 0.5, NaN, undefined, '1']) {
    pushBytes(run, Buffer.from('b'))
    run.grant(100, 'utf8')
    const wrong = [() => run.addPacked(packer, ['']), () => run.pushPacked(packer, [''])]
    for (const call of wrong)
      t.throws(call, {
        code: 'ERR_INVALID_DELIMITER',
        message: /pack_into\(\) must return a number of bytes; it returned/,
      })
  }
})

// What it wrote to the channel was at the place of its own bytes, and a mix of both went out.
t.test('REGRESSION: a Packer that writes to the channel while it packs gets an error', async t => {
  for (const data of ['text', Buffer.from('bytes')]) {
    for (const first of [undefined, Buffer.from('first')]) {
      const { run } = make()
      const packer: IntoPacker = {
        pack: () => Buffer.from('p'),
        pack_into: (target, at) => {
          if (!run.add(data)) run.push(data, 'utf8')
          return target.write('p', at)
        },
      }
      if (first !== undefined) {
        pushBytes(run, first)
        run.grant(100, 'utf8')
        t.throws(() => run.addPacked(packer, []), {
          code: 'ERR_INVALID_DELIMITER',
          message: /must not write to the channel/,
        })
      }
      t.throws(() => run.pushPacked(packer, []), {
        code: 'ERR_INVALID_DELIMITER',
        message: /must not write to the channel/,
      })
    }
  }
})
