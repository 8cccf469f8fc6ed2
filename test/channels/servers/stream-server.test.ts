/**
 * StreamServer: its settings, calls and hooks, over a network in memory. What happens between them
 * is tested in server-link.test.ts.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection, Server } from '../../../src/channels/basic.ts'
import { StreamServer } from '../../../src/channels/servers/stream-server.ts'
import { Stream } from '../../../src/channels/streams/stream.ts'
import { Engine } from '../../../src/engine.ts'
import { MemoryNetwork } from '../../../src/io/memory/network.ts'
import { scene, spy, thrown, until } from '../../kit.ts'
import { tlsScene } from '../../tls-kit.ts'

t.test('is made', async t => {
  const server = new StreamServer()
  t.equal(server.engine, Engine.instance())
  t.same(
    [server.ConnectionClass, server.max_connections, server.backlog, server.end_timeout],
    [Stream, Infinity, 1024, 30_000],
  )
  t.same(
    [server.state, server.listening, server.local_address, server.fileno, server.channels.size],
    ['closed', false, undefined, undefined, 0],
  )
  t.equal(server.broadcast('to nobody'), 0)
  for (const options of [
    { max_connections: -1 },
    { max_connections: '5' },
    { backlog: 0 },
    { backlog: 1.5 },
    { end_timeout: 0 },
    { ConnectionClass: null },
    { ConnectionClass: class {} },
    { ConnectionClass: StreamServer },
    { encoding: 'utf8' },
    { engine: null },
  ])
    t.equal(
      thrown(() => new StreamServer(options as never)),
      'ERR_INVALID_ARGUMENT',
      JSON.stringify(options),
    )
  t.equal(
    thrown(() => {
      server.backlog = 0
    }),
    'ERR_INVALID_ARGUMENT',
  )
  for (const call of [() => server.close(), () => server.close(true), () => server.end()]) call()
  t.equal(server.state, 'closed')
  t.equal(
    thrown(() => server.close('now' as never)),
    'ERR_INVALID_ARGUMENT',
  )
})

await scene(t, 'listens', async (t, { engine, pump, clock }) => {
  const log: string[] = []
  const server = spy(new StreamServer({ engine }), '', log)
  const { opened } = server
  t.equal(server.listen(0), server)
  t.same(
    [server.state, server.listening, server.local_address, log],
    ['opening', false, undefined, []],
  )
  t.throws(() => server.listen(2), {
    code: 'ERR_INVALID_STATE',
    message: /^listen\(\): the server is opening; make another for/,
  })
  await pump()
  t.same([server.state, server.listening], ['active', true])
  t.same(log, [' state opening closed', ' state active opening', ' listen'])
  t.equal(await opened, server)
  const [host, port] = server.local_address as [string, number]
  t.equal(host, '127.0.0.1')
  t.ok(port > 0)
  t.throws(() => server.listen(2), {
    message: /^listen\(\): the server is active; make another for/,
  })
  server.close()
  t.throws(() => server.listen(2), {
    message: /^listen\(\): the server is closing; await its `closed` first/,
  })
  server.close()
  server.end()
  await pump()
  t.equal(await server.closed, 'local')
  t.same(server.local_address, [host, port], 'still there')
  t.same(log.slice(3), [
    ' state closing active',
    ' state closed closing',
    ' state destroy closed',
    ' close local',
  ])
  server.listen('/a/path')
  t.equal(server.local_address, undefined)
  await pump()
  t.equal(server.local_address, '/a/path')
  server.close(true)
  await pump()
  t.equal(clock.pending, 0)
  for (const address of [undefined, null, {}, -1, 65_536, '', '80', ['::', '80']])
    t.equal(
      thrown(() => server.listen(address as never)),
      'ERR_INVALID_ADDRESS',
    )
  t.equal(server.state, 'closed')
})

await scene(t, 'options of listen', async (t, { engine, pump }) => {
  const server = new StreamServer({ engine })
  for (const options of [null, 5, { reuse_port: 1 }, { reusePort: true }])
    t.equal(
      thrown(() => server.listen(1, options as never)),
      'ERR_INVALID_ARGUMENT',
      JSON.stringify(options),
    )
  t.equal(
    thrown(() => server.listen(1, { reuse_port: true })),
    'ERR_UNSUPPORTED_OPTION',
    'in memory no two listen at one port',
  )
  t.same([server.state, engine.channels.size], ['closed', 0], 'and the state is as it was')
  server.listen(1, { reuse_port: false })
  await pump()
  t.equal(server.listening, true)
})

await scene(t, 'does not listen while the engine stops', async (t, { engine, pump, network }) => {
  const stopped = engine.stop()
  const server = new StreamServer({ engine })
  t.equal(
    thrown(() => server.listen(1)),
    'ERR_INVALID_STATE',
  )
  await pump()
  await stopped
  t.same([server.state, engine.channels.size], ['closed', 0])
  await pump()
  const other = await new StreamServer({ engine }).listen(1)
  await pump()
  t.equal(other.listening, true, 'nobody listens there')
  t.equal(network.transports.length, 0)
})

await scene(t, 'cannot listen', async (t, { engine, pump, logged }) => {
  const first = new StreamServer({ engine }).listen(1)
  await pump()
  const log: string[] = []
  const second = spy(new StreamServer({ engine }), '', log).listen(1)
  const { opened } = second
  await pump()
  await t.rejects(opened, { name: 'ListenError', code: 'EADDRINUSE' })
  t.same(log, [
    ' state opening closed',
    ' state error opening',
    ' listen_error EADDRINUSE',
    ' error EADDRINUSE',
    ' state closing error',
    ' state closed closing',
    ' state destroy closed',
    ' close error',
  ])
  t.same(logged, [], '`opened` has told it')
  t.equal(first.state, 'active')
  first.close()
  await pump()
  second.listen(1)
  await pump()
  t.equal(second.state, 'active', 'and can listen later')
})

await scene(t, 'closed before and while it begins to listen', async (t, { engine, pump }) => {
  const early = new StreamServer({ engine }).listen(1)
  early.close(true)
  await pump()
  await t.rejects(early.opened, { code: 'ERR_CLOSED' })
  t.equal(await early.closed, 'local')
  const told = new StreamServer({ engine })
  told.on_state = state => {
    if (state === 'active') told.close()
  }
  told.on_listen = () => void t.fail('on_state has closed it')
  told.listen(1)
  await pump()
  t.equal(told.state, 'closed')
  class Field extends StreamServer {
    override max_connections = -1
  }
  const field = new Field({ engine })
  t.equal(
    thrown(() => field.listen(1)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(field.state, 'closed')
})

await scene(t, 'accepts', async (t, { engine, pump }) => {
  const log: string[] = []
  class Mine extends Stream {
    override on_connect() {
      log.push(`connect ${this.remote_address}`)
    }
  }
  const server = spy(new StreamServer({ engine, ConnectionClass: Mine }), 'server', log).listen(1)
  await pump()
  const client = new Client({ engine }).connect(1)
  await pump()
  t.equal(log.at(-1), `connect ${client.local_address}`)
  t.equal(server.channels.size, 1)
  t.equal([...server.channels][0]!.engine, engine)
  client.close()
  await pump()
  t.equal(server.channels.size, 0)
  const bare = new StreamServer({ engine }).listen(2)
  await pump()
  new Client({ engine }).connect(2)
  await pump()
  t.equal([...bare.channels][0]!.constructor, Stream)
})

await scene(t, 'errors that do not close the server', async (t, { engine, pump, logged }) => {
  const server = new StreamServer({ engine, max_connections: 0 }).listen(1)
  await pump()
  server.on_error(new Error('of one connection'))
  t.equal(server.state, 'active', 'the others have no part in it')
  t.match(logged, [/of one connection/])
  const client = new Client({ engine }).connect(1)
  await pump()
  t.same(
    [client.state, server.on_overload()],
    ['closed', undefined],
    'turned away silently, by default',
  )
})

await scene(
  t,
  'only a trusted proxy may say whose a connection is',
  async (t, { engine, pump }) => {
    const server = new StreamServer({ engine, proxy_protocol: 'require' })
    t.throws(() => server.listen(1), {
      code: 'ERR_INVALID_ARGUMENT',
      message:
        /proxy_trusted must be a BlockList of the proxies.*anyone could claim to be someone else/,
    })
    t.equal(server.state, 'closed')
    server.proxy_trusted = { check: () => true }
    server.listen(1)
    await pump()
    t.equal(server.state, 'active')
  },
)

await scene(t, 'the options of end', async (t, { engine, pump }) => {
  const server = new StreamServer({ engine }).listen(1)
  await pump()
  for (const options of [
    { batch: 0, interval: 1 },
    { batch: 1 },
    { interval: 1 },
    { batch: 1, interval: 0 },
    null,
    { batch: '1', interval: 1 },
  ]) {
    t.equal(
      thrown(() => server.end(options as never)),
      'ERR_INVALID_ARGUMENT',
      JSON.stringify(options),
    )
  }
  t.equal(server.state, 'active')
  server.end({ batch: 1, interval: 1 })
  t.equal(server.state, 'closing')
  server.close(true)
  await pump()
  t.equal(await server.closed, 'local')
})

await tlsScene(t, 'start_tls: every connection', async (t, { SERVER, CLIENT, engine, connect }) => {
  const server = new Server(
    class extends Connection {
      override on_connect() {
        this.write('hello')
      }
    },
    { engine },
  )
  t.equal(
    thrown(() => server.set_tls(SERVER)),
    'ERR_INVALID_STATE',
    'not in clear',
  )
  t.equal(
    thrown(() => server.start_tls({})),
    'ERR_INVALID_ARGUMENT',
    'no certificate',
  )
  t.equal(server.start_tls(SERVER), server)
  // `null` means none, as undefined does: a field with it was TLS that had been started.
  class InClear extends Server {
    override tls = null
  }
  t.match(
    thrown(() => new InClear({ engine }).set_tls(SERVER)),
    'ERR_INVALID_STATE',
  )
  t.doesNotThrow(() => new InClear({ engine }).start_tls(SERVER))
  t.equal(
    thrown(() => server.start_tls(SERVER)),
    'ERR_INVALID_STATE',
    'twice',
  )
  await server.listen(['127.0.0.1', 0]).opened
  t.equal(
    thrown(() => server.start_tls(SERVER)),
    'ERR_INVALID_STATE',
    'too late',
  )
  const client = connect(server, { tls: CLIENT })
  await until(() => client.bytes_read === 5)

  const bad = new Server(Connection, { engine, tls: { key: 'x', cert: 'y' } })
  t.equal(
    thrown(() => bad.listen(1)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(bad.state, 'closed')
})

await tlsScene(
  t,
  'set_tls: new connections get the new certificate, the old go on',
  async (t, { SERVER, CLIENT, renewed, listen, connect, accepted }) => {
    const server = await listen(
      class extends Connection {
        override on_read(data: Buffer) {
          this.write(data)
        }
      },
      { tls: SERVER },
    )
    const name = (client: Stream): unknown => client.tls?.peer_certificate?.subject.CN
    const before = connect(server, { tls: CLIENT })
    await before.opened
    await accepted(server)
    const options = { key: renewed.key, cert: renewed.cert }
    server.set_tls(options)
    t.equal(
      thrown(() => server.set_tls({ key: 'x', cert: 'y' })),
      'ERR_INVALID_ARGUMENT',
    )
    const after = connect(server, { tls: CLIENT })
    await after.opened
    t.same([name(before), name(after)], ['server', 'renewed'])
    before.write('still here')
    await until(() => before.bytes_read === 10)
    // The same object again, with other contents.
    Object.assign(options, SERVER)
    server.set_tls(options)
    const last = connect(server, { tls: CLIENT })
    await last.opened
    t.equal(name(last), 'server')
  },
)

t.test('adopts a socket only while it listens', async t => {
  const engine = new Engine({ network: new MemoryNetwork({ auto: true }) })
  const server = new StreamServer({ engine })
  const { PassThrough } = await import('node:stream')
  const socket = new PassThrough()
  t.throws(() => server.adopt(socket), { code: 'ERR_INVALID_STATE' })
  await server.listen(1).opened
  const accepted = new Promise(resolve => (server.on_accept = socket => resolve(socket)))
  server.adopt(socket)
  t.ok(await accepted)
  server.close()
  await server.closed
})
