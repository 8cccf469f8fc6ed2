/** A transport as a stream of Node's: what is done to one of the two is done to the other. */

import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import t from 'tap'
import { TransportDuplex } from '../../../src/io/duplex/transport-duplex.ts'
import type { Transport, TransportSink } from '../../../src/transport.ts'
import { turn, until } from '../../kit.ts'

/** A transport that records what is done to it; it takes `room` bytes. */
class Fake {
  sink!: TransportSink
  lends_chunks = false
  room = Infinity
  readonly log: string[] = []

  write(data: Uint8Array): boolean {
    this.log.push(`write ${Buffer.from(data).toString()}`)
    return data.length <= this.room
  }

  pause(): void {
    this.log.push('pause')
  }

  resume(): void {
    this.log.push('resume')
  }

  end(): void {
    this.log.push('end')
  }

  destroy(): void {
    this.log.push('destroy')
  }
}

function make(): { fake: Fake; duplex: TransportDuplex; sink: TransportSink } {
  const fake = new Fake()
  const duplex = new TransportDuplex(fake as unknown as Transport)
  return { fake, duplex, sink: fake.sink }
}

t.test('reads, and pauses what is below when nobody takes it', async t => {
  const { fake, duplex, sink } = make()
  sink.opened()
  duplex.read(0)
  t.same(fake.log.splice(0), ['resume'])
  sink.received(Buffer.from('abc'))
  t.equal(String(duplex.read()), 'abc')
  fake.log.length = 0
  sink.received(Buffer.alloc(1_000_000))
  t.same(fake.log.splice(0), ['pause'])
  duplex.read()
  await turn()
  t.same(fake.log.slice(0, 1), ['resume'])
  sink.ended()
  duplex.resume()
  await once(duplex, 'end')
})

t.test('copies what is only lent', async t => {
  const { fake, duplex, sink } = make()
  fake.lends_chunks = true
  const chunk = Buffer.from('abc')
  sink.received(chunk)
  chunk.fill('x')
  t.equal(String(duplex.read()), 'abc')
})

t.test('writes the next piece when the last was taken', async t => {
  const { fake, duplex, sink } = make()
  fake.room = 2
  duplex.write('ab')
  duplex.write('cde')
  duplex.write('f')
  t.same(fake.log.splice(0), ['write ab', 'write cde'])
  sink.drained()
  sink.drained()
  await turn()
  t.same(fake.log.splice(0), ['write f'])
  duplex.end('g')
  await once(duplex, 'finish')
  t.same(fake.log, ['write g', 'end'])
})

// Node would lose the alert that answers what is handed to it now.
t.test('hands over nothing while Node finishes a write', async t => {
  const { fake, duplex, sink } = make()
  const read: string[] = []
  duplex.on('data', chunk => {
    read.push(String(chunk))
    if (read.length === 1) duplex.write('c')
  })
  duplex.on('end', () => read.push('end'))
  duplex.write('a')
  duplex.write('b')
  sink.received(Buffer.from('1'))
  sink.received(Buffer.from('2'))
  sink.ended()
  t.same(read, [])
  await until(() => read.length > 0)
  t.same([read.length, fake.log.includes('write c')], [1, true], 'the answer is a write, too')
  await until(() => read.length === 3)
  t.same(read, ['1', '2', 'end'])

  const broken = make()
  broken.duplex.write('a')
  broken.sink.received(Buffer.from('1'))
  broken.duplex.on('error', () => {})
  broken.duplex.on('data', chunk => read.push(String(chunk)))
  broken.sink.failed(new Error('gone'))
  await until(() => broken.duplex.closed)
  for (let turns = 0; turns < 4; turns++) await turn()
  t.equal(broken.duplex.errored?.message, 'gone')
})

t.test('goes with the transport, and the transport with it', async t => {
  const first = make()
  first.duplex.destroy()
  await once(first.duplex, 'close')
  t.same(first.fake.log, ['destroy'])

  const second = make()
  const failed = once(second.duplex, 'error')
  second.sink.failed(Object.assign(new Error('gone'), { code: 'ECONNRESET' }))
  t.match(await failed, [{ code: 'ECONNRESET' }])

  const third = make()
  third.sink.closed()
  await once(third.duplex, 'close')
  t.pass('closed')
})
