/**
 * Transports on sockets. The conformance suite holds them to the seam. Here is what is special to
 * those of Node.
 */

import { Buffer } from 'node:buffer'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { connectTcp, TcpTransport } from '../../src/io/tcp.ts'
import type { ConnectOptions, Endpoint, SystemError, Transport } from '../../src/transport.ts'
import { until } from '../kit.ts'

/** Records what is reported. */
function watch(
  transport: Transport,
  log: string[] = [],
): {
  log: string[]
  text: () => string
  reported(what: string): Promise<void>
  error(): SystemError | undefined
} {
  const chunks: Buffer[] = []
  let error: SystemError | undefined
  const waiting: (() => void)[] = []
  const note = (what: string): void => {
    log.push(what)
    for (const wake of waiting.splice(0)) wake()
  }
  transport.sink = {
    opened: () => note('opened'),
    received(chunk) {
      chunks.push(transport.lends_chunks === true ? Buffer.from(chunk) : chunk)
      note('received')
    },
    drained: () => note('drained'),
    ended: () => note('ended'),
    failed(reason) {
      error = reason
      note(`failed ${reason.code}`)
    },
    closed: () => note('closed'),
  }
  const reported = async (what: string): Promise<void> => {
    while (!log.some(line => line.startsWith(what)))
      await new Promise<void>(resolve => waiting.push(resolve))
  }
  return { log, reported, text: () => Buffer.concat(chunks).toString(), error: () => error }
}

/** A server that makes transports of what it accepts. It is closed at the end of the test. */
async function serve(t: Test, at: { host: string } | { path: string } = { host: '127.0.0.1' }) {
  const accepted: TcpTransport[] = []
  const waiting: (() => void)[] = []
  const server: Server = createServer({ allowHalfOpen: true }, socket => {
    accepted.push(new TcpTransport(socket, undefined, 'path' in at ? at.path : undefined))
    for (const wake of waiting.splice(0)) wake()
  })
  await new Promise<void>(resolve => server.listen('path' in at ? at : { port: 0, ...at }, resolve))
  t.teardown(() => {
    for (const transport of accepted) transport.destroy()
    server.close()
  })
  const address = server.address()
  const endpoint: Endpoint =
    'path' in at
      ? { kind: 'unix', path: at.path }
      : { kind: 'ip', host: at.host, port: (address as { port: number }).port }
  const next = async (): Promise<TcpTransport> => {
    const have = accepted.length
    await new Promise<void>(resolve => waiting.push(resolve))
    return accepted[have]!
  }
  return { endpoint, next, server }
}

/** Both ends. */
async function pair(
  t: Test,
  at?: { host: string } | { path: string },
  options: ConnectOptions = {},
) {
  const { endpoint, next } = await serve(t, at)
  const far = next()
  const transport = connectTcp(endpoint, options)
  const near = { transport, ...watch(transport) }
  await near.reported('opened')
  const other = await far
  return { near, far: { transport: other, ...watch(other) } }
}

// Nobody had asked while it was open, and Node knows it no more then.
t.test('REGRESSION: both addresses are still known when it has closed', async t => {
  const { near, far } = await pair(t)
  far.transport.end()
  near.transport.resume()
  await near.reported('ended')
  near.transport.destroy()
  await near.reported('closed')
  far.transport.destroy()
  await far.reported('closed')
  t.equal((near.transport.local_address as unknown[])[0], '127.0.0.1')
  t.same(near.transport.local_address, far.transport.remote_address)
  t.same(near.transport.remote_address, far.transport.local_address)
})

t.test('tells what it is', async t => {
  const { endpoint, next } = await serve(t)
  const far = next()
  const transport = connectTcp(endpoint, {})
  t.same(
    [
      transport.local_address,
      transport.remote_address,
      transport.bytes_read,
      transport.bytes_written,
      transport.bytes_queued,
    ],
    [undefined, undefined, 0, 0, 0],
  )
  t.equal(transport.sink, undefined)
  t.equal(transport.lends_chunks, false)
  const { log, reported } = watch(transport)
  await reported('opened')
  const accepted = await far
  t.same(transport.remote_address, accepted.local_address)
  t.same(transport.local_address, accepted.remote_address)
  t.equal((transport.local_address as unknown[])[0], '127.0.0.1')
  t.ok((transport.fileno as number) > 0)
  t.ok(transport.toSocket() instanceof Socket)
  transport.destroy()
  await reported('closed')
  t.same(log, ['opened', 'closed'])
  t.same(
    [transport.fileno, transport.remote_address, transport.bytes_written],
    [undefined, accepted.local_address, 0],
  )
})

