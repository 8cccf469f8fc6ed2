/**
 * A connection on a socket of Bun's, one that does what it is told to: what only happens at moments
 * that real sockets choose. The conformance suite holds it to the seam, on Bun.
 */

import { once } from 'node:events'
import { type AddressInfo, createServer, Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { Given } from '../../../src/io/bun/given.ts'
import { BunTransport } from '../../../src/io/bun/transport.ts'
import type { Endpoint } from '../../../src/transport.ts'
import { turn } from '../../kit.ts'
import { Watched } from '../fast/kit.ts'
import { FakeSocket } from './kit.ts'

/** Whatever is to be reported is. */
async function settled(): Promise<void> {
  await turn()
  await turn()
}

/** A transport that was accepted. */
function accepted(at?: string): [FakeSocket, Watched<BunTransport>] {
  const handle = new FakeSocket()
  return [handle, new Watched(BunTransport.accepted(handle, at))]
}

/** A transport that has connected: a server of node:net is there, but then Bun's socket is. */
async function connecting(
  t: Test,
  isTaken = true,
  path?: string,
): Promise<[FakeSocket, Watched<BunTransport>]> {
  const server = createServer(socket => socket.destroy())
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path })
  await once(server, 'listening')
  t.teardown(() => server.close())
  const to: Endpoint =
    path === undefined
      ? { kind: 'ip', host: '127.0.0.1', port: (server.address() as AddressInfo).port }
      : { kind: 'unix', path }
  const near = new Watched(BunTransport.connect(to, {}))
  const handle = new FakeSocket()
  if (!isTaken) return [handle, near]
  const socket = near.transport.socket as Socket & { _handle: { close(): void } | FakeSocket }
  socket.once('connect', () => {
    const { _handle } = socket
    t.teardown(() => _handle.close())
    socket._handle = handle
  })
  return [handle, near]
}

t.test('a chunk that comes while it is paused waits, and so does the end', async t => {
  const [handle, near] = accepted()
  handle.received('early')
  handle.received('birds')
  handle.ended()
  t.same(handle.calls, ['pause'])
  t.same([String(near.bytes), near.log], ['', []])
  near.when('received', () => near.transport.pause())
  near.transport.resume()
  await settled()
  t.same([String(near.bytes), near.log], ['early', []])
  near.transport.resume()
  near.transport.resume()
  await settled()
  t.same([String(near.bytes), near.log], ['earlybirds', ['ended']], 'nothing is left to be read')
  t.equal(near.transport.bytes_read, 10)
  near.transport.resume()
  t.same(handle.calls, ['pause', 'resume'])
})

t.test('pauses once, and only when a chunk was received', async t => {
  const [handle, near] = accepted()
  near.transport.resume()
  near.when('received', () => {
    near.transport.pause()
    near.transport.resume()
  })
  handle.received('a')
  t.same(handle.calls, [])
  near.when('received', () => near.transport.pause())
  handle.received('b')
  near.transport.pause()
  near.transport.resume()
  near.transport.pause()
  t.same(handle.calls, ['pause', 'resume', 'pause'])
  near.transport.rest()
  t.equal(handle.calls.length, 3)
})

t.test('a long write goes as the system takes it', async t => {
  const [handle, near] = accepted()
  t.equal(near.transport.write('', 'latin1'), true)
  t.equal(near.transport.write(Uint8Array.of(33), 'latin1'), true)
  t.equal(near.transport.write('!', 'latin1'), true)
  t.equal(handle.sent, '!!')
  handle.sent = ''
  near.transport.bytes_written = 0
  handle.room = 3
  t.equal(near.transport.write('abcdef', 'latin1'), false)
  t.equal(near.transport.write('é', 'utf8'), false)
  t.same([near.transport.bytes_written, near.transport.bytes_queued], [3, 5])
  handle.drained(2)
  t.same([handle.sent, near.log], ['abcde', []])
  near.transport.end()
  t.same(handle.calls, [])
  handle.drained(Infinity)
  t.same([handle.sent, near.log], ['abcdefÃ©', ['drained']])
  t.same(handle.calls, ['shutdown'])
  t.same([near.transport.bytes_written, near.transport.bytes_queued], [8, 0])
  handle.drained(1)
  t.equal(near.transport.write('more', 'latin1'), true, 'after the end')
  t.same([handle.sent, near.log.length], ['abcdefÃ©', 1])
})

