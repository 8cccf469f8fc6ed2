/**
 * What a program does with a Datagram, over real UDP on the loopback interface; misuse over the
 * memory network.
 */

import { networkInterfaces } from 'node:os'
import t from 'tap'
import { Datagram, type DatagramOptions } from '../../../src/channels/datagrams/datagram.ts'
import { Struct } from '../../../src/core/struct/struct.ts'
import { Engine } from '../../../src/engine.ts'
import { InvalidArgumentError } from '../../../src/errors.ts'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import type { Address, SocketAddress } from '../../../src/types.ts'

type Tap = Pick<typeof t, 'teardown'>

const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some(at => at?.address === '::1')
const unlessIPv6 = hasIPv6 ? {} : { skip: 'this machine has no ::1' }
const LOOPBACK: Address = ['127.0.0.1', 0]

/** The arguments of the next call of a hook. */
function next(datagram: Datagram, hook: `on_${string}`): Promise<any[]> {
  return new Promise(resolve => {
    const hooks = datagram as unknown as Record<string, unknown>
    const before = Object.getOwnPropertyDescriptor(datagram, hook)
    hooks[hook] = (...args: unknown[]) => {
      if (before === undefined) delete hooks[hook]
      else Object.defineProperty(datagram, hook, before)
      resolve(args)
    }
  })
}

function setUp(t: Tap, network?: MemoryNetwork) {
  const logs: string[] = []
  let wake = (): void => {}
  const log = (message: string): void => {
    logs.push(message)
    wake()
  }
  const engine = new Engine({ log, ...(network && { network }) })
  t.teardown(() => engine.stop({ timeout: 0 }))
  /** Waits until that many lines are logged. */
  const logged = async (count: number): Promise<void> => {
    while (logs.length < count) await new Promise<void>(resolve => (wake = resolve))
  }
  return { engine, logs, logged }
}

function portOf(datagram: Datagram): number {
  return (datagram.local_address as [string, number])[1]
}

class Echo extends Datagram {
  override encoding = 'utf8' as const
  override on_read(data: string) {
    this.write(data + '!')
  }
}

t.test('echo: listen, write, reply', async t => {
  const { engine } = setUp(t)
  const echo = new Echo({ engine }).listen(LOOPBACK)
  await next(echo, 'on_listen')
  t.match(echo.local_address, ['127.0.0.1', Number])
  t.match(
    [echo.state, echo.listening, echo.connected, echo.remote_address],
    ['active', true, false, undefined],
  )
  t.equal(typeof echo.fileno, process.platform === 'win32' ? 'undefined' : 'number')

  const client = new Datagram({ engine, encoding: 'utf8' })
  const reply = next(client, 'on_read')
  t.equal(client.write('hi', echo.local_address), true, 'opened by writing')
  t.equal(client.state, 'opening')
  t.equal(client.bytes_queued, 2)
  t.same(await reply, ['hi!', echo.local_address])
  t.same(
    [
      client.bytes_read,
      client.packets_read,
      client.bytes_written,
      client.packets_written,
      client.packets_dropped,
    ],
    [3, 1, 2, 1, 0],
  )

  const closed = next(client, 'on_close')
  client.close()
  t.equal(client.write('late', echo.local_address), false)
  t.same(await closed, ['local'])
  t.equal(client.write('later', echo.local_address), false)
  t.same([client.fileno, client.listening], [undefined, false])
  client.close()
})

t.test('text that is not of the encoding is refused, and opens nothing', async t => {
  const { engine } = setUp(t)
  const datagram = new Datagram({ engine, encoding: 'hex' })
  t.throws(() => datagram.write('0a\n', ['127.0.0.1', 9]), { code: 'ERR_INVALID_ARGUMENT' })
  t.equal(datagram.state, 'closed')
})

t.test('on_close may open it again, but not write to it', async t => {
  const { engine } = setUp(t)
  const datagram = new Datagram({ engine }).listen(LOOPBACK)
  await datagram.opened
  const written = await new Promise(resolve => {
    datagram.on_close = () => {
      resolve(datagram.write('x', ['127.0.0.1', 9]))
      datagram.listen(LOOPBACK)
    }
    datagram.end()
  })
  t.equal(written, false)
  await datagram.opened
  t.equal(datagram.listening, true)
  datagram.on_close = () => {}
  datagram.close(true)
  t.equal(await datagram.closed, 'local')
})

t.test('end sends what was written, from a datagram that was never opened', async t => {
  const { engine } = setUp(t)
  const server = await new Datagram({ engine }).listen(LOOPBACK).opened
  const read = next(server, 'on_read')
  const client = new Datagram({ engine })
  client.write('bye', server.local_address)
  client.end()
  client.end()
  t.equal(await client.closed, 'local')
  t.equal(String((await read)[0]), 'bye')
})

