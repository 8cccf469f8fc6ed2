/** The way in of a Datagram: packets, their senders, and what holds them. */

import t from 'tap'
import { at, promise, world } from '../datagram-kit.ts'

t.test(
  'without a delimiter a packet is a read, also an empty one; each is decoded by itself',
  async t => {
    const { settle, peer, open } = world(t)
    const [a, b] = [await peer(), await open({ encoding: 'hex' })]
    for (const text of ['', 'ab', 'cd']) a.write(text, at(b.port))
    await settle()
    t.same(b.take('on_read'), [
      ['', a.port],
      ['6162', a.port],
      ['6364', a.port],
    ])
    b.write('ff', at(a.port))
    a.encoding = 'latin1'
    await settle()
    t.same(a.take('on_read'), [['\xff', b.port]], 'text is written in the encoding too')
  },
)

t.test('a delimiter cuts what each sender sends, packets of two senders interleaved', async t => {
  const { settle, peer, open } = world(t)
  const [a, b, c] = [
    await peer(),
    await peer(),
    await open({ read_delimiter: '\n', encoding: 'utf8' }),
  ]
  let reply: unknown
  c.then = { on_read: () => ((reply = c.remote_address), c.write('ok')) }
  a.write('par', at(c.port))
  await settle()
  b.write('other', at(c.port))
  await settle()
  a.write('tial\nnext', at(c.port))
  await settle()
  b.write('\n', at(c.port))
  await settle()
  t.same(c.take('on_read'), [
    ['partial', a.port],
    ['other', b.port],
  ])
  t.same(reply, at(b.port))
  t.same([a.take('on_read'), b.take('on_read')], [[['ok', c.port]], [['ok', c.port]]])
  t.equal(c.remote_address, undefined)
})

t.test('what a delimiter makes of a packet comes as arguments, the address last', async t => {
  const { settle, peer, open } = world(t)
  const pair = {
    cut: (bytes: Buffer, start: number, end: number) =>
      end - start < 2 ? 2 : { size: 2, data: [bytes[start], bytes[start + 1]] },
  }
  const [a, b] = [await peer(), await open({ read_delimiter: pair })]
  a.write(Buffer.from([1, 2, 3]), at(b.port))
  await settle()
  t.same(b.take('on_read'), [[1, 2, a.port]])
})

t.test('a delimiter set elsewhere looks at what is buffered in the next turn', async t => {
  const { settle, peer, open } = world(t)
  const [a, b] = [await peer(), await open({ read_delimiter: '\n' })]
  a.write('x;y', at(b.port))
  await settle()
  b.read_delimiter = ';'
  b.regex_search = false
  b.ttl = 9
  t.same(b.take('on_read'), [])
  await settle()
  t.same(b.take('on_read'), [['x', a.port]])
})

t.test('no delimiter any more: what is buffered comes before what comes', async t => {
  const { settle, peer, open, network } = world(t)
  const [a, b] = [await peer(), await open({ read_delimiter: '\n' })]
  a.write('old', at(b.port))
  await settle()
  a.write('new', at(b.port), true)
  b.read_delimiter = null
  network.pump()
  network.pump()
  t.same(
    b.take('on_read'),
    [
      ['old', a.port],
      ['new', a.port],
    ],
    'before the turn in which it is looked at',
  )
  await settle()
  a.write('', at(b.port))
  await settle()
  t.same(b.take('on_read'), [['', a.port]])
})

t.test('the oldest sender is dropped, visibly', async t => {
  const { settle, peer, open } = world(t)
  const [a, b, c] = [
    await peer(),
    await peer(),
    await open({ read_delimiter: '\n', max_senders: 1 }),
  ]
  a.write('abc', at(c.port))
  await settle()
  b.write('x', at(c.port))
  await settle()
  t.same(c.take('on_drop'), [['max_senders', a.port, 3]])
  t.equal(c.packets_dropped, 0, 'it was no packet that was dropped')
})

