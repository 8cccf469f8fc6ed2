/**
 * Connections on handles. The conformance suite and the scenarios hold them to the seam. Here is
 * what is special to them: over real connections, and over handles that are told what to answer.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { rules } from '../../../src/io/fast/handles.ts'
import { FastNetwork } from '../../../src/io/fast/network.ts'
import { FastTransport } from '../../../src/io/fast/transport.ts'
import { tlsContext } from '../../../src/io/tls.ts'
import type { Endpoint } from '../../../src/transport.ts'
import { testCertificates } from '../../certificates.ts'
import { turn, until } from '../../kit.ts'
import { FakeHandle, FakeRequest, listen, LOOPBACK, pair, useRules, Watched } from './kit.ts'

const { EPIPE, ENOTCONN, EBADF, ECONNRESET } = constants.errno

/** An accepted connection on a handle that is told what to answer. */
function fake(
  t: Test,
  form: 'request' | 'none' = 'none',
): { handle: FakeHandle; near: Watched<FastTransport> } {
  useRules(t, form)
  const handle = new FakeHandle()
  const near = new Watched(FastTransport.accepted(handle.as(), ['127.0.0.1', 1]))
  return { handle, near }
}

/** What Node's reading code does with the owner of a handle. */
interface Owner {
  destroy(error: Error): void
  push(end: null): void
  on(): void
  read(): void
  readonly destroyed: boolean
  readonly _readableState: { endEmitted: boolean }
  [key: symbol]: (size: number) => boolean
}

const ownerOf = (handle: FakeHandle): Owner => handle[rules.owner] as Owner

// ---- text and bytes -----------------------------------------------------------------------------

t.test('text in every encoding, and bytes, both ways, over tcp and unix', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const isUnix of [false, true]) {
    for (const [writer, reader] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const path = join(folder, `${writer}`)
      const both = await pair(t, isUnix ? { kind: 'unix', path } : LOOPBACK)
      const [from, to] = [both[writer], both[reader]]
      const expected: Buffer[] = []
      to.transport.resume()
      for (const encoding of [
        'latin1',
        'utf8',
        'ascii',
        'utf16le',
        'hex',
        'base64',
        'base64url',
      ] as const) {
        const text = encoding === 'hex' ? '00ff' : 'grau'
        expected.push(Buffer.from(text, encoding))
        t.equal(from.transport.write(text, encoding), true)
      }
      expected.push(Buffer.from([1, 2]))
      t.equal(from.transport.write(new Uint8Array([0, 1, 2]).subarray(1), 'utf8'), true)
      const all = Buffer.concat(expected)
      await until(() => to.bytes.length >= all.length)
      t.same(to.bytes, all)
      t.same(
        [from.transport.bytes_written, from.transport.bytes_queued, to.transport.bytes_read],
        [all.length, 0, all.length],
      )
      for (const { transport } of both) {
        t.equal(transport.lends_chunks, true)
        transport.destroy()
      }
      await until(() => both.every(({ log }) => log.includes('closed')))
      t.equal(from.transport.bytes_written, all.length, 'and it stays')
    }
  }
})

t.test('the memory of a chunk is used again, by all connections', async t => {
  const [one, other] = [await pair(t), await pair(t)]
  const chunks: Buffer[] = []
  for (const [, far] of [one, other]) {
    far.transport.sink = { ...far.transport.sink!, received: chunk => chunks.push(chunk) }
    far.transport.resume()
  }
  one[0].transport.write('first', 'latin1')
  await until(() => chunks.length === 1)
  t.equal(String(chunks[0]), 'first')
  other[0].transport.write('other', 'latin1')
  await until(() => chunks.length === 2)
  t.same(chunks.map(String), ['other', 'other'])
})

