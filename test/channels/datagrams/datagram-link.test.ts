/**
 * How a Datagram opens, sends, fails and ends: over the memory network, with a clock that stands.
 */

import t from 'tap'
import { Datagram } from '../../../src/channels/datagrams/datagram.ts'
import { UnsupportedOptionError } from '../../../src/errors.ts'
import { at, Probe, promise, world } from '../datagram-kit.ts'

t.test('listen, write to an address, and back to the sender', async t => {
  const { settle, open, engine } = world(t)
  const b = await open()
  const a = new Probe({ engine }).listen(0)
  t.equal(a.write('early', at(b.port)), true, 'allowed before it is open')
  t.same([a.told, a.bytes_queued, a.local_address], [[], 5, undefined])
  b.then = { on_read: () => b.write('reply') }
  await settle()
  t.same(a.take('on_listen', 'on_write', 'on_read'), [
    ['on_listen'],
    ['on_write'],
    ['on_read', 'reply', b.port],
  ])
  t.same(b.take('on_read', 'on_write'), [['on_read', 'early', a.port], ['on_write']])
  t.same(
    [a.bytes_read, a.packets_read, a.bytes_written, a.packets_written, a.bytes_queued],
    [5, 1, 5, 1, 0],
  )
  t.same([b.remote_address, a.listening, a.connected], [undefined, true, false])
  a.close()
  t.equal(a.state, 'closing')
  await settle()
  t.same(a.take('on_close'), ['local'])
  t.equal(a.port > 0, true, 'still known after closing')
})

t.test(
  'on_write when the queue is empty again; false at send_high_water; overflow drops the write',
  async t => {
    const { settle, peer, open } = world(t)
    const [a, b] = [await peer(), await open({ send_high_water: 60, send_buffer_size: 60 })]
    t.equal(b.write('x', at(a.port)), true)
    t.equal(b.write('123', at(a.port)), false, '4 bytes, and 28 for each packet')
    t.equal(b.write('y', at(a.port)), false, 'at the bound it is still taken')
    b.then = { on_overflow_error: () => b.write('last word', at(a.port)) }
    t.equal(b.write('lost', at(a.port)), false)
    t.match(b.take('on_overflow_error'), [
      { code: 'ERR_OVERFLOW', buffer: 'send', limit: 60, remote_address: at(a.port) },
    ])
    await settle()
    t.same(b.take('on_write', 'on_overflow_error'), [['on_write']])
    t.same(
      a.take('on_read').map(each => (each as string[])[0]),
      ['x', '123', 'y', 'last word'],
    )
    t.equal(b.write('z', at(a.port)), true)
  },
)

// As a stream (stream-link.test.ts): what a hook had set last was still there.
t.test('a life begins as the first', async t => {
  const { settle, peer, open } = world(t)
  const [a, b] = [await peer(), await open({ read_delimiter: '\n', encoding: 'utf8' })]
  b.then = { on_read: () => Object.assign(b, { read_delimiter: 3, encoding: null, ttl: 9 }) }
  a.write('x\nhalf of it', at(b.port))
  await settle()
  t.same([b.read_delimiter, b.encoding], [3, null])
  b.then = { on_close: () => (b.buffer_size = 50) }
  b.close()
  await settle()
  b.then = {}
  t.same([b.read_delimiter, b.encoding, b.buffer_size], ['\n', 'utf8', 50])
  t.equal(b.ttl, 9, 'what is told to the socket lasts, as groups do')
  b.take()
  b.listen(0)
  b.regex_search = false
  await settle()
  b.suspend()
  a.write('a line\n', at(b.port))
  await settle()
  b.resume()
  t.same(b.take('on_read'), [['a line', a.port]])
  b.close()
  await settle()
  t.equal(b.regex_search, false)
})

t.test('flush sends at once', async t => {
  const { network, peer, open } = world(t)
  const [a, b] = [await peer(), await open()]
  b.write('x', at(a.port), true)
  network.pump()
  network.pump()
  t.same(a.take('on_read'), [['x', b.port]])
})