t.test('unix sockets have no names but their path', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 's')
  const { near, far } = await pair(t, { path })
  t.same([near.transport.local_address, near.transport.remote_address], ['', path])
  t.same([far.transport.local_address, far.transport.remote_address], [path, ''])
  near.transport.destroy()
  far.transport.resume()
  await far.reported('ended')
})

t.test('connects from where it is told, and asks whom it is told', async t => {
  const asked: string[] = []
  // Node asks for one address if a local one is given, otherwise for all.
  const lookup = (
    host: string,
    { all }: { all?: boolean },
    callback: (error: null, ...found: unknown[]) => void,
  ): void => {
    asked.push(host)
    if (all) callback(null, [{ address: '127.0.0.1', family: 4 }])
    else callback(null, '127.0.0.1', 4)
  }
  const { endpoint, next } = await serve(t)
  const { port } = endpoint as { port: number }
  const far = next()
  const transport = connectTcp(
    { kind: 'ip', host: 'name.invalid', port },
    { lookup, local: { host: '127.0.0.4' } },
  )
  await watch(transport).reported('opened')
  t.same(asked, ['name.invalid'])
  t.equal(((await far).remote_address as unknown[])[0], '127.0.0.4')
  transport.destroy()
  // A port of ours that was free a moment ago.
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => probe.once('listening', resolve))
  const free = (probe.address() as { port: number }).port
  await new Promise(resolve => probe.close(resolve))
  const second = next()
  const from = connectTcp({ kind: 'ip', host: '', port }, { lookup, local: { port: free } })
  const { reported, log } = watch(from)
  await reported('')
  if (log[0] === 'opened') t.equal(((await second).remote_address as unknown[])[1], free)
  t.equal(asked.at(-1), 'localhost', 'no host is this machine')
  from.destroy()
})

t.test('fails to connect', async t => {
  const { endpoint, server } = await serve(t)
  server.close()
  const { log, reported, error } = watch(connectTcp(endpoint, {}))
  await reported('closed')
  t.same(log, ['failed ECONNREFUSED', 'closed'])
  t.equal(error()!.syscall, 'connect')
})

// Node throws in connect() for an invalid address to connect from, and throws what a resolver
// throws.
t.test('what Node throws when it connects is reported', async t => {
  const { endpoint } = await serve(t)
  const { log, reported } = watch(connectTcp(endpoint, { local: { host: 'no address' } }))
  t.same(log, [], 'not in the call')
  await reported('closed')
  t.same(log, ['failed ERR_INVALID_IP_ADDRESS', 'closed'])
})

t.test('several addresses that fail are one error', async t => {
  const { endpoint, server } = await serve(t)
  server.close()
  const lookup = (
    _host: string,
    _options: object,
    callback: (error: null, addresses: object[]) => void,
  ): void =>
    callback(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ])
  const { log, reported, error } = watch(
    connectTcp({ ...endpoint, host: 'two.invalid' } as Endpoint, { lookup }),
  )
  await reported('closed')
  t.same(log, ['failed ECONNREFUSED', 'closed'])
  t.match(error(), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
    message: /^connect ECONNREFUSED 127\.0\.0\.1:\d+; connect ECONNREFUSED 127\.0\.0\.2:\d+$/,
    cause: AggregateError,
  })
  // Node has never made one without errors. If it does, that must not throw.
  const socket = new Socket()
  const transport = new TcpTransport(socket)
  const odd = watch(transport)
  socket.destroy(new AggregateError([], 'nothing tried'))
  await odd.reported('closed')
  t.same([odd.log, transport.remote_address], [['failed undefined', 'closed'], undefined])
})

