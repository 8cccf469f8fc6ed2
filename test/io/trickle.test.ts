/**
 * TrickleNetwork over a network whose reports the test makes itself: what waits, what passes, and
 * when.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { NodeNetwork } from '../../src/io/node-network.ts'
import { TrickleNetwork } from '../../src/io/trickle.ts'
import type {
  Endpoint,
  Files,
  Listener,
  Network,
  PacketSocket,
  Tls,
  Transport,
  TransportSink,
} from '../../src/transport.ts'
import { catching, fakeTransport } from '../kit.ts'

const HERE: Endpoint = { kind: 'ip', host: '', port: 1 }

/** A trickling transport, the sink of the one below, the calls there and the reports here. */
function trickle(
  bytes?: number | (() => number),
  hooks: Partial<Record<string, (transport: Transport) => void>> = {},
  lends_chunks = false,
) {
  const calls: string[] = []
  const log: string[] = []
  const inner = { ...fakeTransport(calls), lends_chunks }
  const network = new TrickleNetwork({ connect: () => inner } as unknown as Network, bytes)
  const transport = network.connect(HERE, {})
  const note = (what: string): void => {
    log.push(what)
    hooks[what]?.(transport)
  }
  transport.sink = {
    opened: () => note('opened'),
    received: chunk => note(chunk.toString()),
    drained: () => note('drained'),
    ended: () => note('ended'),
    failed: error => note(`failed ${error.code}`),
    closed: () => note('closed'),
  }
  return { transport, below: inner.sink as unknown as TransportSink, calls, log }
}

/** As many turns of the loop as given. */
async function turns(count: number): Promise<void> {
  while (count-- > 0) await new Promise(resolve => setImmediate(resolve))
}

t.test('one piece a turn, the transport below paused meanwhile', async t => {
  const { transport, below, calls, log } = trickle()
  below.opened()
  transport.resume()
  below.received(Buffer.from('abc'))
  t.same([log, calls], [['opened'], ['resume', 'pause']])
  await turns(1)
  t.same(log, ['opened', 'a'])
  t.equal(transport.bytes_read, 1)
  await turns(1)
  t.same(log, ['opened', 'a', 'b'])
  t.same(calls, ['resume', 'pause'])
  await turns(3)
  t.same(log, ['opened', 'a', 'b', 'c'])
  t.same(calls, ['resume', 'pause', 'resume'])
})

// What waited was overwritten by the next read into the same memory.
t.test('what is only lent is copied', async t => {
  const { transport, below, log } = trickle(2, {}, true)
  transport.resume()
  const memory = Buffer.from('lent')
  below.received(memory)
  memory.fill('x')
  await turns(3)
  t.same(log, ['le', 'nt'])
})

t.test('pieces of a size, or of sizes asked for', async t => {
  const fixed = trickle(2)
  fixed.transport.resume()
  fixed.below.received(Buffer.from('abc'))
  await turns(3)
  t.same(fixed.log, ['ab', 'c'])
  let size = 0
  const asked = trickle(() => ++size)
  asked.transport.resume()
  asked.below.received(Buffer.from('abcd'))
  asked.below.received(Buffer.from('e')) // was on its way when it was paused
  await turns(5)
  t.same(asked.log, ['a', 'bc', 'd', 'e'])
})

t.test('an invalid size is thrown', async t => {
  for (const size of [0, -1, 1.5, NaN, Infinity])
    t.throws(() => new TrickleNetwork(undefined, size), { code: 'ERR_INVALID_ARGUMENT' })
  const { transport, below } = trickle(() => 0)
  const errors = catching(t)
  transport.resume()
  below.received(Buffer.from('x'))
  await turns(1)
  transport.destroy()
  t.match(errors, [{ code: 'ERR_INVALID_ARGUMENT' }])
})

// A network that was none failed late, with a TypeError in `listen`.
t.test('wraps a network, and nothing else', async t => {
  for (const inner of [null, {}, { bytes: 1 }, 5])
    t.throws(() => new TrickleNetwork(inner as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^TrickleNetwork must be given the network that it wraps; got /,
    })
})

t.test('holds pieces while paused, and what follows them', async t => {
  const { transport, below, calls, log } = trickle(1, { a: transport => transport.pause() })
  below.received(Buffer.from('ab'))
  below.ended()
  below.failed(Object.assign(new Error(), { code: 'EIO' }))
  below.closed()
  await turns(3)
  t.same(log, [], 'it starts paused')
  transport.resume()
  await turns(3)
  t.same(log, ['a'])
  transport.resume()
  transport.resume()
  transport.pause()
  await turns(3)
  t.same(log, ['a'], 'paused before the turn came')
  transport.resume()
  await turns(2)
  t.same(log, ['a', 'b', 'ended'])
  await turns(3)
  t.same(log, ['a', 'b', 'ended', 'failed EIO', 'closed'])
  t.notOk(calls.includes('destroy'))
})

t.test('with nothing held, all reports pass at once', async t => {
  const { below, log } = trickle()
  below.opened()
  below.drained()
  below.ended()
  below.failed(Object.assign(new Error(), { code: 'EIO' }))
  below.closed()
  t.same(log, ['opened', 'drained', 'ended', 'failed EIO', 'closed'])
})

