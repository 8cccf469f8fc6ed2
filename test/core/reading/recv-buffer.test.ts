import { Buffer } from 'node:buffer'
import t from 'tap'
import { RecvBuffer } from '../../../src/core/reading/recv-buffer.ts'
import { pick, type Random, rounds, seeded } from '../oracle.ts'

const run = (buffer: RecvBuffer): string =>
  buffer.bytes.toString('latin1', buffer.start, buffer.end)

const bytesOf = (random: Random, size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, () => random(256)))

/**
 * One life of a buffer, compared with the plainest model of it: the undelivered bytes. Returns what
 * was wrong.
 */
function live(seed: number): string[] {
  const random = seeded(seed)
  const areLent = seed % 2 === 1
  const wrong: string[] = []
  const kept: [bytes: Buffer, copy: Buffer][] = []
  const lent: Buffer[] = []
  const buffer = new RecvBuffer()
  let model = Buffer.alloc(0)
  const have = (): number => buffer.end - buffer.start
  const deliver = (bytes: Buffer, from: number, to: number): void => {
    if (!bytes.equals(model.subarray(from, to))) wrong.push('other bytes')
    kept.push([bytes, Buffer.from(bytes)])
  }
  const trim = (): void => {
    buffer.trim()
    for (const chunk of lent.splice(0)) chunk.fill(0xee)
  }

  for (let step = 0; step < 150 && wrong.length === 0; step++) {
    const size = random(have() + 1)
    switch (random(10)) {
      case 0:
      case 1: {
        const chunk = bytesOf(random, pick(random, [1, 1, 10, 255, 256, 257, 1000, 5000]))
        model = Buffer.concat([model, chunk])
        if (areLent) lent.push(chunk)
        buffer.append(chunk, areLent)
        break
      }
      case 2: {
        const before = have()
        const isLonger = buffer.more()
        if (isLonger !== have() > before) wrong.push('more() says otherwise than it does')
        if (!isLonger && have() !== model.length) wrong.push('there is more')
        break
      }
      case 3:
        deliver(buffer.take(size), 0, size)
        model = model.subarray(size)
        break
      case 4: {
        const encoding = pick(random, ['latin1', 'hex'] as const)
        if (buffer.takeText(size, encoding) !== model.toString(encoding, 0, size))
          wrong.push('other text')
        model = model.subarray(size)
        break
      }
      case 5: {
        const from = random(size + 1)
        deliver(buffer.slice(from, size), from, size)
        break
      }
      case 6: {
        const from = random(have() + 1)
        const needle = random(2) === 0 ? model.subarray(from, from + 2) : bytesOf(random, 2)
        const found = model.subarray(0, have()).indexOf(needle, from)
        if (needle.length === 2 && buffer.indexOf(needle, from) !== found)
          wrong.push('found elsewhere')
        break
      }
      case 7: {
        buffer.show()
        deliver(buffer.bytes.subarray(buffer.start, buffer.start + size), 0, size)
        break
      }
      case 8:
        buffer.skip(size)
        model = model.subarray(size)
        break
      default:
        trim()
    }
    if (buffer.length !== model.length)
      wrong.push(`length ${buffer.length} instead of ${model.length}`)
    if (run(buffer) !== model.toString('latin1', 0, have())) wrong.push('another run')
    if (have() === 0 && model.length > 0) wrong.push('an empty run before undelivered bytes')
  }
  trim()
  if (!kept.every(([bytes, copy]) => bytes.equals(copy)))
    wrong.push('what was delivered has changed')
  return wrong.map(each => `seed ${seed}: ${each}`)
}

t.test(
  'PROPERTY: it has what came and was not delivered, whatever is done in whatever order',
  async t => {
    const wrong: string[] = []
    for (let seed = 0; seed < rounds(40); seed++) wrong.push(...live(seed))
    t.same(wrong.slice(0, 10), [])
  },
)

t.test(
  'a chunk that finds the buffer empty becomes the run; another is copied only as far as needed',
  async t => {
    const buffer = new RecvBuffer()
    const [first, second] = [Buffer.from('first\nhalf'), Buffer.alloc(65536, 'x')]
    buffer.append(first)
    t.ok(buffer.bytes === first)
    t.ok(buffer.take(6).buffer === first.buffer)
    buffer.append(second)
    t.same([run(buffer), buffer.length], ['half', 65540])
    t.equal(buffer.more(), true)
    t.equal(run(buffer).length, 260, 'a first step')
    const line = buffer.take(10)
    t.ok(buffer.bytes === second, 'the message ended in the second chunk: it goes on there')
    t.same(
      { start: buffer.start, length: buffer.length, line: line.toString() },
      { start: 6, length: 65530, line: 'halfxxxxxx' },
    )
    t.equal(buffer.more(), false)
  },
)