t.test('reads and writes', async t => {
  const { near, far } = await pair(t)
  far.transport.resume()
  t.equal(near.transport.write('', 'utf8'), true)
  t.equal(near.transport.write('héllo ', 'utf8'), true)
  near.transport.cork()
  near.transport.write(Buffer.from('a'), 'utf8')
  t.equal(near.transport.bytes_queued, 1)
  near.transport.write('b', 'latin1')
  near.transport.uncork()
  while (far.text() !== 'héllo ab') await far.reported('received')
  t.same(
    [near.transport.bytes_written, near.transport.bytes_queued, far.transport.bytes_read],
    [9, 0, 9],
  )
  near.transport.end()
  await far.reported('ended')
  t.equal(near.transport.write('late', 'utf8'), true, 'dropped')
  far.transport.end()
  near.transport.resume()
  await Promise.all([near.reported('closed'), far.reported('closed')])
  t.same(near.log, ['opened', 'drained', 'ended', 'closed'])
})

// Node allocates 64 KiB for each read, and a large value was collected out of a lot of them: they
// took up to half its size again until the garbage collector came.
t.test('REGRESSION: chunks that may be lent are read into the same memory', async t => {
  const { near, far } = await pair(t, undefined, { lend: true })
  t.equal(near.transport.lends_chunks, true)
  const memory = new Set<unknown>()
  let text = ''
  const { sink } = near.transport
  near.transport.sink = {
    ...sink!,
    received(chunk) {
      memory.add(chunk.buffer)
      text += chunk
      sink!.received(chunk)
    },
  }
  near.transport.resume()
  for (const part of ['one ', 'two ', 'three']) {
    const wanted = text + part
    far.transport.write(part, 'utf8')
    await until(() => text === wanted)
  }
  t.equal(memory.size, 1)
  t.equal(near.transport.bytes_read, 13)
  far.transport.end()
  await near.reported('ended')
  near.transport.end()
  await near.reported('closed')
  const { endpoint } = await serve(t)
  for (const versions of [{ bun: '1.4.0' }, { deno: '2.9.0' }]) {
    const elsewhere = connectTcp(endpoint, { lend: true }, versions)
    t.equal(elsewhere.lends_chunks, false)
    elsewhere.destroy()
  }
})

/**
 * A connection that has more to send than the system takes. A second, larger write came after the
 * first, and a third while the second was going out.
 */
async function stalled(t: Test) {
  const { near, far } = await pair(t)
  const write = (size: number): boolean => near.transport.write(Buffer.alloc(size), 'utf8')
  t.same([write(10_000_000), write(40_000_000)], [false, false])
  far.transport.resume()
  await until(() => far.transport.bytes_read > 11_000_000)
  far.transport.pause()
  t.same([write(20_000_000), near.log], [false, ['opened']])
  return { near, far, write }
}

t.test('drained comes once, when all has gone, however much was written meanwhile', async t => {
  const { near, far, write } = await stalled(t)
  far.transport.resume()
  await near.reported('drained')
  t.same([near.transport.bytes_queued, near.transport.bytes_written], [0, 70_000_000])
  t.equal(write(1), true)
  await until(() => far.transport.bytes_read === 70_000_001)
  t.same(near.log, ['opened', 'drained'])
  near.transport.destroy()
})

t.test(
  'what was written before the end goes out, and is no failure, however much it is',
  async t => {
    const { near, far } = await stalled(t)
    near.transport.cork()
    near.transport.end()
    near.transport.uncork()
    far.transport.resume()
    await far.reported('ended')
    t.equal(far.transport.bytes_read, 70_000_000)
    t.same(
      near.log.filter(line => line !== 'drained'),
      ['opened'],
    )
    near.transport.destroy()
  },
)

// Node counts a write when all of it has gone. So a slow reader of one long write would have looked
// like a peer that takes nothing.
t.test('what has gone of a write is told while it goes', async t => {
  const { near, far } = await pair(t)
  const size = 40_000_000
  near.transport.write(Buffer.alloc(size), 'utf8')
  const seen = new Set<number>()
  far.transport.resume()
  while (far.transport.bytes_read < size) {
    seen.add(near.transport.bytes_written)
    await new Promise(resolve => setImmediate(resolve))
  }
  t.ok(
    [...seen].every((value, at, all) => value <= size && (at === 0 || value > all[at - 1]!)),
    'it only grows',
  )
  t.ok(seen.size > 3, `seen at ${seen.size} stages`)
  near.transport.destroy()
})