t.test('collects while corked', async t => {
  const [handle, near] = accepted()
  near.transport.cork()
  t.equal(near.transport.write('a', 'latin1'), false)
  handle.drained(1)
  near.transport.write(Uint8Array.of(98), 'latin1')
  t.equal(handle.sent, '')
  near.transport.uncork()
  t.same([handle.sent, near.log], ['a', []])
  handle.drained(9)
  near.transport.cork()
  near.transport.write('c', 'latin1')
  near.transport.uncork()
  t.same(near.log, ['drained'], 'not inside the call')
  await settled()
  near.transport.uncork()
  t.same([handle.sent, near.log], ['abc', ['drained', 'drained']])
  near.transport.cork()
  near.transport.write('d', 'latin1')
  near.transport.uncork()
  near.transport.destroy()
  await settled()
  t.same(near.log, ['drained', 'drained', 'closed'])
})

t.test('a write that says that nothing goes any more is a broken pipe', async t => {
  for (const isQueued of [false, true]) {
    const [handle, near] = accepted()
    if (isQueued) {
      handle.room = 0
      near.transport.write('a', 'latin1')
    }
    handle.write = () => -1
    if (isQueued) handle.drained(1)
    else t.equal(near.transport.write('a', 'latin1') || near.transport.write('b', 'latin1'), false)
    t.same(near.log, [])
    await settled()
    t.same(near.log, ['failed write EPIPE', 'closed'], 'once')
    t.same(handle.calls, ['close'])
  }
})

t.test('both ends', async t => {
  const [handle, near] = accepted()
  near.transport.end()
  near.transport.end()
  handle.closed()
  t.equal(near.transport.write('a', 'latin1'), true)
  await settled()
  t.same(near.log, ['ended', 'closed'], 'Bun tells a close only')
  const [other, far] = accepted()
  other.ended()
  far.transport.end()
  t.same([far.log, other.calls], [['ended'], ['close']], 'closing tells the peer as well')
  await settled()
  t.same(far.log, ['ended', 'closed'])
})

t.test('a break waits until everything before was received', async t => {
  const [handle, near] = accepted()
  handle.received('answer')
  handle.closed('ECONNRESET')
  await settled()
  t.same(near.log, [])
  near.transport.resume()
  await settled()
  t.same([String(near.bytes), near.log], ['answer', ['failed read ECONNRESET', 'closed']])
})

t.test('a break is told at once to a writer that waits', async t => {
  const [handle, near] = accepted()
  handle.received('lost')
  handle.room = 0
  near.transport.write('a', 'latin1')
  handle.closed('EPIPE')
  await settled()
  t.same([String(near.bytes), near.log], ['', ['failed write EPIPE', 'closed']])
})

// On a unix socket a peer that closed was told as ECONNRESET.
t.test('a close without a word is the end of the peer', async t => {
  const [handle, near] = accepted()
  handle.closed()
  await settled()
  t.same(near.log, ['ended'])
  near.transport.end()
  t.same(near.log, ['ended'])
  await settled()
  t.same(near.log, ['ended', 'closed'])
  for (const isBlocked of [false, true]) {
    const [other, far] = accepted()
    other.room = 0
    if (isBlocked) far.transport.write('a', 'latin1')
    other.closed()
    await settled()
    if (!isBlocked) far.transport.write('a', 'latin1')
    await settled()
    t.same(far.log.slice(-2), ['failed write EPIPE', 'closed'])
  }
})