t.test('a packet that cannot be sent: on_write_error with the address, and it goes on', async t => {
  const { settle, peer, open, network } = world(t)
  const [a, b] = [await peer(), await open()]
  b.write(Buffer.alloc(70_000), at(a.port))
  b.write('fits', at(a.port))
  await settle()
  t.match(b.take('on_write_error', 'on_write'), [
    ['on_write_error', { code: 'EMSGSIZE', remote_address: at(a.port) }],
    ['on_write'],
  ])
  t.same([b.packets_written, b.state], [1, 'active'])
  t.same(a.take('on_read'), [['fits', b.port]])
  network.socket.sink!.refused(new Error('without a code'))
  t.match(b.take('on_write_error'), [{ code: 'ERR_WRITE', remote_address: undefined }])
})

t.test('connected: write needs no address, and a refusal is told', async t => {
  const { settle, peer, engine } = world(t)
  const a = await peer()
  const b = new Probe({ engine }).connect(at(a.port))
  b.write('early')
  await settle()
  t.same(
    [b.take('on_connect', 'on_listen'), b.connected, b.listening],
    [[['on_connect']], true, false],
  )
  t.same(a.take('on_read'), [['early', b.port]])
  t.same(b.remote_address, at(a.port))
  a.close()
  await settle()
  b.write('nobody hears')
  await settle()
  t.match(b.take('on_write', 'on_write_error'), [
    ['on_write'],
    ['on_write_error', { code: 'ECONNREFUSED', remote_address: at(a.port) }],
  ])
  b.close()
  await settle()
  t.same(b.remote_address, at(a.port), 'still known after closing')
})

t.test('end: what was written is sent first, also when it is not open yet', async t => {
  const { settle, peer, engine } = world(t)
  const a = await peer()
  const b = new Probe({ engine })
  b.write('x', at(a.port))
  b.end()
  t.equal(b.state, 'closing')
  t.equal(b.write('y', at(a.port)), false)
  await settle()
  t.same(b.take('on_listen', 'on_write', 'on_close'), [['on_write'], ['on_close', 'local']])
  t.same(a.take('on_read').length, 1)
  await t.rejects(b.opened, { code: 'ERR_CLOSED' })
  const c = new Probe({ engine }).listen(0)
  c.end()
  await settle()
  t.same(c.take('on_listen', 'on_close'), [['on_close', 'local']], 'nothing to send')
})

t.test('end is bounded by end_timeout, and close cuts it short', async t => {
  const { settle, clock, open, network } = world(t)
  const stall = (): void => void (network.socket.send = () => {})
  const b = await open({ end_timeout: 100 })
  stall()
  b.write('x', at(9))
  b.end()
  await settle()
  clock.advance(99)
  t.equal(b.state, 'closing')
  clock.advance(1)
  await settle()
  t.same(b.take('on_close'), ['timeout'])

  const c = await open({ end_timeout: Infinity })
  stall()
  c.write('x', at(9))
  c.end()
  c.end()
  await settle()
  t.equal(c.state, 'closing')
  t.equal(clock.pending, 0)
  c.close()
  await settle()
  t.same(c.take('on_close'), ['local'])
})

// Its end_timeout was set twice, and one of the two stayed. Found by npm run fuzz.
t.test('REGRESSION: ended in on_state because it is ended while it opens', async t => {
  const { settle, engine, clock } = world(t)
  const b = new Probe({ engine })
  b.write('x', at(9))
  b.on_state = state => void (state === 'opening' && b.end())
  b.end()
  await settle()
  t.same([b.state, clock.pending], ['closed', 0])
})