t.test(
  'overflow of one sender, and a delimiter that throws: told with the address, and it goes on',
  async t => {
    const { settle, peer, open } = world(t)
    const [a, b] = [await peer(), await open({ read_delimiter: '\n', buffer_size: 4 })]
    b.then = {
      on_overflow_error: () => b.write('too long'),
      on_read_error: () => b.write('broken'),
    }
    a.write('12345', at(b.port))
    await settle()
    t.match(b.take('on_overflow_error'), [
      { code: 'ERR_OVERFLOW', buffer: 'receive', limit: 4, remote_address: at(a.port) },
    ])
    const cut = (): never => {
      throw 'no error'
    }
    b.read_delimiter = { cut }
    a.write('1', at(b.port))
    await settle()
    t.match(b.take('on_read_error'), [
      { code: 'ERR_INVALID_DELIMITER', remote_address: at(a.port), cause: 'no error' },
    ])
    b.read_delimiter = {
      cut: () => {
        throw Object.assign(new Error('mine'), { code: 'E_MINE' })
      },
    }
    a.write('1', at(b.port))
    await settle()
    t.match(b.take('on_read_error'), [{ code: 'E_MINE' }])
    t.same(a.take('on_read'), [
      ['too long', b.port],
      ['broken', b.port],
      ['broken', b.port],
    ])
    t.equal(b.state, 'active')
  },
)

t.test(
  'suspend: packets wait, in order, within a bound; beyond it they are dropped, visibly',
  async t => {
    const { settle, peer, open } = world(t)
    const [a, b] = [await peer(), await open({ senders_buffer_size: 2 * (28 + 2) })]
    b.suspend()
    for (const text of ['1', '22', '333', '4']) a.write(text, at(b.port))
    await settle()
    t.same(b.take('on_read', 'on_drop'), [
      ['on_drop', 'overload', a.port, 3],
      ['on_drop', 'overload', a.port, 1],
    ])
    t.same([b.packets_dropped, b.packets_read], [2, 4])
    b.then = { on_read: () => b.suspend() }
    b.resume()
    t.same(
      b.take('on_read'),
      [['1', a.port]],
      'before resume returns; and it may be suspended again in there',
    )
    b.then = {}
    b.resume()
    t.same(b.take('on_read'), [['22', a.port]])
    a.write('new', at(b.port))
    await settle()
    t.same(b.take('on_read'), [['new', a.port]])
  },
)

t.test('suspended in the middle of a packet: the rest of it comes first', async t => {
  const { settle, peer, open } = world(t)
  const [a, b] = [await peer(), await open({ read_delimiter: '\n', encoding: 'utf8' })]
  b.then = { on_read: data => void (data === 'stop' && b.suspend()) }
  a.write('stop\nb\n', at(b.port))
  a.write('c\n', at(b.port))
  await settle()
  t.same(b.take('on_read'), [['stop', a.port]])
  b.resume()
  t.same(b.take('on_read'), [
    ['b', a.port],
    ['c', a.port],
  ])
  b.then = { on_read: () => (b.suspend(), b.resume()) }
  a.write('d\ne\n', at(b.port))
  await settle()
  t.same(
    b.take('on_read'),
    [
      ['d', a.port],
      ['e', a.port],
    ],
    'suspended and resumed inside: the loop goes on',
  )
})

t.test(
  'a hook that returns a promise: one read at a time, and the sender is known until it settles',
  async t => {
    const { settle, peer, open } = world(t)
    const [a, b] = [await peer(), await open()]
    const gate = promise()
    b.then = { on_read: () => gate.promise }
    a.write('1', at(b.port))
    a.write('2', at(b.port))
    await settle()
    t.same(b.take('on_read'), [['1', a.port]])
    t.same(b.remote_address, at(a.port))
    b.write('later')
    b.then = { on_read: () => 'no promise' }
    gate.resolve()
    await settle()
    t.same(b.take('on_read'), [['2', a.port]])
    t.equal(b.remote_address, undefined)
    t.same(a.take('on_read'), [['later', b.port]])
  },
)

t.test(
  'a promise that rejects goes to on_error, and reading goes on; also while suspended',
  async t => {
    const { settle, peer, open } = world(t)
    const [a, b] = [await peer(), await open()]
    const gates = [promise(), promise()]
    b.then = { on_read: () => gates[0]!.promise, on_write: () => gates[1]!.promise }
    a.write('1', at(b.port))
    b.write('x', at(a.port))
    await settle()
    b.take()
    a.write('2', at(b.port))
    b.then = {}
    gates[0]!.reject(new Error('oh'))
    await settle()
    t.match(
      b.take('on_error', 'on_read'),
      [['on_error', { message: 'oh' }]],
      'the other promise is still there',
    )
    b.suspend()
    gates[1]!.resolve()
    await settle()
    t.same(b.take('on_read'), [])
    b.resume()
    t.same(b.take('on_read'), [['2', a.port]])
  },
)