t.test('what is corked is counted, goes as one write, and is overtaken by nothing', async t => {
  const [near, far] = await pair(t)
  const { transport } = near
  transport.write('a', 'latin1')
  transport.cork()
  transport.cork()
  transport.write('b', 'latin1')
  transport.write(Buffer.from('c'), 'utf8')
  transport.write('Z', 'base64')
  transport.write('ä', 'latin1')
  transport.write('ö', 'utf8')
  t.same([transport.bytes_queued, transport.bytes_written], [5, 1])
  transport.uncork()
  transport.uncork()
  transport.write('d', 'latin1')
  far.transport.resume()
  await until(() => far.bytes.length === 7)
  t.same(far.bytes, Buffer.concat([Buffer.from('abc'), Buffer.from('e4c3b664', 'hex')]))
  t.same([transport.bytes_queued, transport.bytes_written], [0, 7])
  await near.saw('drained')
})

t.test('a cork with nothing in it', async t => {
  const { handle, near } = fake(t)
  near.transport.cork()
  near.transport.uncork()
  t.same(handle.calls, [['setNoDelay', true]])
})

t.test('what is corked goes before the end', async t => {
  const [near, far] = await pair(t)
  near.transport.cork()
  near.transport.write('one ', 'latin1')
  near.transport.write(Buffer.from('two'), 'utf8')
  near.transport.end()
  t.equal(near.transport.write('late', 'latin1'), true, 'dropped')
  far.transport.resume()
  await far.saw('ended')
  t.equal(String(far.bytes), 'one two')
})

// ---- connecting ---------------------------------------------------------------------------------

t.test('what is written before it is connected is counted, and goes first', async t => {
  const { endpoint, accepted } = await listen(t)
  const near = new Watched(new FastNetwork().connect(endpoint, {}))
  t.teardown(() => near.transport.destroy())
  const { transport } = near
  t.equal(transport.write('one ', 'latin1'), false)
  transport.cork()
  t.equal(transport.write('twö ', 'utf8'), false)
  transport.uncork()
  t.same([transport.bytes_queued, transport.bytes_written], [9, 0])
  near.when('opened', () => void transport.write('three', 'latin1'))
  await until(() => accepted.length > 0)
  accepted[0]!.transport.resume()
  await until(() => accepted[0]!.bytes.length === 14)
  t.equal(String(accepted[0]!.bytes), 'one twö three')
  t.same([transport.bytes_queued, transport.bytes_written], [0, 14])
  t.same(near.log, ['opened', 'drained'])
})

t.test('end() before it is connected: what was written before it goes out', async t => {
  const { endpoint, accepted } = await listen(t)
  const near = new Watched(new FastNetwork().connect(endpoint, {}))
  near.transport.write('all of it', 'latin1')
  near.transport.end()
  near.transport.end()
  t.equal(near.transport.write('late', 'latin1'), true, 'dropped')
  await near.saw('opened')
  await until(() => accepted.length > 0)
  accepted[0]!.transport.resume()
  await accepted[0]!.saw('ended')
  t.equal(String(accepted[0]!.bytes), 'all of it')
  accepted[0]!.transport.end()
  near.transport.resume()
  await near.saw('closed')
  t.same(near.log, ['opened', 'drained', 'ended', 'closed'])
})

t.test('end() before it is connected, and destroy() in opened', async t => {
  const { endpoint } = await listen(t)
  const near = new Watched(new FastNetwork().connect(endpoint, {}))
  near.transport.end()
  near.when('opened', () => near.transport.destroy())
  await near.saw('closed')
  t.same(near.log, ['opened', 'closed'])
})

t.test('before there is a socket, nothing is lost either', async t => {
  const { endpoint } = await listen(t)
  const lookup = (): void => {}
  const near = new Watched(
    new FastNetwork().connect({ ...endpoint, host: 'name.invalid' } as Endpoint, { lookup }),
  )
  near.transport.write('waits', 'latin1')
  near.transport.resume()
  t.equal(near.transport.bytes_queued, 5)
  near.transport.destroy()
  t.same([near.transport.bytes_queued, near.transport.bytes_written], [0, 0])
  await near.saw('closed')
  t.same(near.log, ['closed'])
})