t.test('destroy drops the pieces; only closed is left', async t => {
  const { transport, below, calls, log } = trickle(1, { a: transport => transport.destroy() })
  transport.resume()
  below.received(Buffer.from('ab'))
  below.ended()
  below.closed()
  await turns(4)
  t.same(log, ['a', 'closed'])
  t.ok(calls.includes('destroy'))
  const waiting = trickle()
  waiting.transport.resume()
  waiting.below.received(Buffer.from('ab'))
  waiting.transport.destroy()
  await turns(2)
  t.same(waiting.log, [])
  waiting.below.closed()
  t.same(waiting.log, ['closed'])
})

t.test('goes on after a sink has thrown', async t => {
  const { transport, below, log } = trickle(1, {
    a: () => {
      throw new Error('mine')
    },
  })
  const errors = catching(t)
  transport.resume()
  below.received(Buffer.from('ab'))
  await turns(3)
  t.match(errors, [{ message: 'mine' }])
  t.same(log, ['a', 'b'])
})

t.test('passes everything else through', async t => {
  const { transport, calls } = trickle()
  t.equal(transport.write('x', 'latin1'), true)
  transport.cork()
  transport.uncork()
  transport.end()
  transport.pause()
  transport.set_no_delay(true)
  transport.set_keep_alive(5)
  t.same(calls, [
    'write x latin1',
    'cork',
    'uncork',
    'end',
    'pause',
    'set_no_delay true',
    'set_keep_alive 5 ',
  ])
  t.same(
    [transport.local_address, transport.remote_address, transport.fileno],
    [['here', 1], ['there', 2], 3],
  )
  t.same([transport.bytes_read, transport.bytes_written, transport.bytes_queued], [0, 5, 6])
})

/** A network with what each must have, and nothing else. */
function bare(): Network {
  const none = (): never => {
    throw new Error('not in this test')
  }
  return { connect: none, listen: none, packets: none }
}

// The default network was exported nowhere, so it could not be wrapped.
t.test('wraps the default network if it is given none', async t => {
  for (const network of [new TrickleNetwork(), new TrickleNetwork(undefined, 3)]) {
    const { tls, files } = new NodeNetwork()
    t.same([network.tls, network.files], [tls, files])
    t.ok(network.file_limit > 2)
  }
  t.equal(new TrickleNetwork(bare()).file_limit, Infinity, 'none that is known')
  t.equal(new TrickleNetwork(bare()).has_keep_alive_probes, true)
})

t.test('is silent without a sink', async t => {
  const { transport, below } = trickle()
  transport.sink = undefined
  transport.resume()
  below.opened()
  below.received(Buffer.from('a'))
  below.drained()
  below.ended()
  below.failed(new Error())
  below.closed()
  await turns(5)
  t.equal(transport.bytes_read, 1)
})

t.test('TLS and files are those of the other network', async t => {
  const tls: Tls = { context: () => ({ secure: transport => transport }) }
  const files = {} as Files
  const network = new TrickleNetwork({ ...bare(), tls, files })
  t.equal(network.tls, tls)
  t.equal(network.files, files)
  const without = new TrickleNetwork(bare())
  t.same([without.tls, without.files], [undefined, undefined])
})

t.test("listens, and what it accepts trickles; packets are the other network's", async t => {
  const log: string[] = []
  const socket = {} as PacketSocket
  const inner: Listener = {
    sink: undefined,
    local_address: ['here', 1],
    fileno: 3,
    close: () => void log.push('close'),
  }
  const network = new TrickleNetwork({ ...bare(), listen: () => inner, packets: () => socket })
  t.equal(network.packets({}), socket)
  const listener = network.listen(HERE, { backlog: 1 })
  const below = inner.sink as unknown as NonNullable<Listener['sink']>
  const report = (): void => {
    below.listening()
    below.accepted(accepted)
    below.failed(new Error('no more'))
    below.closed()
  }
  const accepted = fakeTransport([])
  report()
  t.same(log, [], 'silent without a sink')
  listener.sink = {
    listening: () => log.push('listening'),
    accepted: transport => {
      log.push('accepted')
      transport.sink = {
        received: (chunk: Buffer) => log.push(`${chunk}`),
      } as unknown as TransportSink
      transport.resume()
    },
    failed: error => log.push(`failed ${error.message}`),
    closed: () => log.push('closed'),
  }
  report()
  accepted.sink!.received(Buffer.from('xy'))
  await turns(3)
  t.same(log, ['listening', 'accepted', 'failed no more', 'closed', 'x', 'y'])
  listener.close()
  t.equal(log.at(-1), 'close')
  t.same([listener.local_address, listener.fileno], [['here', 1], 3])
})

// A transport that had closed before a channel took it over had no sink to report to, and the
// channel waited for ever.
t.test('a sink that comes too late is told that it has closed', async t => {
  const { transport, below } = trickle()
  below.closed()
  let count = 0
  transport.sink = { ...transport.sink!, closed: () => void count++ }
  t.equal(count, 0, 'not in the call')
  await turns(1)
  transport.sink = undefined
  await turns(1)
  t.equal(count, 1)
})