t.test('what was shown is not used again, in whatever memory it is', async t => {
  const buffer = new RecvBuffer()
  const chunk = Buffer.from('ab')
  buffer.append(chunk)
  buffer.show()
  t.ok(buffer.bytes === chunk, "a chunk is nobody else's")
  buffer.clear()

  const lent = Buffer.from('message, half')
  buffer.append(lent, true)
  buffer.show()
  const shown = buffer.bytes
  const first = shown.subarray(buffer.start, buffer.start + 9)
  buffer.skip(9)
  buffer.trim()
  lent.fill('-')
  t.same([first.toString(), run(buffer)], ['message, ', 'half'])
  buffer.append(Buffer.from(' and half'), true)
  while (buffer.more());
  buffer.trim()
  t.ok(buffer.bytes === shown, 'others are added behind it')
  buffer.skip(5)

  // Without `show` the run would be moved to the beginning of this memory.
  buffer.append(Buffer.alloc(250, 'x'), true)
  while (buffer.more());
  t.not(buffer.bytes, shown)
  t.same([first.toString(), run(buffer).slice(0, 9)], ['message, ', 'and halfx'])
})

t.test('an idle buffer keeps nothing, and with half a line no more than half a line', async t => {
  const buffer = new RecvBuffer()
  buffer.trim()
  const chunk = Buffer.alloc(65536, 'x')
  buffer.append(chunk)
  buffer.skip(65536)
  buffer.trim()
  t.same([buffer.bytes.length, buffer.start, buffer.end], [0, 0, 0], 'nothing')

  buffer.append(chunk)
  buffer.skip(65000)
  buffer.trim()
  t.same([buffer.length, buffer.bytes.length], [536, 536], 'a small part of a chunk is copied')
  buffer.skip(536)
  buffer.trim()
  t.equal(buffer.bytes.length, 0)

  buffer.append(chunk)
  buffer.skip(100)
  buffer.trim()
  t.ok(buffer.bytes === chunk, 'most of a chunk is not')
  buffer.clear()
  t.same([buffer.length, buffer.bytes.length], [0, 0])
})

t.test('trim frees a chunk that was lent, whatever is left of it', async t => {
  for (const left of [0, 1, 99, 100]) {
    const buffer = new RecvBuffer()
    const chunk = Buffer.alloc(100, 'x')
    buffer.append(chunk, true)
    const taken = buffer.take(100 - left)
    buffer.append(chunk, true)
    buffer.more()
    buffer.trim()
    chunk.fill('?')
    t.same([taken.toString(), run(buffer)], ['x'.repeat(100 - left), 'x'.repeat(100 + left)])
  }
})

/**
 * The chunk was kept beside its copy until the line in it was complete: twice the memory for every
 * slow line.
 */
t.test('REGRESSION: a chunk that was copied completely is freed', async t => {
  const buffer = new RecvBuffer()
  const chunk = Buffer.alloc(60_000, 'x')
  buffer.append(Buffer.from('half'))
  buffer.append(chunk)
  while (buffer.more());
  buffer.trim()
  // If a message ends in a chunk that is still there, the run goes on in the chunk. Here it must go
  // on in the copy.
  buffer.skip(10)
  t.ok(buffer.bytes !== chunk)
  t.same([buffer.length, run(buffer)], [59_994, 'x'.repeat(59_994)])
})

/** Memory of our own never shrank: what was left after a message of 1 MiB kept 2 MiB. */
t.test('REGRESSION: memory that a long message needed is freed after it', async t => {
  for (const left of [11_000, 100]) {
    const buffer = new RecvBuffer()
    for (let i = 0; i < 100; i++) {
      buffer.append(Buffer.alloc(10_000, 'x'))
      while (buffer.more());
      buffer.trim()
    }
    t.ok(buffer.bytes.length < 2_100_000)
    buffer.skip(1_000_000 - left)
    buffer.trim()
    t.same([buffer.length, run(buffer)], [left, 'x'.repeat(left)])
    t.ok(buffer.bytes.length <= 2 * left + 1024, `${buffer.bytes.length}`)
  }
})

t.test('a byte is copied a constant number of times, in any chunks', async t => {
  for (const [name, chunk, size, keep] of [
    ['1 byte', 1, 2 ** 16, true],
    ['100 bytes', 100, 2 ** 18, true],
    ['1 KiB', 1024, 2 ** 18, true],
    ['64 KiB', 65536, 2 ** 18, true],
    ['1 byte, held', 1, 2 ** 16, false],
  ] as const) {
    const spy = spyOnCopies()
    const buffer = new RecvBuffer()
    for (let at = 0; at < size; at += chunk) {
      buffer.append(Buffer.alloc(chunk))
      if (!keep) continue
      while (buffer.more());
      buffer.trim()
    }
    while (buffer.more());
    t.equal(buffer.take(size).length, size)
    spy.stop()
    t.ok(spy.copied < 8 * size, `${name}: ${spy.copied / size} times`)
  }
})