t.test('destroy() when the system has connected it, and nobody was told yet', async t => {
  const { endpoint } = await listen(t)
  const { transport, log } = new Watched(FastTransport.connect(endpoint, {}))
  transport.socket!.once('connect', () => transport.destroy())
  await until(() => log.includes('closed'))
  t.same(log, ['closed'])
})

t.test('nobody listens there', async t => {
  const near = new Watched(FastTransport.connect({ ...LOOPBACK, port: 1 } as Endpoint, {}))
  await near.saw('closed')
  t.same(near.log, ['failed connect ECONNREFUSED', 'closed'])
  near.transport.destroy()
})

t.test('options that are set while it connects hold afterwards', async t => {
  const { endpoint } = await listen(t)
  const near = new Watched(FastTransport.connect(endpoint, {}))
  t.teardown(() => near.transport.destroy())
  near.transport.set_keep_alive(5000)
  near.transport.set_no_delay(false)
  await near.saw('opened')
  near.transport.set_keep_alive(false)
  near.transport.set_no_delay(true)
  t.equal(near.transport.socket, undefined, 'the handle was taken')
})

t.test('the path of the unix socket that it connects to', async t => {
  const path = `\0sluice-test-${process.pid}`
  const [near, far] = await pair(t, { kind: 'unix', path })
  t.same([near.transport.local_address, near.transport.remote_address], ['', path])
  t.same([far.transport.local_address, far.transport.remote_address], [path, ''])
})

// A connection that is reset has no address of its peer any more: getpeername says ENOTCONN.
t.test('the address of a peer that reset the connection before anybody asked', async t => {
  const { endpoint, accepted } = await listen(t)
  const near = new Watched(FastTransport.connect(endpoint, {}))
  await until(() => accepted.length > 0 && near.log.length > 0)
  near.transport.resume()
  // Unread bytes: closing resets.
  near.transport.write('unread', 'latin1')
  accepted[0]!.transport.destroy()
  await near.saw('closed')
  t.same(near.log, ['opened', 'failed read ECONNRESET', 'closed'])
  t.same(near.transport.remote_address, ['127.0.0.1', endpoint.port])
  t.equal((near.transport.local_address as string[])[0], '127.0.0.1')
})

// ---- writing ------------------------------------------------------------------------------------

// Node counts what it has handed over as written, even if the system has not taken it.
t.test(
  'a queue that is full is counted to the byte, drains once, and is dropped by destroy',
  async t => {
    const [near, far] = await pair(t)
    const { transport } = near
    const size = 20_000_000
    const counts = (): number => transport.bytes_queued + transport.bytes_written
    t.equal(transport.write(Buffer.alloc(size), 'utf8'), false)
    t.ok(transport.bytes_queued > 0 && transport.bytes_written > 0)
    t.equal(transport.write('text', 'latin1'), false)
    transport.cork()
    transport.write('corked', 'latin1')
    t.equal(counts(), size + 10)
    transport.uncork()
    t.equal(counts(), size + 10)
    far.transport.resume()
    await near.saw('drained')
    await until(() => far.bytes.length === size + 10)
    t.same([transport.bytes_queued, transport.bytes_written], [0, size + 10])
    t.equal(String(far.bytes.subarray(-10)), 'textcorked')
    far.transport.pause()
    transport.write(Buffer.alloc(size), 'utf8')
    const sent = transport.bytes_written
    transport.destroy()
    t.same([transport.bytes_queued, transport.bytes_written], [0, sent])
    t.ok(sent < 2 * size)
    await near.saw('closed')
    t.same(near.log, ['opened', 'drained', 'closed'])
    t.same([transport.bytes_queued, transport.bytes_written], [0, sent])
  },
)

