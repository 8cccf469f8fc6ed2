/**
 * The fast network. The conformance suite and the scenarios hold it to the seam. Here is what is
 * special to its sockets.
 */

import { Buffer } from 'node:buffer'
import { connect, Server, Socket } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { FastNetwork } from '../../src/io/fast.ts'
import type { Endpoint, PacketSocket, SystemError, Transport } from '../../src/transport.ts'
import { until } from '../kit.ts'

const LOOPBACK: Endpoint = { kind: 'ip', host: '127.0.0.1', port: 0 }

/** A transport whose reports are recorded, and what it received. */
class Watched {
  readonly transport: Transport
  readonly log: string[] = []
  bytes = Buffer.alloc(0)

  constructor(transport: Transport) {
    this.transport = transport
    transport.sink = {
      opened: () => this.log.push('opened'),
      received: chunk => void (this.bytes = Buffer.concat([this.bytes, chunk])),
      drained: () => this.log.push('drained'),
      ended: () => this.log.push('ended'),
      failed: error => this.log.push(`failed ${error.syscall} ${error.code}`),
      closed: () => this.log.push('closed'),
    }
  }
}

/** A listener that listens, and what it accepts; closed at the end. */
async function listen(
  t: Test,
  at = LOOPBACK,
): Promise<{ endpoint: Endpoint; accepted: Watched[]; failed: SystemError[] }> {
  const listener = new FastNetwork().listen(at, { backlog: 5 })
  const [accepted, failed]: [Watched[], SystemError[]] = [[], []]
  await new Promise<void>(resolve => {
    listener.sink = {
      listening: resolve,
      accepted: transport => accepted.push(new Watched(transport)),
      failed: error => failed.push(error),
      closed() {},
    }
  })
  t.teardown(() => {
    for (const { transport } of accepted) transport.destroy()
    listener.close()
  })
  const endpoint: Endpoint =
    at.kind === 'unix' ? at : { ...at, port: (listener.local_address as [string, number])[1] }
  return { endpoint, accepted, failed }
}

async function pair(t: Test, at?: Endpoint): Promise<[near: Watched, far: Watched]> {
  const { endpoint, accepted } = await listen(t, at)
  const near = new Watched(new FastNetwork().connect(endpoint, {}))
  t.teardown(() => near.transport.destroy())
  await until(() => near.log.length > 0 && accepted.length > 0)
  return [near, accepted[0]!]
}