t.test('connected: no address needed, and ICMP refusals are told; nothing crashes', async t => {
  const { engine, logs, logged } = setUp(t)
  const server = await new Echo({ engine }).listen(LOOPBACK).opened
  const client = new Datagram({ engine, encoding: 'utf8' }).connect(
    server.local_address as SocketAddress,
  )
  t.equal(client.connected, false)
  await next(client, 'on_connect')
  t.same(
    [client.connected, client.listening, client.remote_address],
    [true, false, server.local_address],
  )
  const reply = next(client, 'on_read')
  client.write('a')
  t.same(await reply, ['a!', server.local_address])
  client.write('b', server.local_address, true)
  await next(client, 'on_read')
  t.throws(() => client.write('c', ['127.0.0.1', 9]), {
    code: 'ERR_INVALID_STATE',
    message: /connected/,
  })

  server.close()
  await server.closed
  const refused = next(client, 'on_write_error')
  client.write('d')
  t.match(await refused, [
    { name: 'WriteError', code: 'ECONNREFUSED', remote_address: server.local_address },
  ])
  t.equal(client.connected, true, 'it goes on')
  client.write('e')
  await logged(1)
  t.match(logs, [/^Datagram 127\.0\.0\.1:\d+: .*ECONNREFUSED/], 'the default logs')
})

t.test('a packet that is too long: EMSGSIZE, and it goes on', async t => {
  const { engine, logs } = setUp(t)
  const server = await new Echo({ engine }).listen(LOOPBACK).opened
  const client = await new Datagram({ engine, encoding: 'utf8' }).listen(LOOPBACK).opened
  const failed = next(client, 'on_write_error')
  client.write(Buffer.alloc(70_000), server.local_address)
  t.match(await failed, [{ code: 'EMSGSIZE', remote_address: server.local_address }])
  client.write(Buffer.alloc(70_000), server.local_address)
  const reply = next(client, 'on_read')
  client.write('fits', server.local_address)
  t.equal((await reply)[0], 'fits!')
  t.match(logs, [/^Datagram 127\.0\.0\.1:\d+: .*EMSGSIZE/])
})

t.test('two senders, interleaved, with a delimiter', async t => {
  const { engine } = setUp(t)
  const lines: unknown[] = []
  const server = await new Datagram({ engine, read_delimiter: '\n', encoding: 'utf8' }).listen(
    LOOPBACK,
  ).opened
  const [a, b] = (await Promise.all(
    [1, 2].map(() => new Datagram({ engine }).listen(LOOPBACK).opened),
  )) as [Datagram, Datagram]
  const all = new Promise<void>(resolve => {
    server.on_read = (line, [, port]) => void (lines.push([line, port]) === 3 && resolve())
  })
  const to = server.local_address as SocketAddress
  for (const [from, text] of [
    [a, 'he'],
    [b, 'good'],
    [a, 'llo\n'],
    [b, 'bye\nsee'],
    [b, ' you\n'],
  ] as const) {
    from.write(text, to)
    await next(from, 'on_write')
  }
  await all
  t.same(
    lines.filter(line => (line as any)[1] === portOf(a)),
    [['hello', portOf(a)]],
  )
  t.same(
    lines.filter(line => (line as any)[1] === portOf(b)),
    [
      ['goodbye', portOf(b)],
      ['see you', portOf(b)],
    ],
  )
})

t.test('a Struct types on_read; class fields are settings', async t => {
  const { engine } = setUp(t)
  class Points extends Datagram<Struct<'!hh'>> {
    override read_delimiter = new Struct('!hh')
    seen: unknown[] = []
    override on_read(x: number, y: number, from: SocketAddress) {
      this.seen.push(x + y, from)
      this.end()
    }
  }
  const points = new Points({ engine })
  await points.listen(LOOPBACK).opened
  const client = await new Datagram({ engine }).listen(LOOPBACK).opened
  client.write(new Struct('!hh').pack(1, 2), points.local_address)
  await points.closed
  t.same(points.seen, [3, client.local_address])
})

t.test('an address in use, a foreign address, and a failure to connect', async t => {
  const { engine, logs } = setUp(t)
  const first = await new Datagram({ engine }).listen(LOOPBACK).opened
  const second = new Datagram({ engine }).listen(first.local_address as SocketAddress)
  await t.rejects(second.opened, { name: 'ListenError', code: 'EADDRINUSE' })
  t.equal(await second.closed, 'error')
  const third = new Datagram({ engine, name: 'Third' }).connect(['255.255.255.255', 9])
  const failed = next(third, 'on_connect_error')
  t.match(await failed, [{ name: 'ConnectError', code: 'EACCES' }])
  await third.closed
  third.connect(['255.255.255.255', 9])
  await third.closed
  t.match(logs, [/^Third 255\.255\.255\.255:9: .*EACCES/])
})