t.test('ends after what was written', async t => {
  const [near, far] = await pair(t)
  near.transport.write(Buffer.alloc(5_000_000), 'utf8')
  near.transport.end()
  far.transport.resume()
  await far.saw('ended')
  t.equal(far.bytes.length, 5_000_000)
})

t.test('a write that fails, in the call or later, breaks the pipe', async t => {
  const { endpoint, accepted } = await listen(t)
  const socket = connect(endpoint.port, '127.0.0.1').on('error', () => {})
  await until(() => accepted.length > 0)
  const [far] = accepted as [Watched]
  t.equal(far.transport.write(Buffer.alloc(20_000_000), 'utf8'), false)
  socket.resetAndDestroy()
  await far.saw('closed')
  t.same(far.log, ['failed write ECONNRESET', 'closed'])
  // The first write after the peer has gone finds out. The next one fails at once.
  const [near, gone] = await pair(t)
  gone.transport.destroy()
  await gone.saw('closed')
  while (!near.log.some(line => line.startsWith('failed'))) {
    near.transport.write('anybody?', 'latin1')
    await turn()
  }
  t.match(near.log[1], /^failed write (EPIPE|ECONNRESET)$/)
})

for (const form of ['request', 'none'] as const) {
  const name = form === 'request' ? 'writes with a request' : 'writes without a request'

  t.test(`${name}: waits, then drains once`, async t => {
    const { handle, near } = fake(t, form)
    const { transport, log } = near
    t.equal(transport.write('taken', 'latin1'), true)
    handle.next = 'waits'
    t.same([transport.write('12345', 'utf8'), transport.write('678', 'latin1')], [false, false])
    t.same([transport.bytes_queued, transport.bytes_written], [8, 5])
    const [first, second] = handle.requests as [FakeRequest, FakeRequest]
    t.not(first, second)
    handle.writeQueueSize = 3
    first.complete(0)
    t.same(log, [])
    handle.writeQueueSize = 0
    second.complete(0)
    t.same(log, ['drained'])
    second.complete(0)
    t.same(log, ['drained'])
    handle.next = 'taken'
    t.equal(transport.write('taken', 'latin1'), true)
  })

  // Seen by reading libuv: it tries to write once more when it queues a request. If the peer has
  // read meanwhile, the queue is empty, and the request reports that in a later turn all the same.
  // A request that was taken for unused would be used twice, and Node ends the process for that.
  t.test(`${name}: a request is under way although nothing is queued`, async t => {
    const { handle, near } = fake(t, form)
    handle.next = 'waits'
    t.equal(near.transport.write('12345', 'latin1'), false)
    handle.writeQueueSize = 0
    t.equal(near.transport.write('12345', 'latin1'), false)
    handle.writeQueueSize = 0
    t.not(handle.requests[0], handle.requests[1])
    handle.requests[0]!.complete(0)
    t.same(near.log, ['drained'])
  })

  t.test(`${name}: fails later`, async t => {
    const { handle, near } = fake(t, form)
    handle.next = 'waits'
    near.transport.write('12345', 'latin1')
    handle.requests[0]!.complete(-ECONNRESET)
    t.same(near.log, ['failed write ECONNRESET'])
    handle.requests[0]!.complete(-ECONNRESET)
    handle.closed!.call(handle)
    t.same(near.log, ['failed write ECONNRESET', 'closed'])
  })

  t.test(`${name}: fails at once`, async t => {
    const { handle, near } = fake(t, form)
    handle.next = { error: -EPIPE }
    t.equal(near.transport.write('12345', 'latin1'), false)
    t.same(near.log, [], 'not inside the call')
    await turn()
    t.same(near.log, ['failed write EPIPE'])
    t.equal(near.transport.write('more', 'latin1'), true, 'dropped')
  })

  t.test(`${name}: what was corked waits`, async t => {
    const { handle, near } = fake(t, form)
    handle.next = 'waits'
    near.transport.cork()
    near.transport.write('text', 'latin1')
    near.transport.write(Buffer.from('bytes'), 'utf8')
    near.transport.uncork()
    t.same(handle.calls.at(-1), ['write', ['text', 'latin1', 'bytes', 'buffer']])
    await turn()
    t.same(near.log, [])
    handle.writeQueueSize = 0
    handle.requests[0]!.complete(0)
    t.same(near.log, ['drained'])
  })
}