t.test('closed in on_state or on_write while ending, or in the hook of its opening', async t => {
  const { settle, open, engine } = world(t)
  for (const on_state of ['closing', 'active', 'opening']) {
    const b = new Probe({ engine })
    b.on_state = state => void (state === on_state && b.close())
    b.listen(0)
    if (on_state === 'closing') {
      await settle()
      b.write('x', at(9))
      b.end()
    }
    await settle()
    t.equal(b.state, 'closed', on_state)
  }
  const c = await open()
  c.then = { on_write: () => c.close() }
  c.write('x', at(9))
  c.end()
  await settle()
  t.same(c.take('on_close'), ['local'])
})

t.test('opening fails: its own hook, then on_close', async t => {
  const { settle, peer, engine, network } = world(t)
  const a = await peer()
  const b = new Probe({ engine }).listen(at(a.port))
  await settle()
  t.match(b.told, [
    ['on_listen_error', { name: 'ListenError', code: 'EADDRINUSE' }],
    ['on_close', 'error'],
  ])
  await t.rejects(b.opened, { code: 'EADDRINUSE' })
  t.equal(b.write('x', at(1)), false)

  const c = new Probe({ engine }).connect(at(a.port))
  network.socket.sink!.failed(new Error('no code'))
  await settle()
  t.match(c.told, [
    ['on_connect_error', { name: 'ConnectError', code: 'ERR_UNKNOWN' }],
    ['on_close', 'error'],
  ])
})

t.test('an open socket that fails, or is gone', async t => {
  const { settle, open, network } = world(t)
  const a = await open()
  network.socket.sink!.failed(Object.assign(new Error('gone'), { code: 'EIO' }))
  await settle()
  t.match(a.told, [
    ['on_read_error', { name: 'ReadError', code: 'EIO' }],
    ['on_close', 'error'],
  ])
  const b = await open()
  network.socket.destroy()
  await settle()
  t.same(b.take('on_close'), ['error'])
})

t.test('settings reach the socket when it opens, and while it is open', async t => {
  const { settle, engine, network } = world(t)
  const a = new Probe({ engine, broadcast: true, reuse_address: true }).listen(0)
  t.same(network.opened.at(-1)!.options, {
    broadcast: true,
    reuse_address: true,
    bind: { kind: 'ip', host: '', port: 0 },
  })
  const told: unknown[] = []
  network.socket.configure = options => void told.push(options)
  await settle()
  a.ttl = 4
  a.ttl = 4
  a.ttl = null
  a.broadcast = false
  a.reuse_address = false
  t.same(told, [{ ttl: 4 }, { broadcast: false }])

  const refuse = (error: unknown): void => {
    network.socket.configure = () => {
      throw error
    }
  }
  refuse(Object.assign(new Error('setTTL EINVAL'), { code: 'EINVAL' }))
  t.throws(() => (a.ttl = 5), {
    name: 'ChannelError',
    code: 'EINVAL',
    message: 'ttl: setTTL EINVAL',
  })
  refuse('odd')
  t.throws(() => (a.ttl = 5), { code: 'ERR_UNKNOWN' })
  refuse(new UnsupportedOptionError('ttl', 'one family'))
  t.throws(() => (a.ttl = 5), { code: 'ERR_UNSUPPORTED_OPTION' })
  t.equal(a.ttl, null, 'what was refused is not kept')
  a.close()
  a.ttl = 6
  t.equal(a.ttl, 6, 'closing: only remembered')
})

t.test('join and leave: at once while open, otherwise remembered for every opening', async t => {
  const { settle, engine, open } = world(t)
  const [group, other] = ['239.1.2.3', 'ff02::1']
  const sender = await open()
  const a = new Probe({ engine })
  a.join(group)
  a.join(group)
  a.join(other)
  a.leave(other)
  a.leave(other)
  const hears = async (where: string): Promise<boolean> => {
    sender.write('x', [where, a.port])
    await settle()
    return a.take('on_read').length === 1
  }
  for (const opening of [1, 2]) {
    a.listen(0)
    await settle()
    a.take()
    t.equal(await hears(group), true, `opening ${opening}`)
    t.equal(await hears(other), false)
    a.join(other)
    t.equal(await hears(other), true)
    a.leave(other)
    t.equal(await hears(other), false)
    a.close()
    await settle()
  }
})

