/** Stream: its calls in every state, over a network in memory. */

import { Buffer } from 'node:buffer'
import { writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { Client, Connection, Server } from '../../../src/channels/basic.ts'
import { Stream } from '../../../src/channels/streams/stream.ts'
import type { StreamOptions } from '../../../src/channels/streams/stream-options.ts'
import { parseAddress } from '../../../src/core/address.ts'
import { length_prefix } from '../../../src/core/length/length-prefix.ts'
import { NetStruct } from '../../../src/core/struct/net-struct.ts'
import { Struct } from '../../../src/core/struct/struct.ts'
import { DRIVE, Engine } from '../../../src/engine.ts'
import { TlsHandshakeError, WriteError } from '../../../src/errors.ts'
import type { ConnectOptions, Network, TlsOptions } from '../../../src/transport.ts'
import { fate, scene, spy, thrown, turn, until, type World } from '../../kit.ts'
import { hooks, tlsScene } from '../../tls-kit.ts'

/** A client that keeps what it reads, and what it was told. */
class Recorder extends Client {
  override encoding = 'utf8' as const
  log: string[] = []

  override on_read(...data: unknown[]) {
    this.log.push(data.join())
  }

  override on_error(error: Error & { code?: string }) {
    this.log.push(`error ${error.code ?? error.message}`)
  }
}

/** A connection that keeps what it reads. */
class Recording extends Connection {
  static made: ((connection: Recording) => void) | undefined
  text = ''
  override on_connect() {
    Recording.made?.(this)
  }
  override on_read(data: Buffer) {
    this.text += data
  }
}

/** A server on port 1, and the connection that it accepted last. */
async function listen(
  { engine, pump }: World,
  ConnectionClass: new (options: any) => Connection = Connection,
) {
  const server = new Server(ConnectionClass, { engine }).listen(1)
  await pump()
  return { server, last: () => [...server.channels].at(-1) as Connection }
}

t.test('is made', async t => {
  const stream = new Stream()
  t.equal(stream.engine, Engine.instance())
  t.same(
    [stream.state, stream.connected, stream.connecting, stream.suspended],
    ['closed', false, false, false],
  )
  t.same(
    [stream.remote_address, stream.local_address, stream.fileno],
    [undefined, undefined, undefined],
  )
  t.same([stream.bytes_read, stream.bytes_written, stream.bytes_queued], [0, 0, 0])
  t.same(
    [stream.read_delimiter, stream.encoding, stream.buffer_size, stream.backpressure],
    [null, null, 65_536, false],
  )
  const other = new Stream({
    read_delimiter: '\n',
    encoding: 'UTF-8' as never,
    buffer_size: 5,
    name: 'mine',
  })
  t.same(
    [other.read_delimiter, other.encoding, other.buffer_size, other.name],
    ['\n', 'utf8', 5, 'mine'],
  )
  for (const options of [
    { socket: null },
    { socket: {} },
    { socket: 5 },
    { read_delimeter: '\n' },
    { buffer_size: '5' },
    { engine: 5 },
  ]) {
    t.equal(
      thrown(() => new Stream(options as never)),
      'ERR_INVALID_ARGUMENT',
      JSON.stringify(options),
    )
  }
  t.equal(
    thrown(() => new Stream({ read_delimiter: '' })),
    'ERR_INVALID_DELIMITER',
  )
  t.equal(
    thrown(() => {
      stream.read_delimiter = -1
    }),
    'ERR_INVALID_DELIMITER',
  )
})

await scene(t, 'connects', async (t, world) => {
  const { engine, pump } = world
  const { server, last } = await listen(world)
  const log: string[] = []
  const client = spy(new Client({ engine }), 'client', log)
  const { opened } = client
  t.equal(client.connect(['localhost', 1]), client)
  t.same([client.state, client.connecting, client.connected, log], ['opening', true, false, []])
  t.equal(
    thrown(() => client.connect(1)),
    'ERR_INVALID_STATE',
  )
  await pump()
  t.same([client.state, client.connecting, client.connected], ['active', false, true])
  t.same(log, ['client state opening closed', 'client state active opening', 'client connect'])
  t.equal(await opened, client)
  t.same(client.remote_address, ['127.0.0.1', 1])
  t.same(client.local_address, last().remote_address)
  t.equal(
    thrown(() => client.connect(1)),
    'ERR_INVALID_STATE',
  )
  t.throws(() => last().connect(1), { code: 'ERR_INVALID_STATE', message: /accepted by a server/ })
  client.end()
  t.throws(() => client.connect(1), { message: /is closing; await its `closed` first$/ })
  await pump()
  t.equal(server.channels.size, 0)
  t.same([client.state, client.remote_address], ['closed', ['127.0.0.1', 1]])
  t.throws(() => new Connection({ server, socket: undefined as never }))
})

await scene(
  t,
  'an invalid address or option is refused, and changes nothing',
  async (t, { engine }) => {
    const client = new Client({ engine })
    // prettier-ignore
    for (const address of [
      undefined, null, {}, [], '', 0, -1, 65_536, 1.5, NaN, true, ['host'], [5, 5], ['host', '5'],
      '127.0.0.1:80', '80', { port: 0 }, ['', 0], 'x'.repeat(200), 'a\0b',
    ]) {
      t.equal(
        thrown(() => client.connect(address as never)),
        'ERR_INVALID_ADDRESS',
        JSON.stringify(address),
      )
    }
    const options: unknown[] = [
      null,
      5,
      'x',
      { signal: {} },
      { signal: null },
      { lookup: 'dns' },
      { lookup: null },
      { timeout: 5 },
      { connect_timeout: 5 },
    ]
    for (const each of options)
      t.equal(
        thrown(() => client.connect(1, each as never)),
        'ERR_INVALID_ARGUMENT',
        JSON.stringify(each),
      )
    t.throws(() => client.connect(1, { timeout: 5 } as never), {
      message: 'connect: there is no option "timeout"; there are: signal, local_address, lookup',
    })
    // A host without a port is the path of a unix socket. It was silently dropped.
    for (const local_address of ['10.0.0.1', '/a/path', 5.5, [], null]) {
      t.equal(
        thrown(() => client.connect(1, { local_address: local_address as never })),
        'ERR_INVALID_ADDRESS',
        String(local_address),
      )
    }
    t.same([client.state, engine.channels.size], ['closed', 0])
  },
)

t.test('passes its options on to the network', async t => {
  const asked: unknown[] = []
  const network = {
    connect: (to: unknown, options: ConnectOptions) => (asked.push([to, options]), { resume() {} }),
  } as unknown as Network
  const engine = new Engine({
    network,
    clock: { now: () => 0, after: () => () => {}, soon: () => {} },
  })
  const lookup = () => {}
  new Client({ engine }).connect('/path')
  new Client({ engine }).connect(
    { host: '[::1]', port: 80 },
    { local_address: ['127.0.0.1', 0], lookup },
  )
  t.same(asked, [
    [{ kind: 'unix', path: '/path' }, { lend: false }],
    [
      { kind: 'ip', host: '::1', port: 80 },
      { lend: false, local: { kind: 'ip', host: '127.0.0.1', port: 0 }, lookup },
    ],
  ])
})

await scene(t, 'is refused', async (t, { engine, pump, logged }) => {
  const log: string[] = []
  const client = spy(new Client({ engine }), '', log).connect(9)
  await t.rejects(Promise.all([client.opened, pump()]), {
    name: 'ConnectError',
    code: 'ECONNREFUSED',
  })
  t.same(
    log.map(line => line.trim()),
    [
      'state opening closed',
      'state error opening',
      'connect_error ECONNREFUSED',
      'error ECONNREFUSED',
      'state closing error',
      'state closed closing',
      'state destroy closed',
      'close error',
    ],
  )
  t.equal(await client.closed, 'error')
  t.same(logged, [], '`opened` has told it')
  t.equal(client.write('dropped'), false)
})

await scene(t, 'gives up after connect_timeout', async (t, { engine, clock, pump, logged }) => {
  const client = new Client({ engine }).connect(['example.test', 9])
  await turn()
  clock.advance(29_999)
  t.equal(client.state, 'opening')
  clock.advance(1)
  t.equal(client.state, 'closing')
  await pump()
  t.equal(await client.closed, 'timeout')
  await t.rejects(client.opened, { name: 'ConnectError', code: 'ERR_TIMEOUT' })
  t.same(logged, [
    'Client: connecting to example.test:9 took longer than connect_timeout, 30000 ms (ERR_TIMEOUT)',
  ])
  const patient = new Client({ engine, connect_timeout: Infinity }).connect(9)
  t.equal(clock.pending, 0)
  patient.close()
})

await scene(t, 'on_timeout may let the attempt go on', async (t, { engine, clock, pump }) => {
  const client = new Client({ engine })
  client.on_timeout('connect')
  t.equal(client.state, 'closed', 'nothing is connecting')
  const kinds: string[] = []
  client.on_timeout = kind => void kinds.push(kind)
  client.connect(['example.test', 9])
  await turn()
  clock.advance(60_000)
  t.same([kinds, client.state], [['connect', 'connect'], 'opening'])
  client.connect_timeout = Infinity
  clock.advance(90_000)
  t.same([kinds.length, clock.pending], [3, 0])
  client.close()
  await pump()
})

await scene(t, 'is aborted by its signal', async (t, world) => {
  const { engine, clock, pump, logged } = world
  await listen(world)
  const log: string[] = []
  const client = spy(new Client({ engine }), '', log)
  client.connect(1, { signal: AbortSignal.abort('too late') })
  t.equal(client.state, 'opening', 'not in the call')
  await t.rejects(Promise.all([client.opened, pump()]), { code: 'ERR_ABORTED', cause: 'too late' })
  t.equal(await client.closed, 'error')
  t.notOk(log.some(line => line.includes('connect ')))

  const during = new AbortController()
  client.connect(1, { signal: during.signal })
  during.abort()
  t.equal(client.state, 'opening', 'not inside abort(), which anybody may call anywhere')
  await pump()
  t.equal(await client.closed, 'error')
  await t.rejects(client.opened, { code: 'ERR_ABORTED' })
  t.equal(logged.length, 1, 'only that which nobody looked at in time')

  const after = new AbortController()
  client.connect(1, { signal: after.signal })
  await pump()
  after.abort()
  await pump()
  t.equal(client.state, 'active', 'once connected it does nothing')

  const closed = new AbortController()
  const other = new Client({ engine }).connect(1, { signal: closed.signal })
  other.close()
  closed.abort()
  clock.advance(0)
  await pump()
  t.equal(await other.closed, 'local')
})

// The abort waited for a turn, and then only checked whether the client was connecting. A client
// that had been refused meanwhile, and had connected again in on_close, was aborted by the signal
// of its last attempt.
await scene(t, 'a signal aborts its own attempt only', async (t, world) => {
  const { engine, network, clock, pump } = world
  await listen(world)
  const control = new AbortController()
  const client = new Recorder({ engine })
  client.on_close = () => void client.connect(1)
  client.connect(9, { signal: control.signal })
  await turn()
  control.abort()
  for (let round = 0; client.state !== 'opening' || round === 0; round++) network.pump()
  t.same(client.log, ['error ECONNREFUSED'])
  clock.advance(0)
  await pump()
  t.equal(client.state, 'active')
  client.on_close = () => {}
})

await scene(t, 'writes', async (t, world) => {
  const { engine, pump } = world
  const { last } = await listen(world)
  const client = new Recorder({ engine }).connect(1)
  await pump()
  const connection = last()
  t.equal(connection.write('hé'), true)
  t.equal(connection.write('llo '), true)
  t.equal(connection.write(Buffer.from('bytes ')), true)
  t.equal(connection.write(new Uint8Array([33])), true)
  t.equal(connection.bytes_queued, 14)
  await pump()
  t.same(client.log, ['héllo bytes !'])
  t.same([connection.bytes_written, connection.bytes_queued, client.bytes_read], [14, 0, 14])
  t.equal(connection.write('now', true), true)
  connection.flush()
  for (const data of [
    undefined,
    null,
    5,
    {},
    [1, 2],
    true,
    new ArrayBuffer(1),
    new Uint16Array(1),
  ]) {
    t.equal(
      thrown(() => connection.write(data as never)),
      'ERR_INVALID_ARGUMENT',
      String(data),
    )
  }
  // They passed for bytes, and failed later in a call of V8.
  for (const data of [new Proxy(new Uint8Array(1), {}), Object.create(Uint8Array.prototype)])
    t.equal(
      thrown(() => connection.write(data)),
      'ERR_INVALID_ARGUMENT',
    )
  // "must be a string or a Uint8Array; got an object (Uint8Array)"
  t.equal(connection.write(runInNewContext('Uint8Array.of(33)')), true, 'of another realm')
  // Node's write takes an encoding or a callback there. Here the encoding was ignored, and the
  // callback never called.
  for (const flush of ['utf8', () => {}, 1]) {
    t.equal(
      thrown(() => connection.write('x', flush as never)),
      'ERR_INVALID_ARGUMENT',
    )
    t.equal(
      thrown(() => connection.close(flush as never)),
      'ERR_INVALID_ARGUMENT',
    )
    t.equal(
      thrown(() => connection.write_file('/etc/hosts', 0, 0, flush as never)),
      'ERR_INVALID_ARGUMENT',
    )
  }
  await pump()
  t.same(client.log, ['héllo bytes !', 'now!'])
  connection.close()
  for (const call of [
    () => connection.write('x'),
    () => connection.write_packed(1),
    () => connection.write_file('/none'),
  ])
    t.equal(call(), false)
  connection.flush()
  await pump()
  t.equal(connection.write('x', true), false)
})

await scene(t, 'writes nothing before it connects', async (t, { engine, pump }) => {
  const client = new Client({ engine })
  const calls = [
    () => client.write('x'),
    () => client.write(''),
    () => client.write_packed(new Struct('!B'), 1),
    () => client.write_file('/none'),
    () => client.flush(),
  ]
  for (const call of calls)
    t.throws(call, {
      code: 'ERR_INVALID_STATE',
      message: /the stream is not connected; connect\(\) it first/,
    })
  client.connect(9)
  client.on_error = () => {
    for (const call of calls) t.doesNotThrow(call, 'that it failed is no mistake of the program')
  }
  for (const call of calls) t.doesNotThrow(call)
  await pump()
  for (const call of calls) t.doesNotThrow(call)
})

await scene(t, 'what is written while it connects goes out first', async (t, world) => {
  const { engine, pump } = world
  const { last } = await listen(world, Recording)
  const log: string[] = []
  const client = spy(new Client({ engine, send_high_water: 8 }), '', log)
  client.on_connect = () => void client.write('from on_connect')
  client.connect(1)
  t.equal(client.write(''), true)
  t.equal(client.write('one ', true), true)
  client.flush()
  t.equal(client.write('two '), false, 'within the same bounds')
  t.equal(client.bytes_queued, 8)
  await pump()
  t.equal((last() as Recording).text, 'one two from on_connect')
  t.equal(log.filter(line => line === ' write').length, 1)
  const ending = new Client({ engine }).connect(1)
  ending.write('all')
  ending.half_close()
  t.equal(ending.write('too late'), false)
  const silent = new Client({ engine }).connect(1)
  silent.half_close()
  silent.on_connect = () => void t.equal(silent.write('too late'), false)
  const connections: Recording[] = []
  Recording.made = connection => connections.push(connection)
  await pump()
  t.same(
    connections.map(({ text }) => text),
    ['all', ''],
  )
  t.same([ending.state, silent.state], ['closed', 'closed'])
})

await scene(
  t,
  'what is written while it connects is bounded, and dropped if that fails',
  async (t, world) => {
    const { engine, pump } = world
    const client = new Recorder({ engine, send_buffer_size: 4 }).connect(9)
    client.write('12345')
    t.equal(client.write('6'), false)
    t.same(client.log, ['error ERR_OVERFLOW'])
    await pump()
    t.same(client.log, ['error ERR_OVERFLOW', 'error ECONNREFUSED'])
    t.same([client.state, client.bytes_queued], ['closed', 0])
  },
)

await scene(t, 'write_packed', async (t, world) => {
  const { engine, pump } = world
  const { last } = await listen(world)
  const client = new Recorder({
    engine,
    read_delimiter: new Struct('!HB'),
    encoding: null as never,
  }).connect(1)
  await pump()
  const connection = last()
  t.equal(
    thrown(() => connection.write_packed(1, 2)),
    'ERR_INVALID_ARGUMENT',
    'there is no Struct',
  )
  t.equal(
    thrown(() => connection.write_packed({ pack: () => 'x' } as never, 2)),
    'ERR_INVALID_ARGUMENT',
    'an object that only packs is no Struct',
  )
  t.equal(
    thrown(() => connection.write_packed()),
    'ERR_INVALID_ARGUMENT',
  )
  connection.write_packed(new Struct('!HB'), 1, 2)
  // @ts-expect-error: values after a format are checked against it
  const mistyped = () => connection.write_packed(new Struct('!HB'), 'no number', 2)
  t.equal(thrown(mistyped), 'ERR_STRUCT')
  connection.read_delimiter = new Struct('!HB')
  connection.write_packed(3, 4)
  t.equal(
    thrown(() => connection.write_packed(3, 400)),
    'ERR_STRUCT',
  )
  t.equal(
    thrown(() => connection.write_packed(3)),
    'ERR_STRUCT',
  )
  await pump()
  t.same(client.log, ['1,2', '3,4'])
  client.encoding = 'utf8'
  client.read_delimiter = new NetStruct('B$')
  connection.write_packed(new NetStruct('B$'), 'text')
  await pump()
  client.read_delimiter = length_prefix({ size: 2 })
  connection.write_packed(length_prefix({ size: 2 }), 'framed')
  await pump()
  t.same(client.log.slice(2), ['text', 'framed'])
})

// With the encoding latin1 or hex, an echo by write_packed changed what it had read (it wrote
// UTF-8), and one by `write(line + '\n')` in hex lost its line ends.
await scene(t, 'an echo of text in any encoding gives back the same bytes', async (t, world) => {
  const { engine, pump } = world
  const { last } = await listen(world)
  for (const encoding of ['latin1', 'utf16le', 'hex', 'base64', 'base64url', 'utf8'] as const) {
    const client = new Recorder({ engine, encoding: 'latin1' }).connect(1)
    await pump()
    const connection = last()
    Object.assign(connection, { encoding })
    connection.on_read = (text: string) => void connection.write_packed(text)
    connection.read_delimiter = length_prefix({ size: 2 })
    client.write('\0\x04\x41\x31\x39\x31')
    await pump()
    t.equal(client.log.join(''), '\0\x04\x41\x31\x39\x31', encoding)
    if (encoding === 'hex')
      t.equal(
        thrown(() => connection.write('0a\n')),
        'ERR_INVALID_ARGUMENT',
      )
    client.close()
    await pump()
  }
})

await scene(t, 'write_file', async (t, world) => {
  const { engine, pump } = world
  const { last } = await listen(world)
  const path = join(t.testdir({ 'a.txt': '0123456789' }), 'a.txt')
  const client = new Recorder({ engine }).connect(1)
  await pump()
  const connection = last()
  /** Waits until the far end has it: files are read by threads. */
  const sent = async (text: string) => {
    while (client.log.join('') !== text) await pump()
    client.log = []
  }
  connection.write('<')
  t.equal(connection.write_file(path), false, 'a file is long')
  connection.write('>')
  await sent('<0123456789>')
  const handle = await open(path)
  connection.write_file(pathToFileURL(path), 3)
  connection.write_file(handle, 3, 3)
  connection.write_file(handle.fd, 0, 6, true)
  connection.write_file(path, 100, 8)
  connection.write_file(path, 1, 100)
  await sent('012345678989')
  await handle.close()
  for (const file of [undefined, null, '', {}, -1, 1.5, new URL('http://x')])
    t.equal(
      thrown(() => connection.write_file(file as never)),
      'ERR_INVALID_ARGUMENT',
    )
  for (const size of [-1, 1.5, NaN, '5', null]) {
    t.equal(
      thrown(() => connection.write_file(path, size as never)),
      'ERR_INVALID_ARGUMENT',
    )
    t.equal(
      thrown(() => connection.write_file(path, 0, size as never)),
      'ERR_INVALID_ARGUMENT',
    )
  }
  const errors: unknown[] = []
  connection.on_write_error = error => void errors.push(error)
  connection.write_file(`${path}.none`)
  connection.write_file(join(path, '..'))
  connection.write('on it goes')
  await sent('on it goes')
  t.match(errors, [{ name: 'WriteError', code: 'ENOENT' }, { code: 'EISDIR' }])
  // An object that only looks like a FileHandle may reject with any value. It was taken for an
  // Error, and the process ended.
  const odd = { stat: () => Promise.reject(undefined), read: () => {} }
  connection.write_file(odd as never)
  while (errors.length < 3) await pump()
  t.match(errors[2], { code: 'ERR_WRITE', message: 'undefined' })
  writeFileSync(path, 'x'.repeat(1_000_000))
  connection.write_file(path)
  connection.end()
  await sent('x'.repeat(1_000_000))
  await pump()
  t.equal(await connection.closed, 'local')
})

await scene(t, 'closes in every state', async (t, world) => {
  const { engine, pump } = world
  await listen(world)
  for (const flush of [false, true]) {
    const never = new Client({ engine })
    never.close(flush)
    never.end()
    t.equal(never.state, 'closed')
    const log: string[] = []
    const opening = spy(new Client({ engine }), '', log).connect(1)
    opening.close(flush)
    opening.close(flush)
    t.equal(opening.state, 'closing', 'nothing to flush, so at once')
    await pump()
    t.equal(await opening.closed, 'local')
    await t.rejects(opening.opened, { code: 'ERR_CLOSED' })
    t.same(log, [
      ' state opening closed',
      ' state closing opening',
      ' state closed closing',
      ' state destroy closed',
      ' close local',
    ])
    opening.connect(1)
    await pump()
    opening.close(flush)
    opening.close(true)
    opening.close()
    await pump()
    opening.close(flush)
    t.equal(opening.state, 'closed')
    t.equal(log.filter(line => line === ' close local').length, 2, 'once each opening')
  }
})

await scene(t, 'what its hooks do by default', async (t, world) => {
  const { engine, pump, logged, network } = world
  const { last } = await listen(world)
  const client = new Client({ engine, read_delimiter: '\n', buffer_size: 2 }).connect(1)
  await pump()
  last().write('a\n')
  await pump()
  last().write('abc')
  await pump()
  t.equal(await client.closed, 'overflow')
  t.match(logged.splice(0), [/more than 2 bytes \(buffer_size\).* \(ERR_OVERFLOW\)$/])

  client.connect(1)
  await pump()
  last().end()
  await pump()
  t.equal(await client.closed, 'remote')

  client.connect(1)
  await pump()
  for (const transport of network.transports) network.reset(transport)
  await pump()
  t.equal(await client.closed, 'error')
  t.match(
    logged.splice(0).filter(line => line.startsWith('Client')),
    [/^Client 127\.0\.0\.1:1: read ECONNRESET$/],
  )

  client.connect(1)
  await pump()
  const connection = last()
  connection.close()
  client.write('x')
  await pump()
  logged.splice(0)
  connection.on_write_error(new WriteError('EPIPE', 'a hook can be called'))
  t.match(logged, [/^Connection .*: a hook can be called \(EPIPE\)/])
})

await scene(t, 'connects again in on_close', async (t, world) => {
  const { engine, pump } = world
  const { server, last } = await listen(world)
  let openings = 0
  const client = new (class extends Recorder {
    override read_delimiter = '\n'
    override on_connect() {
      openings++
    }
    override on_close() {
      if (openings < 3) this.connect(1)
    }
  })({ engine }).connect(1)
  for (let n = 1; n <= 3; n++) {
    await pump()
    t.equal(openings, n)
    last().write(`half ${n}`)
    await pump()
    last().close()
    await pump()
  }
  t.same([client.state, client.log, server.channels.size], ['closed', [], 0])
})

/** Accepts with a class, and lets one client connect. */
async function accept(world: World, ConnectionClass: new (options: any) => Connection) {
  const { server } = await listen(world, ConnectionClass)
  const client = new Client({ engine: world.engine }).connect(1)
  await world.pump()
  return { server, client }
}

// A connection that was closed in its own constructor had not been opened yet. Its server kept it
// among its channels forever, server.close() and engine.stop() never ended, and `opened` never
// settled.
await scene(t, 'closed in its own constructor', async (t, world) => {
  const log: string[] = []
  let opened: Promise<unknown> | undefined
  const { server, client } = await accept(
    world,
    class extends Connection {
      constructor(options: ConstructorParameters<typeof Connection>[0]) {
        super(options)
        spy(this, '', log)
        opened = this.opened
        this.close()
        t.equal(this.write('x'), false)
      }
    },
  )
  t.same(log, [
    ' state opening closed',
    ' state closing opening',
    ' state closed closing',
    ' state destroy closed',
    ' close local',
  ])
  t.match(await fate(opened!), /^rejected ERR_CLOSED/)
  t.equal(server.channels.size, 0)
  t.equal(client.state, 'closed')
})

// `closed` of a new connection resolved at once: the connection had not been opened yet, so it
// counted as closed.
await scene(t, 'closed is the promise of the next opening', async (t, world) => {
  let closed: Promise<unknown> | undefined
  let state: string | undefined
  const { client } = await accept(
    world,
    class extends Connection {
      constructor(options: ConstructorParameters<typeof Connection>[0]) {
        super(options)
        closed = this.closed
        state = this.state
      }
    },
  )
  t.equal(state, 'opening')
  t.equal(await fate(closed!), 'open')
  client.close()
  await world.pump()
  t.equal(await closed, 'remote')
})

await scene(t, 'an invalid class field', async (t, world) => {
  const log: string[] = []
  let opened: Promise<unknown> | undefined
  const { server } = await accept(
    world,
    class extends Connection {
      override buffer_size = -1
      override on_error(error: Error) {
        log.push(error.message)
        super.on_error(error)
      }
      override on_close(reason: string) {
        log.push(reason)
      }
      constructor(options: ConstructorParameters<typeof Connection>[0]) {
        super(options)
        opened = this.opened
      }
    },
  )
  t.same(log, ['buffer_size must be an integer of at least 1, or Infinity; got -1', 'error'])
  t.equal(await fate(opened!), 'rejected ERR_INVALID_ARGUMENT')
  t.equal(server.channels.size, 0)
  const client = new (class extends Client {
    override encoding = 'klingon' as never
  })({ engine: world.engine })
  t.equal(
    thrown(() => client.connect(1)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(client.state, 'closed')
  client.encoding = 'utf8' as never
  client.connect(1)
  t.equal(client.encoding, 'utf8')
})

// Two channels could take over one socket. The one that lost it was never told of its end, and
// engine.stop() waited for it forever.
await scene(t, 'a socket is taken over once', async (t, world) => {
  const { engine, pump } = world
  const faults: string[] = []
  const server = new (class extends Server {
    override on_accept(socket: never, address: never) {
      super.on_accept(socket, address)
      faults.push(
        thrown(() => new Connection({ server: this, socket })),
        thrown(() => new Stream({ engine, socket } as StreamOptions)),
      )
    }
  })({ engine }).listen(1)
  await pump()
  const client = new Client({ engine }).connect(1)
  await pump()
  t.same(faults, ['ERR_INVALID_STATE', 'ERR_INVALID_STATE'])
  t.same([server.channels.size, client.state], [1, 'active'])
})

await scene(t, 'settings three ways', async (t, world) => {
  const { engine, pump } = world
  await listen(
    world,
    class extends Connection {
      override on_connect() {
        this.write('one,two\nthree,four\n')
      }
    },
  )
  class Lines extends Recorder {
    override read_delimiter = '\n'
    #count = 0
    after = 'kept'
    override on_read = (line: string) => {
      this.log.push(`${++this.#count} ${line}`)
    }
  }
  const field = new Lines({ engine }).connect(1)
  const option = new Lines({ engine, read_delimiter: ',' }).connect(1)
  const assigned = new Lines({ engine })
  assigned.read_delimiter = 'o'
  assigned.connect(1)
  await pump()
  t.same(field.log, ['1 one,two', '2 three,four'])
  t.same(option.log, ['1 one', '2 two\nthree'])
  t.same(assigned.log, ['1 ', '2 ne,tw', '3 \nthree,f'])
  t.equal(field.after, 'kept')
  field.read_delimiter = 3 as never
  t.equal(field.read_delimiter, 3)
  t.equal(Object.hasOwn(field, 'read_delimiter'), false)
})

await tlsScene(
  t,
  'start_tls: by a call, an option, a field or an assignment; in a constructor and in a hook',
  async (t, { SERVER, CLIENT, engine, listen, connect }) => {
    const server = await listen(
      class extends Connection {
        constructor(options: any) {
          super(options)
          this.start_tls(SERVER)
        }
      },
    )
    const field = class extends Client {
      override tls: TlsOptions = CLIENT
    }
    const assigned = new Client({ engine })
    assigned.tls = CLIENT
    const clients = [
      connect(server, { tls: CLIENT }),
      connect(server, {}, field),
      assigned.connect(server.local_address!),
      new Client({ engine }).start_tls(CLIENT).connect(server.local_address!),
    ]
    t.same(
      clients.map(client => client.tls),
      [undefined, undefined, undefined, undefined],
      'not yet',
    )
    for (const client of clients) {
      await client.opened
      t.equal(client.tls?.protocol, 'TLSv1.3')
      client.close()
      await client.closed
      t.equal(client.tls?.protocol, 'TLSv1.3', 'still known')
    }
    const [again] = clients
    await again!.connect(server.local_address!).opened
    t.ok(again!.tls, 'whenever it connects')
  },
)

await tlsScene(
  t,
  'start_tls: a connection with options of its own, wrong ones too',
  async (t, { SERVER, CLIENT, listen, connect, far, logged }) => {
    const server = await listen(
      class extends Connection {
        override tls: TlsOptions = SERVER
      },
    )
    await connect(server, { tls: CLIENT }).opened
    const wrong = await listen(
      class extends Connection {
        override tls: TlsOptions = {}
      },
    )
    await connect(wrong, { tls: CLIENT }).closed
    t.match(hooks(far).at(-1), 'close error')
    t.match(logged.splice(0).join(), /tls of a server must be options with a certificate/)
  },
)

await tlsScene(
  t,
  'start_tls: when it is refused',
  async (t, { CLIENT, engine, SERVER, listen, connect, accepted }) => {
    const client = new Client({ engine })
    t.equal(
      thrown(() => client.start_tls({ handshakeTimeout: 1 } as TlsOptions)),
      'ERR_INVALID_ARGUMENT',
    )
    client.start_tls(CLIENT)
    t.equal(
      thrown(() => client.start_tls(CLIENT)),
      'ERR_INVALID_STATE',
      'twice',
    )
    t.equal(
      thrown(() => new Client({ engine, tls: { cert: 'no PEM' } }).connect(1)),
      'ERR_INVALID_ARGUMENT',
      'told at connect',
    )

    const server = await listen(Connection, { tls: SERVER })
    await client.connect(server.local_address!).opened
    const connection = await accepted(server)
    client.end()
    t.equal(
      thrown(() => client.start_tls(CLIENT)),
      'ERR_INVALID_STATE',
      'while it closes',
    )
    await connection.closed
    t.equal(
      thrown(() => connection.start_tls(SERVER)),
      'ERR_INVALID_STATE',
      'closed for good',
    )

    let code = ''
    const failing = connect(server, { tls: {} })
    failing.on_tls_handshake_error = () => void (code = thrown(() => failing.start_tls(CLIENT)))
    await failing.closed
    t.equal(code, 'ERR_INVALID_STATE', 'when it has failed')
  },
)

await tlsScene(t, 'the hooks of TLS and their defaults', async (t, { listen, connect }) => {
  const client = connect(await listen())
  await client.opened
  t.equal(client.on_tls_handshake(), undefined)
  const told: unknown[] = []
  client.on_error = error => void told.push(error)
  const error = new TlsHandshakeError('', 'one')
  for (const hook of ['on_tls_handshake_error', 'on_tls_error'] as const) client[hook](error)
  t.same(told, [error, error])
})

await tlsScene(
  t,
  'a write during the handshake of a connection is dropped',
  async (t, { SERVER, engine, listen, accepted }) => {
    const server = await listen(Connection, { tls: SERVER })
    const mute = engine[DRIVE].network.connect(parseAddress(server.local_address!), {})
    const connection = await accepted(server)
    await until(() => connection.state === 'opening')
    t.same([connection.write('early'), connection.tls], [false, undefined])
    mute.destroy()
  },
)

await scene(t, 'half-closes', async (t, world) => {
  const { engine, pump } = world
  await listen(
    world,
    class extends Connection {
      override on_read_end() {
        this.write('answer')
        this.end()
      }
    },
  )
  const client = new Recorder({ engine })
  t.equal(
    thrown(() => client.half_close()),
    'ERR_INVALID_STATE',
  )
  client.connect(1)
  await pump()
  client.half_close()
  t.same([client.write('x'), client.state], [false, 'active'])
  await pump()
  t.same([client.log, client.state], [['answer'], 'closed'])
  client.half_close()
})