t.test('since Node 26: a request that is complete when it is answered', async t => {
  const { handle, near } = fake(t, 'none')
  handle.next = 'is complete'
  t.equal(near.transport.write('12345', 'latin1'), false)
  t.same(near.log, [])
  await turn()
  t.same(near.log, ['drained'])
})

// Node 26 answers a write that libuv refuses behind others with a request that is never completed.
t.test('since Node 26: a request that was refused', async t => {
  const { handle, near } = fake(t, 'none')
  handle.next = 'refused'
  t.equal(near.transport.write('12345', 'latin1'), false)
  await turn()
  t.same(near.log, ['failed write EPIPE'])
})

// ---- reading ------------------------------------------------------------------------------------

t.test('a handle that cannot read', async t => {
  const { handle, near } = fake(t)
  handle.status = -EBADF
  near.transport.resume()
  near.transport.resume()
  t.same(near.log, [], 'not inside the call')
  await turn()
  t.same(near.log, ['failed read EBADF'])
  t.same(handle.calls, [['setNoDelay', true], ['readStart'], ['close']])
})

t.test("what Node's reading code asks of the owner of a handle", async t => {
  FastTransport.prepare()
  const { handle, near } = fake(t)
  const owner = ownerOf(handle)
  owner.on()
  owner.read()
  t.same([owner.destroyed, owner._readableState.endEmitted], [false, false])
  near.transport.resume()
  t.equal(owner[rules.callback]!(3), true)
  t.equal(near.bytes.length, 3)
  near.transport.pause()
  t.equal(owner[rules.callback]!(3), false, 'what was on its way is reported')
  t.equal(near.bytes.length, 6)
  owner.push(null)
  owner.push(null)
  near.transport.resume()
  t.same(near.log, ['ended'], 'once')
  t.same(handle.calls.filter(([call]) => call === 'readStart').length, 1)
  owner.destroy(Object.assign(new Error('read'), { code: 'ECONNRESET', syscall: 'read' }))
  t.equal(owner.destroyed, true)
  owner.push(null)
  owner[rules.callback]!(3)
  owner.destroy(new Error('again'))
  t.same(near.log, ['ended', 'failed read ECONNRESET'])
  t.equal(near.bytes.length, 6)
})

t.test('pauses, and is reset meanwhile: that is reported when it reads again', async t => {
  const { endpoint, accepted } = await listen(t)
  const socket = connect(endpoint.port, '127.0.0.1').on('error', () => {})
  await until(() => accepted.length > 0)
  const [far] = accepted as [Watched]
  socket.resetAndDestroy()
  await once(socket, 'close')
  for (let turns = 0; turns < 5; turns++) await turn()
  t.same(far.log, [])
  far.transport.resume()
  await far.saw('closed')
  t.same(far.log, ['failed read ECONNRESET', 'closed'])
})

t.test('pauses before the end: the bytes, then the end, wait', async t => {
  const [near, far] = await pair(t)
  far.transport.resume()
  near.transport.write('first', 'latin1')
  await until(() => far.bytes.length === 5)
  far.transport.pause()
  near.transport.write('second', 'latin1')
  // One chunk may have been on its way.
  await until(() => far.bytes.length === 11)
  near.transport.write('third', 'latin1')
  near.transport.end()
  for (let turns = 0; turns < 5; turns++) await turn()
  t.same([String(far.bytes), far.log], ['firstsecond', []])
  far.transport.resume()
  await far.saw('ended')
  t.equal(String(far.bytes), 'firstsecondthird')
})