// A list of chunks took 11 MiB of heap and 39 MiB of memory for 60 KB in packets of one byte.
t.test('bytes that come one by one are in one piece of memory, at most twice as large', async t => {
  for (const areLent of [false, true]) {
    const buffer = new RecvBuffer()
    const memory = new Set<ArrayBufferLike>()
    for (let n = 1; n <= 65_536; n++) {
      // As the system delivers them: a byte in a chunk of 64 KiB.
      const chunk = Buffer.from(new ArrayBuffer(n % 1000 === 0 ? 65_536 : 1), 0, 1)
      buffer.append(chunk, areLent)
      while (buffer.more());
      buffer.trim()
      if (n > 4096) memory.add(buffer.bytes.buffer)
      if (buffer.bytes.length > Math.max(2 * n, 512))
        return void t.fail(`${buffer.bytes.length} bytes for ${n}`)
    }
    t.equal(buffer.length, 65_536)
    t.ok(buffer.bytes.buffer.byteLength <= 2 * 65_536, `${buffer.bytes.buffer.byteLength} bytes`)
    t.ok(memory.size <= 6, `moved ${memory.size} times in the last 60 KiB`)
  }
})

t.test(
  'many messages, one after the other, do not make it move all of them again and again',
  async t => {
    const spy = spyOnCopies()
    const random = seeded(4)
    const buffer = new RecvBuffer()
    let came = 0
    for (let i = 0; i < 3000; i++) {
      const chunk = Buffer.alloc(1 + random(2000))
      came += chunk.length
      buffer.append(chunk)
      while (random(3) > 0 && buffer.more());
      for (let size = random(600); size < buffer.end - buffer.start; size = random(600))
        buffer.skip(size)
      buffer.trim()
    }
    spy.stop()
    t.ok(spy.copied < 4 * came, `${spy.copied / came} times`)
  },
)

/** Counts the bytes that all Buffers copy. */
function spyOnCopies() {
  const { copy, copyWithin, set } = Buffer.prototype
  const spy = {
    copied: 0,
    stop(): void {
      Object.assign(Buffer.prototype, { copy, copyWithin, set })
    },
  }
  const wrap = (method: Function, cost: (args: any[], result: number) => number) =>
    function (this: Buffer, ...args: unknown[]): unknown {
      const result = Reflect.apply(method, this, args)
      spy.copied += cost(args, result)
      return result
    }
  Object.assign(Buffer.prototype, {
    copy: wrap(copy, (_args, size) => size),
    copyWithin: wrap(copyWithin, ([, from, to]) => to - from),
    set: wrap(set, ([from]) => from.length),
  })
  return spy
}

t.test(
  'text that was kept is taken instead of decoded, while its bytes are where they were',
  async t => {
    const make = (): RecvBuffer => {
      const buffer = new RecvBuffer()
      buffer.append(Buffer.from('0123456789'))
      buffer.skip(2)
      // Not what the bytes say, to see where it comes from.
      buffer.keep('CDEFG', 2, 'latin1')
      return buffer
    }
    const buffer = make()
    t.equal(buffer.takeText(2, 'latin1'), 'CD')
    t.equal(buffer.takeText(1, 'utf8'), '4', 'in another encoding')
    t.equal(buffer.takeText(3, 'latin1'), '567', 'more than was kept')
    const losses: [string, (buffer: RecvBuffer) => void][] = [
      ['clear', buffer => (buffer.clear(), buffer.append(Buffer.from('23')))],
      ['the next chunk', buffer => (buffer.skip(8), buffer.append(Buffer.from('23')))],
      ['a move', buffer => (buffer.append(Buffer.from('x')), buffer.more())],
    ]
    for (const [what, lose] of losses) {
      const other = make()
      lose(other)
      t.equal(other.takeText(2, 'latin1'), '23', what)
    }
  },
)

t.test('bytes are put before all others', async t => {
  const buffer = new RecvBuffer()
  buffer.prepend(Buffer.from('ab'))
  t.equal(buffer.takeText(buffer.length, 'utf8'), 'ab')
  buffer.append(Buffer.from('cd'))
  buffer.append(Buffer.from('ef'))
  buffer.skip(1)
  buffer.prepend(Buffer.from('ab'))
  t.equal(buffer.length, 5)
  t.equal(buffer.takeText(5, 'utf8'), 'abdef')
})