t.test('broadcast, ttl and the like, live and as options', async t => {
  const { engine } = setUp(t)
  const any = await new Datagram({ engine, ttl: 4 }).listen(0).opened
  t.match(any.local_address, ['0.0.0.0', Number], 'hops are set for one family: IPv4')
  for (const [name, value] of Object.entries({
    ttl: 5,
    multicast_ttl: 0,
    multicast_loopback: false,
    broadcast: true,
    multicast_interface: '127.0.0.1',
  })) {
    Object.assign(any, { [name]: value })
    t.equal((any as unknown as Record<string, unknown>)[name], value)
  }
  t.throws(() => (any.multicast_interface = 'nowhere'), { name: 'ChannelError' })
  const written = new Datagram({ engine, multicast_ttl: 3 })
  written.write('x', any.local_address)
  await written.opened
  t.match(written.local_address, ['0.0.0.0', Number])
  const given = await new Datagram({ engine, ttl: 9 }).listen(LOOPBACK).opened
  t.match(given.local_address, ['127.0.0.1', Number])
  const connected = await new Datagram({ engine, ttl: 9 }).connect(
    given.local_address as SocketAddress,
  ).opened
  t.equal(connected.ttl, 9)
})

t.test('a socket for both families refuses a setting for one family', unlessIPv6, async t => {
  const { engine } = setUp(t)
  const any = await new Datagram({ engine }).listen(0).opened
  t.match(any.local_address, ['::', Number])
  t.throws(() => (any.ttl = 4), { code: 'ERR_UNSUPPORTED_OPTION' })
  t.equal(any.ttl, null)
})

t.test('groups: join before listening, leave, join again', async t => {
  const { engine } = setUp(t)
  const member = new Datagram({ engine, encoding: 'utf8', multicast_interface: '127.0.0.1' })
  const group = '239.255.77.1'
  member.join(group, '127.0.0.1')
  await member.listen(['0.0.0.0', 0]).opened
  const heard = next(member, 'on_read')
  member.write('all', [group, portOf(member)])
  t.equal((await heard)[0], 'all')
  member.leave(group, '127.0.0.1')
  member.join(group, '127.0.0.1')
  t.throws(() => member.join(group, '203.0.113.1'), { name: 'ChannelError', code: /^E/ })
  for (const wrong of ['10.0.0.1', '', 7, 'example.com', '2240.0.0.1', '239.1.2', '239.1.2.256']) {
    t.throws(() => member.join(wrong as string), InvalidArgumentError)
    t.throws(() => member.leave(wrong as string), InvalidArgumentError)
  }
  t.throws(() => member.join(group, ''), InvalidArgumentError)
  t.throws(() => member.join(group, 7 as unknown as string), InvalidArgumentError)
  const later = new Datagram({ engine })
  later.join('FF02::114')
  later.leave('FF02::114')
})

// ---- misuse, and the defaults of the hooks ------------------------------------------------------