// ---- the end ------------------------------------------------------------------------------------

t.test('half-open, in both orders', async t => {
  for (const first of [0, 1] as const) {
    const both = await pair(t)
    const [one, other] = [both[first], both[1 - first]!]
    for (const { transport } of both) transport.resume()
    one.transport.end()
    await other.saw('ended')
    other.transport.write('still', 'latin1')
    await until(() => one.bytes.length === 5)
    other.transport.end()
    await until(() => both.every(({ log }) => log.includes('closed')))
    t.same(
      both.map(({ log }) => log.filter(line => line !== 'opened')),
      [
        ['ended', 'closed'],
        ['ended', 'closed'],
      ],
    )
  }
})

t.test('end() in ended closes at once, unless something has not gone', async t => {
  const { handle, near } = fake(t)
  near.when('ended', () => near.transport.end())
  ownerOf(handle).push(null)
  t.same(handle.calls, [['setNoDelay', true], ['close']], 'closing ends our side, too')
  handle.closed!.call(handle)
  t.same(near.log, ['ended', 'closed'])

  const { handle: full, near: writer } = fake(t)
  full.next = 'waits'
  writer.transport.write('waits', 'latin1')
  ownerOf(full).push(null)
  writer.transport.end()
  t.same(full.calls.at(-1), ['shutdown'])
  full.writeQueueSize = 0
  full.requests[0]!.complete(0)
  full.requests[1]!.complete(0)
  t.same(full.calls.at(-1), ['close'])
})

t.test('a write that failed before end() is still reported', async t => {
  const { handle, near } = fake(t)
  ownerOf(handle).push(null)
  handle.next = { error: -EPIPE }
  near.transport.write('nobody', 'latin1')
  near.transport.end()
  await turn()
  t.same(near.log, ['ended', 'failed write EPIPE'])
})

t.test('what the system answers to the end of our side', async t => {
  for (const [status, log] of [
    [1, ['ended']],
    [-ENOTCONN, ['ended']],
    [-EBADF, ['failed shutdown EBADF']],
  ] as const) {
    const { handle, near } = fake(t)
    handle.status = status
    near.transport.end()
    near.transport.end()
    t.equal(handle.requests.length, 1)
    t.same(handle.calls.at(-1), ['shutdown'], 'nothing inside the call')
    await turn()
    ownerOf(handle).push(null)
    t.same(near.log, log)
    t.same(handle.calls.at(-1), ['close'])
  }
})

t.test('destroy() inside every report', async t => {
  for (const report of ['received', 'ended', 'failed', 'drained'] as const) {
    FastTransport.prepare()
    const { handle, near } = fake(t)
    near.when(report, () => near.transport.destroy())
    near.transport.resume()
    handle.next = report === 'failed' ? { error: -EPIPE } : 'waits'
    near.transport.write('data', 'latin1')
    if (report === 'received') ownerOf(handle)[rules.callback]!(3)
    else if (report === 'ended') ownerOf(handle).push(null)
    else if (report === 'failed') await turn()
    handle.writeQueueSize = 0
    handle.requests[0]?.complete(0)
    near.transport.destroy()
    t.same(handle.calls.filter(([call]) => call === 'close').length, 1, report)
    handle.closed!.call(handle)
    near.transport.destroy()
    t.same(near.log.at(-1), 'closed')
    t.equal(near.log.length, report === 'received' ? 1 : 2)
    t.equal(handle[rules.owner], undefined, 'the handle lets go of it')
  }
})