t.test('text in every encoding, and bytes, both ways, over tcp and unix', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const at of [undefined, 'a path']) {
    for (const [writer, reader] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const both = await pair(
        t,
        at === undefined ? LOOPBACK : { kind: 'unix', path: join(folder, `${writer}`) },
      )
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

t.test('the memory of a chunk is used again, by all sockets', async t => {
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

t.test('what is written before it is connected is counted, and goes first', async t => {
  const { endpoint, accepted } = await listen(t)
  const near = new Watched(new FastNetwork().connect(endpoint, {}))
  t.teardown(() => near.transport.destroy())
  const { transport } = near
  t.equal(transport.write('one ', 'latin1'), false)
  t.equal(transport.write('twö ', 'utf8'), false)
  t.same([transport.bytes_queued, transport.bytes_written], [9, 0])
  transport.sink = { ...transport.sink!, opened: () => void transport.write('three', 'latin1') }
  await until(() => accepted.length > 0)
  accepted[0]!.transport.resume()
  await until(() => accepted[0]!.bytes.length === 14)
  t.equal(String(accepted[0]!.bytes), 'one twö three')
  t.same([transport.bytes_queued, transport.bytes_written], [0, 14])
  t.same(near.log, ['drained'])
})

t.test('before there is a socket, nothing is lost either', async t => {
  const { endpoint } = await listen(t)
  const lookup = (): void => {}
  const near = new Watched(
    new FastNetwork().connect({ ...endpoint, host: 'name.invalid' } as Endpoint, { lookup }),
  )
  near.transport.write('waits', 'latin1')
  t.equal(near.transport.bytes_queued, 5)
  near.transport.destroy()
  t.same([near.transport.bytes_queued, near.transport.bytes_written], [0, 0])
  await until(() => near.log.length > 0)
  t.same(near.log, ['closed'])
})

t.test('what is corked is counted, and is overtaken by nothing', async t => {
  const [near, far] = await pair(t)
  const { transport } = near
  transport.write('a', 'latin1')
  transport.cork()
  transport.write('b', 'latin1')
  transport.write(Buffer.from('c'), 'utf8')
  t.same([transport.bytes_queued, transport.bytes_written], [2, 1])
  transport.uncork()
  transport.write('d', 'latin1')
  far.transport.resume()
  await until(() => far.bytes.length === 4)
  t.equal(String(far.bytes), 'abcd')
  t.same([transport.bytes_queued, transport.bytes_written], [0, 4])
})

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
    await until(() => far.bytes.length === size + 10)
    await until(() => near.log.includes('drained'))
    t.same([transport.bytes_queued, transport.bytes_written], [0, size + 10])
    t.equal(String(far.bytes.subarray(-10)), 'textcorked')
    far.transport.pause()
    transport.write(Buffer.alloc(size), 'utf8')
    const sent = transport.bytes_written
    transport.destroy()
    t.same([transport.bytes_queued, transport.bytes_written], [0, sent])
    t.ok(sent < 2 * size)
    await until(() => near.log.includes('closed'))
    t.same(near.log, ['opened', 'drained', 'closed'])
    t.same([transport.bytes_queued, transport.bytes_written], [0, sent])
  },
)

t.test('ends after what was written', async t => {
  const [near, far] = await pair(t)
  near.transport.write(Buffer.alloc(5_000_000), 'utf8')
  near.transport.end()
  t.equal(near.transport.write('late', 'latin1'), true, 'dropped')
  far.transport.resume()
  await until(() => far.log.includes('ended'))
  t.equal(far.bytes.length, 5_000_000)
})

t.test('a write that fails, in the call or later, breaks the pipe', async t => {
  const { endpoint, accepted } = await listen(t)
  const socket = connect((endpoint as { port: number }).port, '127.0.0.1').on('error', () => {})
  await until(() => accepted.length > 0)
  const [far] = accepted as [Watched]
  t.equal(far.transport.write(Buffer.alloc(20_000_000), 'utf8'), false)
  socket.resetAndDestroy()
  await until(() => far.log.includes('closed'))
  t.same(far.log, ['failed write ECONNRESET', 'closed'])
  // The first write after the peer has gone finds out. The next one fails at once.
  const [near, gone] = await pair(t)
  gone.transport.destroy()
  await until(() => gone.log.includes('closed'))
  while (!near.log.some(line => line.startsWith('failed'))) {
    near.transport.write('anybody?', 'latin1')
    await new Promise(resolve => setImmediate(resolve))
  }
  t.match(near.log[1], /^failed write (EPIPE|ECONNRESET)$/)
})

t.test('what the server could not accept is an error of the server, as ever', async t => {
  const servers: Server[] = []
  const { listen: original } = Server.prototype
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    servers.push(this)
    return Reflect.apply(original, this, args)
  } as typeof original
  t.teardown(() => {
    Server.prototype.listen = original
  })
  const { failed } = await listen(t)
  const { _handle } = servers.at(-1) as unknown as {
    _handle: { onconnection(status: number): void }
  }
  _handle.onconnection(-24)
  t.same(
    failed.map(({ code, syscall }) => [code, syscall]),
    [['EMFILE', 'accept']],
  )
})

t.test('refuses a Node that lacks what it needs', async t => {
  const { listen } = Server.prototype
  const { connect } = Socket.prototype
  t.teardown(() => {
    Server.prototype.listen = listen
    Socket.prototype.connect = connect
  })
  Server.prototype.listen = function (this: Server) {
    return this
  } as typeof listen
  t.throws(() => new FastNetwork(), {
    code: 'ERR_UNSUPPORTED_OPTION',
    message:
      'FastNetwork needs handle.onconnection, as Node 20 to 26 has it on Linux; ' +
      `Node ${process.versions.node} on ${process.platform} does not. Use the default network`,
  })
  Socket.prototype.connect = function (this: Socket) {
    return this
  } as typeof connect
  t.throws(() => new FastNetwork(), {
    message:
      /^FastNetwork needs handle\.writeQueueSize, handle\.bytesWritten, handle\.onconnection, as/,
  })
})

t.test('packets are those of the default network', async t => {
  const socket: PacketSocket = new FastNetwork().packets({ bind: LOOPBACK })
  await new Promise<void>(resolve => {
    socket.sink = {
      opened: resolve,
      received() {},
      refused() {},
      failed: error => t.fail(error.message),
      closed() {},
    }
  })
  t.equal((socket.local_address as [string, number])[0], '127.0.0.1')
  socket.destroy()
})

t.test('knows how many descriptors there may be', async t => {
  t.ok(new FastNetwork().file_limit > 2)
})