t.test('invalid options and arguments', async t => {
  const { engine } = setUp(t, new MemoryNetwork({ auto: true }))
  t.throws(() => new Datagram({ engine, max_sender: 1 } as DatagramOptions), {
    message: /max_sender/,
  })
  t.throws(() => new Datagram({ engine, ttl: 0 }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => new Datagram({ engine, read_delimiter: '' }), { code: 'ERR_INVALID_DELIMITER' })
  t.throws(() => new Datagram({ engine: {} as Engine }), { code: 'ERR_INVALID_ARGUMENT' })
  t.equal(new Datagram().engine, Engine.instance())

  const datagram = new Datagram({ engine })
  for (const wrong of ['/a/path', { path: '/a/path' }, -1, 'localhost:80', null]) {
    t.throws(() => datagram.listen(wrong as Address), { code: 'ERR_INVALID_ADDRESS' })
    t.throws(() => datagram.connect(wrong as Address), { code: 'ERR_INVALID_ADDRESS' })
    t.throws(() => datagram.write('x', wrong as Address), { code: 'ERR_INVALID_ADDRESS' })
  }
  t.throws(() => (datagram.listen as any)(4040, 'localhost'), {
    code: 'ERR_INVALID_ARGUMENT',
    message: 'listen: an address is one value: listen(["localhost", 4040])',
  })
  t.throws(() => (datagram.connect as any)(4040, { signal: 1 }), {
    message: 'connect: there is no option "signal"; there are none',
  })
  t.throws(() => datagram.close({} as never), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => datagram.connect(0), { code: 'ERR_INVALID_ADDRESS', message: /port 0/ })
  t.throws(() => datagram.write('x', ['127.0.0.1', 0]), { code: 'ERR_INVALID_ADDRESS' })
  for (const wrong of [undefined, null, 7, {}, []])
    t.throws(() => datagram.write(wrong as string, 9), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => datagram.write('x'), { code: 'ERR_INVALID_STATE', message: /no address/ })
  t.equal(datagram.state, 'closed', 'none of them opened it')
})

t.test('calls at the wrong moment', async t => {
  const { engine } = setUp(t, new MemoryNetwork({ auto: true }))
  const datagram = new Datagram({ engine })
  t.equal(datagram.listen(0), datagram)
  t.throws(() => datagram.listen(0), { code: 'ERR_INVALID_STATE', message: /opening/ })
  await datagram.opened
  t.throws(() => datagram.listen(0), { code: 'ERR_INVALID_STATE', message: /active/ })
  t.throws(() => datagram.connect(9), { code: 'ERR_INVALID_STATE', message: /active/ })
  datagram.close()
  t.throws(() => datagram.listen(0), { code: 'ERR_INVALID_STATE', message: /closing.*await/ })
  await datagram.closed
  t.equal(datagram.connect(['localhost', 9]), datagram)
  t.throws(() => datagram.write('x', ['localhost', 10]), { code: 'ERR_INVALID_STATE' })
  t.equal(datagram.write('x', ['localhost', 9]), true, 'as connect was given it')
  datagram.close()
  t.equal(await datagram.closed, 'local')
})

t.test(
  'an invalid field, or a socket that cannot be made, throws and leaves nothing behind',
  async t => {
    class Refusing extends MemoryNetwork {
      override packets(): never {
        throw new Error('no sockets today')
      }
    }
    const { engine } = setUp(t, new Refusing())
    const datagram = new Datagram({ engine })
    t.throws(() => datagram.listen(0), { message: 'no sockets today' })
    t.throws(() => datagram.write('x', 9), { message: 'no sockets today' })
    class Wrong extends Datagram {
      override buffer_size = -1
    }
    t.throws(() => new Wrong({ engine }).listen(0), { code: 'ERR_INVALID_ARGUMENT' })
    t.same([datagram.state, engine.channels.size], ['closed', 0])
  },
)

t.test('while the engine stops nothing is opened', async t => {
  const { engine } = setUp(t, new MemoryNetwork({ auto: true }))
  const datagram = await new Datagram({ engine }).listen(0).opened
  let thrown: unknown
  datagram.on_close = () => {
    try {
      datagram.listen(0)
    } catch (error) {
      thrown = error
    }
  }
  await engine.stop()
  t.match(thrown, { code: 'ERR_INVALID_STATE', message: /stopping/ })
  t.equal(await datagram.closed, 'drain')
})

t.test('by default every error is logged, and what a peer sends closes nothing', async t => {
  const { engine, logs, logged } = setUp(t, new MemoryNetwork({ auto: true }))
  /** Overrides nothing, but lets the test see when on_read was called. */
  class Default extends Datagram {
    seen: () => void = () => {}
    override on_read(...data: any[]) {
      queueMicrotask(this.seen)
      return super.on_read(...data)
    }
  }
  const server = await new Default({
    engine,
    name: 'S',
    read_delimiter: '\n',
    buffer_size: 2,
    max_senders: 1,
  }).listen(0).opened
  const [a, b] = (await Promise.all(
    [1, 2].map(() => new Datagram({ engine }).listen(0).opened),
  )) as [Datagram, Datagram]
  const to = server.local_address as SocketAddress
  a.write('123', to)
  await logged(1)
  a.write('1', to)
  b.write('2', to)
  b.write('\n', to)
  await new Promise<void>(resolve => (server.seen = resolve))
  server.read_delimiter = { cut: () => 0 }
  a.write('x', to)
  await logged(2)
  server.read_delimiter = null
  server.on_read = () => {
    throw Object.assign(new Error('oh'), { code: 'E_OH' })
  }
  a.write('x', to)
  await logged(3)
  t.equal(server.state, 'active')
  t.match(logs, [
    /^S 127\.0\.0\.1:\d+: a read from 127\.0\.0\.1:\d+ has more than 2 bytes .* \(ERR_OVERFLOW\)$/,
    /^S .*: read_delimiter: cut\(\) must return .* \(ERR_INVALID_DELIMITER\)$/,
    /^S .*: oh \(E_OH\)\n    at /,
  ])
})