t.test('a group that cannot be joined when it opens: thrown, and nothing is left', async t => {
  const { settle, engine } = world(t)
  const a = new Probe({ engine })
  a.join('239.1.2.3')
  a.join('239.1.2.3', '127.0.0.1')
  t.throws(() => a.listen(0), { code: 'EADDRINUSE' }, 'the memory network has one interface')
  t.equal(a.state, 'closed')
  a.leave('239.1.2.3')
  a.listen(0)
  await settle()
  t.equal(a.state, 'active')
})

t.test('messages name the channel and where it is', async t => {
  const { settle, logs, engine, peer } = world(t)
  const a = await peer()
  const b = new Datagram({ engine })
  b.on_state('opening', 'closed')
  b.listen(0)
  b.on_listen = () => {
    throw Object.assign(new Error('oh'), { code: 'E_OH' })
  }
  await settle()
  const c = new Datagram({ engine, name: 'C' }).connect(at(a.port))
  c.write(Buffer.alloc(70_000))
  await settle()
  c.on_state = () => {
    throw Object.assign(new Error('ah'), { code: 'E_AH' })
  }
  c.close()
  await settle()
  t.match(logs, [
    /^Datagram 127\.0\.0\.1:\d+: oh \(E_OH\)\n    at /,
    /^C 127\.0\.0\.1:\d+: send EMSGSIZE/,
    /^C .*E_AH/,
    /E_AH/,
    /E_AH/,
  ])
  const d = new Datagram({ engine, name: 'D' })
  d.on_state = () => {
    throw Object.assign(new Error('eh'), { code: 'E_EH' })
  }
  logs.splice(0)
  d.listen(0)
  await settle()
  t.match(logs[0], /^D: eh \(E_EH\)\n    at /, 'no address yet')
  t.equal(d.fileno, undefined)
})

t.test('what it holds counts for the engine, and it goes on', async t => {
  const { engine, settle, open, logs } = world(t)
  engine.buffer_limit = 50_000
  const a = await open({ read_delimiter: '\n', buffer_size: 100_000 })
  const b = await open()
  b.write('x'.repeat(40_000), at(a.port))
  await settle()
  t.same([engine.stats().bytes_held, a.take('on_overflow_error')], [40_000, []])
  b.write('x'.repeat(30_000), at(a.port))
  // What waits to be sent counts, too; but it is the other one that holds most.
  const [error] = a.take('on_overflow_error')
  t.match(error, {
    code: 'ERR_OVERFLOW',
    buffer: 'engine',
    limit: 50_000,
    message: /hold more than 50000 bytes \(buffer_limit\), and this one most: 40000/,
  })
  await settle()
  t.same(
    [a.take('on_overflow_error').length, b.take('on_overflow_error').length],
    [0, 1],
    'as it holds on to it, the next one is told; each once',
  )
  b.write('x\n', at(a.port))
  await settle()
  t.same(a.take('on_read').length, 1, 'nothing is lost')
  t.same([engine.stats().bytes_held, logs], [0, []])
  b.write('x'.repeat(20_000), at(a.port))
  a.suspend()
  await settle()
  t.ok(engine.stats().bytes_held >= 20_000, 'packets that wait count')
  a.close()
  await settle()
  t.equal(engine.stats().bytes_held, 0)
})

t.test('a promise of on_write holds the reads, as of any hook', async t => {
  const { settle, peer, open } = world(t)
  const [a, b] = [await peer(), await open()]
  const gate = promise()
  b.then = { on_write: () => gate.promise }
  b.write('out', at(a.port))
  await settle()
  b.take()
  a.write('in', at(b.port))
  await settle()
  t.same(b.take('on_read'), [])
  b.suspend()
  gate.resolve()
  await settle()
  t.same(b.take('on_read'), [])
  b.resume()
  t.same(b.take('on_read'), [['in', a.port]])
})