t.test('a promise of an opening that is over holds nothing', async t => {
  const { settle, peer, open } = world(t)
  const [a, b] = [await peer(), await open()]
  const [old, gate] = [promise(), promise()]
  b.then = { on_read: () => old.promise }
  a.write('1', at(b.port))
  await settle()
  b.close()
  await settle()
  b.take()
  b.then = { on_read: () => gate.promise }
  b.listen(0)
  await settle()
  a.write('2', at(b.port))
  await settle()
  t.same([b.packets_read, b.take('on_read')], [1, [['2', a.port]]], 'the old one does not hold')
  a.write('3', at(b.port))
  old.resolve()
  await settle()
  t.same(b.take('on_read'), [], 'nor does it release')
  gate.resolve()
  await settle()
  t.same(b.take('on_read'), [['3', a.port]])
})

// It went to on_error, which closes: an opening that had no part in it was closed.
t.test('a promise of an opening that is over and rejects is only logged', async t => {
  const { settle, peer, open, logs } = world(t)
  const [a, b] = [await peer(), await open()]
  const old = promise()
  b.then = { on_read: () => old.promise }
  a.write('1', at(b.port))
  await settle()
  b.close()
  await settle()
  b.listen(0)
  await settle()
  b.take()
  old.reject(new Error('too late'))
  await settle()
  t.same([b.state, b.take('on_error')], ['active', []])
  t.match(logs, [/Error: too late\n/])
})

// Likewise if it was not opened again: on_error came after on_close. Found by npm run fuzz.
t.test('REGRESSION: a promise that rejects after on_close is logged', async t => {
  const { settle, peer, open, logs } = world(t)
  const [a, b] = [await peer(), await open()]
  const old = promise()
  b.then = { on_read: () => old.promise }
  a.write('1', at(b.port))
  await settle()
  b.close()
  await settle()
  old.reject(new Error('too late'))
  await settle()
  t.same(b.take('on_error', 'on_close'), [['on_close', 'local']])
  t.match(logs, [/Error: too late\n/])
})

t.test('a promise of on_close does not hold the next opening', async t => {
  const { settle, peer, open } = world(t)
  const [a, b] = [await peer(), await open()]
  const gate = promise()
  b.then = { on_close: () => gate.promise }
  b.close()
  await settle()
  b.take()
  b.listen(0)
  await settle()
  a.write('1', at(b.port))
  await settle()
  gate.resolve()
  await settle()
  t.same(b.take('on_read'), [['1', a.port]])
})

// As of a stream (stream-reading.test.ts): the reads were stopped after on_state had been told.
t.test('REGRESSION: resumed in on_state by closing, it does not read any more', async t => {
  const { settle, peer, open } = world(t)
  const a = await peer()
  for (const isPolite of [false, true]) {
    const b = await open()
    b.suspend()
    a.write('1', at(b.port))
    await settle()
    b.on_state = () => b.resume()
    b.close(isPolite)
    await settle()
    t.same(b.take('on_read', 'on_close'), [['on_close', 'local']])
  }
})

t.test('what a hook throws goes to on_error', async t => {
  const { settle, peer, open } = world(t)
  const [a, b] = [await peer(), await open()]
  const fail = (): never => {
    throw new Error('oh')
  }
  b.then = { on_read: fail }
  a.write('1', at(b.port))
  await settle()
  t.match(b.take('on_error'), [{ message: 'oh' }])
  b.read_delimiter = 1
  a.write('1', at(b.port))
  await settle()
  t.match(b.take('on_error'), [{ message: 'oh' }])
})

t.test('closed in the hook: nothing is read any more', async t => {
  const { settle, peer, open } = world(t)
  const a = await peer()
  for (const options of [{}, { read_delimiter: '\n' }]) {
    const b = await open(options)
    b.then = { on_read: () => b.close() }
    a.write('1\n2\n', at(b.port))
    a.write('3\n', at(b.port))
    await settle()
    t.equal(b.take('on_read').length, 1)
    t.equal(b.state, 'closed')
  }
  const c = await open()
  a.write('1', at(c.port))
  a.write('2', at(c.port))
  c.suspend()
  await settle()
  c.then = { on_read: () => c.end() }
  c.resume()
  await settle()
  t.same(c.take('on_read', 'on_close'), [
    ['on_read', '1', a.port],
    ['on_close', 'local'],
  ])
})

t.test('packets that come while it ends are not read', async t => {
  const { settle, peer, open, network } = world(t)
  const [a, b] = [await peer(), await open()]
  b.write('x', at(a.port))
  b.end()
  network.socket.sink!.received(Buffer.from('late'), at(a.port))
  await settle()
  t.same(b.take('on_read', 'on_write', 'on_close'), [['on_write'], ['on_close', 'local']])
  t.same(a.take('on_read'), [['x', b.port]])
})