t.test('every call after it is over does nothing', async t => {
  const { handle, near } = fake(t)
  const { transport } = near
  transport.destroy()
  const { length } = handle.calls
  for (const state of ['destroyed', 'closed']) {
    t.equal(transport.write('x', 'latin1'), true, state)
    transport.cork()
    transport.write('x', 'latin1')
    transport.uncork()
    transport.pause()
    transport.resume()
    transport.end()
    transport.destroy()
    t.equal(transport.bytes_queued, 0)
    if (state === 'destroyed') handle.closed!.call(handle)
  }
  transport.set_no_delay(true)
  transport.set_keep_alive(1000)
  t.equal(handle.calls.length, length)
  t.same(near.log, ['closed'])
  let late = 0
  transport.sink = { ...transport.sink!, closed: () => late++ }
  t.equal(late, 0)
  await turn()
  t.equal(late, 1, 'a sink that comes later is told')
  transport.sink = undefined
  await turn()
})

// ---- given away ---------------------------------------------------------------------------------

t.test('a socket over its handle reads and writes, and is counted', async t => {
  const [near, far] = await pair(t)
  far.transport.resume()
  near.transport.write('clear ', 'latin1')
  await until(() => far.bytes.length === 6)
  const { local_address, remote_address, fileno } = near.transport
  near.transport.sink = undefined
  const socket = (near.transport as FastTransport).toSocket()
  // From here on the transport does nothing.
  near.transport.write('lost', 'latin1')
  near.transport.end()
  near.transport.destroy()
  socket.write('given')
  await until(() => far.bytes.length === 11)
  t.equal(String(far.bytes), 'clear given')
  t.same(
    [near.transport.bytes_written, near.transport.bytes_queued, near.transport.fileno],
    [11, 0, fileno],
  )
  near.transport.set_keep_alive(1000)
  socket.destroy()
  await once(socket, 'close')
  t.same(near.transport.local_address, local_address)
  t.same(near.transport.remote_address, remote_address)
  t.same([near.transport.bytes_written, near.transport.fileno], [11, undefined])
})

// Timeouts look at what has gone: TLS itself says nothing before all of a write has.
t.test('under TLS, what has gone of a long write is still counted', async t => {
  const certificates = testCertificates()
  const { key, cert } = certificates.server
  const both = await pair(t)
  const far = new Watched(tlsContext('server', { key, cert }).secure(both[1].transport, ''))
  const ours = tlsContext('client', { ca: certificates.ca.cert })
  const near = new Watched(ours.secure(both[0].transport, 'localhost'))
  t.teardown(() => near.transport.destroy())
  await Promise.all([near.saw('opened'), far.saw('opened')])
  near.transport.write(Buffer.alloc(20_000_000), 'utf8')
  far.transport.sink = { ...far.transport.sink!, received() {} }
  far.transport.resume()
  const seen = new Set<number>()
  while (!near.log.includes('drained')) {
    seen.add(near.transport.bytes_gone as number)
    await turn()
  }
  t.ok(seen.size > 2, `${seen.size} steps`)
})

t.test('of a connection that is over, the socket is destroyed', async t => {
  const { handle, near } = fake(t)
  near.transport.destroy()
  const socket: Socket = near.transport.toSocket()
  t.equal(socket.destroyed, true)
  await once(socket, 'close')
  t.same(handle.calls.filter(([call]) => call === 'close').length, 1)
})

// ---- contexts -----------------------------------------------------------------------------------

t.test('reports of a client run in the context of its connect, as those of Node', async t => {
  const storage = new AsyncLocalStorage<string>()
  const { endpoint, accepted } = await listen(t)
  const near = storage.run('connect', () => new Watched(new FastNetwork().connect(endpoint, {})))
  t.teardown(() => near.transport.destroy())
  const seen: Record<string, unknown> = {}
  for (const report of ['opened', 'received', 'ended'] as const)
    near.when(report, () => void (seen[report] = storage.getStore()))
  await near.saw('opened')
  near.transport.resume()
  await until(() => accepted.length > 0)
  accepted[0]!.transport.write('x', 'latin1')
  accepted[0]!.transport.end()
  await near.saw('ended')
  t.same(seen, { opened: 'connect', received: 'connect', ended: 'connect' })
})