t.test('destroyed, it reports only that it has closed', async t => {
  const [handle, near] = accepted()
  near.transport.destroy()
  near.transport.destroy()
  handle.received('a')
  handle.drained(1)
  handle.ended()
  t.same(near.log, [])
  near.transport.pause()
  near.transport.resume()
  near.transport.end()
  near.transport.uncork()
  near.transport.rest()
  await settled()
  t.same([near.log, handle.calls, String(near.bytes)], [['closed'], ['close'], ''])
  await new Promise<void>(resolve => {
    near.transport.sink = { ...near.transport.sink!, closed: resolve }
  })
})

t.test('destroyed inside a report', async t => {
  for (const report of ['received', 'ended', 'failed'] as const) {
    const [handle, near] = accepted()
    near.transport.resume()
    near.when(report, () => near.transport.destroy())
    handle.received('a')
    handle.ended()
    handle.closed('ECONNRESET')
    await settled()
    t.equal(near.log.at(-1), 'closed', report)
    t.equal(near.log.filter(line => line === 'closed').length, 1, report)
  }
})

t.test('is silent without a sink', async t => {
  const handle = new FakeSocket()
  const transport = BunTransport.accepted(handle, '/path')
  t.same([transport.local_address, transport.remote_address], ['/path', ''])
  transport.resume()
  handle.received('a')
  handle.room = 0
  transport.write('a', 'latin1')
  handle.drained(1)
  handle.ended()
  handle.closed('ECONNRESET')
  await settled()
  t.equal(transport.sink, undefined)
})

t.test('connects by node:net, and takes the socket', async t => {
  const [handle, near] = await connecting(t)
  near.transport.set_no_delay(true)
  t.equal(near.transport.write('early', 'latin1'), false)
  near.transport.end()
  await near.saw('opened')
  t.same(handle.calls, ['reload', 'shutdown'])
  t.same([handle.sent, near.transport.socket], ['early', undefined])
  t.same(near.transport.remote_address, ['127.0.0.2', 2])
  near.transport.resume()
  t.equal(handle.calls.at(-1), 'resume', 'node:net had paused it')
})

t.test('connects by a path', async t => {
  const path = `\0sluice-${process.pid}-${Math.random()}`
  const [, near] = await connecting(t, true, path)
  await near.saw('opened')
  t.same([near.transport.local_address, near.transport.remote_address], ['', path])
})

t.test('nobody listens there', async t => {
  const path = `\0sluice-${process.pid}-${Math.random()}`
  const near = new Watched(BunTransport.connect({ kind: 'unix', path }, {}))
  await near.saw('closed')
  t.match(near.log, [/failed.*ECONNREFUSED/, 'closed'])
})

t.test('destroyed while it connects', async t => {
  const [handle, near] = await connecting(t)
  near.transport.destroy()
  await near.saw('closed')
  t.same([near.log, handle.calls], [['closed'], []])
  const [late, far] = await connecting(t, false)
  const socket = far.transport.socket as Socket
  socket.once('connect', () => far.transport.destroy())
  await far.saw('closed')
  t.same([far.log, late.calls.includes('reload')], [['closed'], false])
})

t.test('is given to node:net', async t => {
  const [handle, near] = accepted()
  handle.received('one')
  handle.received('two')
  const socket = near.transport.toSocket()
  t.ok(handle.data instanceof Given)
  // Since Node 26 `read()` returns one piece at a time.
  t.equal(String(socket.read(6)), 'onetwo')
  t.same(handle.calls, ['pause', 'resume'])
  near.transport.destroy()
  near.transport.pause()
  t.equal(near.transport.fileno, 7)
  t.same(near.log, [])
  t.ok(near.transport.toSocket().destroyed, 'only once')
  const [other, far] = accepted()
  t.equal(far.transport.toSocket().destroyed, false)
  t.same(other.calls, [])
})
