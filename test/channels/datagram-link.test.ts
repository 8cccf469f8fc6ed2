/** How packets go through a Datagram: over the memory network, with a clock that stands. */

import t from 'tap'
import { Datagram, type DatagramOptions } from '../../src/channels/datagram.ts'
import { Engine } from '../../src/engine.ts'
import { UnsupportedOptionError } from '../../src/errors.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import type { PacketOptions, PacketSocket } from '../../src/transport.ts'

/** Notes every hook; `then` says what a hook does besides. */
class Probe extends Datagram {
  readonly told: unknown[][] = []
  then: Record<string, (...args: any[]) => unknown> = {}

  #tell(hook: string, ...args: unknown[]): any {
    this.told.push([hook, ...args])
    return this.then[hook]?.(...args)
  }

  /** What was told of these hooks since it was last asked. */
  take(...hooks: string[]): unknown[] {
    const taken = this.told.filter(([hook]) => hooks.includes(hook as string))
    this.told.splice(0)
    return taken.map(each =>
      hooks.length === 1 ? (each.length === 2 ? each[1] : each.slice(1)) : each,
    )
  }

  get port(): number {
    return (this.local_address as [string, number])[1]
  }

  override on_listen() {
    return this.#tell('on_listen')
  }
  override on_connect() {
    return this.#tell('on_connect')
  }
  override on_read(...data: any[]) {
    return this.#tell(
      'on_read',
      ...data.slice(0, -1).map(each => (each instanceof Buffer ? String(each) : each)),
      data.at(-1)[1],
    )
  }
  override on_write() {
    return this.#tell('on_write')
  }
  override on_close(reason: string) {
    return this.#tell('on_close', reason)
  }
  override on_drop(reason: string, from: any, bytes: number) {
    return this.#tell('on_drop', reason, from[1], bytes)
  }
  override on_listen_error(error: any) {
    return this.#tell('on_listen_error', error)
  }
  override on_connect_error(error: any) {
    return this.#tell('on_connect_error', error)
  }
  override on_read_error(error: any) {
    return this.#tell('on_read_error', error)
  }
  override on_write_error(error: any) {
    return this.#tell('on_write_error', error)
  }
  override on_overflow_error(error: any) {
    return this.#tell('on_overflow_error', error)
  }
  override on_error(error: any) {
    return this.#tell('on_error', error)
  }
}

/** A memory network whose packet sockets can be reached into. */
class Network extends MemoryNetwork {
  readonly opened: { socket: PacketSocket; options: PacketOptions }[] = []

  override packets(options: PacketOptions): PacketSocket {
    const socket = super.packets(options)
    this.opened.push({ socket, options })
    return socket
  }

  get socket(): PacketSocket {
    return this.opened.at(-1)!.socket
  }
}

function world(t: Tap) {
  const network = new Network()
  const clock = new ManualClock()
  const logs: string[] = []
  const engine = new Engine({ network, clock, log: message => logs.push(message) })
  /** Lets everything happen that does not need time. */
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 2;) {
      await new Promise(resolve => setImmediate(resolve))
      clock.advance(0)
      quiet = network.pump() === 0 ? quiet + 1 : 0
    }
  }
  const open = async (options: DatagramOptions = {}): Promise<Probe> => {
    const probe = new Probe({ engine, ...options }).listen(0)
    await settle()
    probe.take()
    return probe
  }
  t.teardown(async () => {
    for (const channel of engine.channels) channel.close()
    await settle()
    if (engine.channels.size > 0 || clock.pending > 0)
      throw new Error('a channel or a timer is left')
  })
  return { network, clock, logs, engine, settle, open, peer: () => open() }
}

type Tap = Pick<typeof t, 'teardown'>

function promise(): {
  promise: Promise<void>
  resolve: () => void
  reject: (error: unknown) => void
} {
  let [resolve, reject]: [() => void, (error: unknown) => void] = [() => {}, () => {}]
  const promise = new Promise<void>((...functions) => ([resolve, reject] = functions))
  return { promise, resolve, reject }
}

const at = (port: number): [string, number] => ['127.0.0.1', port]

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
  'without a delimiter a packet is a read, also an empty one; with encoding each is decoded by itself',
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
    /^Datagram 127\.0\.0\.1:\d+: oh \(E_OH\)$/,
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
  t.equal(logs[0], 'D: eh (E_EH)', 'no address yet')
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