// Node counts as written what it drops when a socket is destroyed. Of 40 MB that were never sent,
// `bytes_written` was 40 MB afterwards.
// Bun and Deno do not tell how much of a write has gone; see pieces.ts.
t.test('a long write is cut where its progress is not told', async t => {
  const { near, far } = await pair(t)
  const socket = near.transport.toSocket() as unknown as { _handle: object }
  Object.defineProperty(socket._handle, 'writeQueueSize', { value: undefined })
  near.transport.write(Buffer.alloc(8 << 20), 'utf8')
  const { bytes_written } = near.transport
  far.transport.resume()
  await until(() => near.transport.bytes_written > bytes_written)
  await near.reported('drained')
  t.equal(near.transport.bytes_written, 8 << 20)
})

t.test('what was dropped was not written', async t => {
  const { near } = await pair(t)
  near.transport.write(Buffer.alloc(40_000_000), 'utf8')
  const { bytes_written } = near.transport
  near.transport.destroy()
  await near.reported('closed')
  t.same([near.transport.bytes_written, near.transport.bytes_queued], [bytes_written, 0])
  t.ok(bytes_written < 40_000_000)
})

t.test('a queue that is full drains once', async t => {
  const { near, far } = await pair(t)
  const size = 40_000_000
  t.equal(near.transport.write(Buffer.alloc(size), 'utf8'), false)
  t.equal(near.transport.write('more', 'utf8'), false)
  t.ok(near.transport.bytes_queued > 0 && near.transport.bytes_written < size)
  far.transport.resume()
  await near.reported('drained')
  t.equal(near.transport.bytes_queued, 0)
  await until(() => far.transport.bytes_read >= size + 4)
  t.same(near.log, ['opened', 'drained'])
  // A write that is taken whole reports nothing.
  near.transport.write('x', 'utf8')
  await until(() => far.transport.bytes_read >= size + 5)
  t.same(near.log, ['opened', 'drained'])
  near.transport.write(Buffer.alloc(size), 'utf8')
  far.transport.pause()
  near.transport.destroy()
  await near.reported('closed')
  t.same(near.log, ['opened', 'drained', 'closed'], 'nothing but closed after destroy')
})

// A listener for 'data' on a socket that is not paused yet makes it read. So a paused connection
// took up to 64 KiB out of the kernel, and a peer's reset was seen as its end.
t.test('nothing is read before the first resume', async t => {
  const { near, far } = await pair(t)
  await new Promise<void>(resolve => {
    far.transport.write('waits', 'utf8')
    setImmediate(resolve)
  })
  for (let n = 0; n < 20; n++) await new Promise(resolve => setImmediate(resolve))
  t.equal(near.transport.bytes_read, 0)
  near.transport.destroy()
  far.transport.resume()
  await far.reported('closed')
  t.same(far.log, ['failed ECONNRESET', 'closed'])
})

// Node itself reads 64 KiB ahead for a paused socket, and drops them when the connection breaks.
t.test('what came before a break is received, even after a pause', async t => {
  for (const [destroys, lend] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const sockets: Socket[] = []
    const server = createServer(socket => void sockets.push(socket)).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const transport = connectTcp(
      { kind: 'ip', host: '127.0.0.1', port: (server.address() as { port: number }).port },
      { lend },
    )
    const { log, reported, text } = watch(transport)
    await reported('opened')
    transport.resume()
    await until(() => sockets.length > 0)
    sockets[0]!.write('seen, ')
    await reported('received')
    const { sink } = transport
    transport.sink = {
      ...sink!,
      received(chunk) {
        sink!.received(chunk)
        if (destroys) transport.destroy()
      },
    }
    transport.pause()
    sockets[0]!.write('on its way')
    while (transport.bytes_read < 16) await new Promise(resolve => setImmediate(resolve))
    t.equal(text(), 'seen, on its way')
    sockets[0]!.write('in the kernel')
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    t.equal(transport.bytes_read, 16, 'reading has stopped')
    transport.resume()
    sockets[0]!.end()
    if (!destroys) await reported('ended')
    transport.destroy()
    await reported('closed')
    t.equal(text(), destroys ? 'seen, on its way' : 'seen, on its wayin the kernel')
    t.same(log, [
      'opened',
      'received',
      'received',
      ...(destroys ? [] : ['received', 'ended']),
      'closed',
    ])
    server.close()
  }
})

t.test('a write that fails breaks the pipe', async t => {
  const { near, far } = await pair(t)
  far.transport.destroy()
  await far.reported('closed')
  while (!near.log.includes('closed')) {
    near.transport.write('anybody?', 'latin1')
    await new Promise(resolve => setImmediate(resolve))
  }
  t.match(near.log.join(), /^opened,failed (EPIPE|ECONNRESET),closed$/)
})

t.test('options of the socket', async t => {
  const calls: unknown[] = []
  const socket = new Socket()
  socket.setNoDelay = on => (calls.push(['no_delay', on]), socket)
  socket.setKeepAlive = (on, after) => (calls.push(['keep_alive', on, after]), socket)
  const transport = new TcpTransport(socket)
  transport.set_no_delay(true)
  for (const after of [false, 5000, 1, Infinity] as const) transport.set_keep_alive(after)
  t.same(calls, [
    ['no_delay', true],
    ['keep_alive', false, 0],
    ['keep_alive', true, 5000],
    // Node rounds down to seconds, and takes 0 to mean the system's own two hours. Above 32 767 s
    // Linux refuses, and Node reports no error.
    ['keep_alive', true, 1000],
    ['keep_alive', true, 32_767_000],
  ])
  transport.destroy()
})

t.test('without a sink it is silent', async t => {
  const { endpoint, next } = await serve(t)
  const far = next()
  const transport = connectTcp(endpoint, {})
  const other = await far
  transport.resume()
  other.write('unheard', 'utf8')
  other.write(Buffer.alloc(10_000_000), 'utf8')
  while (transport.bytes_read < 10_000_007) await new Promise(resolve => setImmediate(resolve))
  while (other.bytes_queued > 0) await new Promise(resolve => setImmediate(resolve))
  other.end()
  transport.end()
  await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  const refused = connectTcp({ kind: 'unix', path: '/none/at/all' }, {})
  t.equal(refused.bytes_written, 0)
  await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  t.equal(transport.sink, undefined)
})

// A transport that closed before a channel took it over had no sink to report to, and the channel
// waited for ever.
t.test('a sink that comes too late is told that it has closed', async t => {
  const { far } = await pair(t)
  far.transport.destroy()
  await far.reported('closed')
  const late = watch(far.transport)
  t.same(late.log, [], 'not in the call')
  await late.reported('closed')
  t.same(late.log, ['closed'])
  far.transport.sink = undefined
  await new Promise(resolve => setImmediate(resolve))
  far.transport.destroy()
  t.same(late.log, ['closed'])
})

t.test('what Node reports when it should be over is not passed on', async t => {
  const socket = new Socket()
  const nowhere: Endpoint = { kind: 'ip', host: '127.0.0.1', port: 1 }
  const transport = new TcpTransport(socket, nowhere)
  const { log, reported } = watch(transport)
  transport.connect(nowhere, {})
  transport.destroy()
  for (const [event, value] of [
    ['connect', undefined],
    ['data', Buffer.from('x')],
    ['error', new Error('late')],
  ] as const)
    socket.emit(event, value)
  socket.push(null)
  await reported('closed')
  t.same(log, ['closed'])
  const connecting = connectTcp(nowhere, {})
  const other = watch(connecting)
  connecting.destroy()
  connecting.destroy()
  await other.reported('closed')
  t.same(other.log, ['closed'])
})

// Bun 1.4 told the end of a connection that had been reset before it told the error.
t.test('REGRESSION: an end after the socket was destroyed is no end', async t => {
  const { near } = await pair(t)
  near.transport.toSocket().destroy()
  near.transport.toSocket().push(null)
  await near.reported('closed')
  t.same(near.log, ['opened', 'closed'])
})
