/**
 * How a stream comes to speak TLS: from the first byte on, in the middle of a connection, or not at
 * all.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection } from '../../../src/channels/basic.ts'
import { demandOf, tlsTooLate, tlsTwice } from '../../../src/channels/streams/tls-start.ts'
import { parseAddress } from '../../../src/core/address.ts'
import { DRIVE } from '../../../src/engine.ts'
import type { Address } from '../../../src/types.ts'
import { until } from '../../kit.ts'
import { hooks, tlsScene } from '../../tls-kit.ts'

await tlsScene(
  t,
  'from the first byte on: the handshake comes before on_connect',
  async (t, scene) => {
    const server = await scene.listen(Connection, { tls: scene.SERVER })
    const client = scene.connect(server, { tls: scene.CLIENT })
    await client.opened
    await until(() => scene.far.length === 4)
    t.same(hooks(scene.near), ['tls_handshake', 'connect'])
    t.same(hooks(scene.far), ['tls_handshake', 'connect'])
  },
)

await tlsScene(
  t,
  'in the middle: what was written before goes out in clear, what after is encrypted',
  async (t, scene) => {
    const { SERVER, CLIENT } = scene
    const server = await scene.listen(
      class extends Connection {
        override encoding = 'latin1' as const
        override read_delimiter = '\n'
        override on_read(line: string) {
          if (line !== 'STARTTLS') return void this.write(`${line}\n`)
          // More than the pipe holds, so that it has to wait for its turn.
          this.write(`${'x'.repeat(200_000)}\n`)
          this.start_tls(SERVER)
          this.write('welcome\n')
        }
      },
    )
    const lines: string[] = []
    const client = scene.connect(
      server,
      { read_delimiter: '\n', buffer_size: 300_000 },
      class extends Client {
        declare encoding: 'latin1'
        override on_connect() {
          this.write('STARTTLS\n')
        }
        override on_read(line: string) {
          lines.push(line.slice(0, 10))
          if (lines.length === 1) this.start_tls(CLIENT).write('hello\n')
        }
      },
    )
    await until(() => lines.length === 3)
    t.same(lines, ['xxxxxxxxxx', 'welcome', 'hello'])
    t.same(
      [client.tls?.protocol, client.bytes_written, client.bytes_read],
      ['TLSv1.3', 15, 200_015],
    )
    t.same(
      hooks(scene.near).filter(line => !line.startsWith('read')),
      ['connect', 'write', 'tls_handshake', 'write'],
    )
  },
)

/**
 * Who stands between the two appends a command of its own, in clear, to the line that asks for TLS.
 * A program that goes on with its buffer after the handshake takes it for what the client said
 * under TLS (CVE-2011-0411, in most mail servers of its time).
 */
await tlsScene(
  t,
  'what came in clear behind the line that asks for TLS is refused, and never read',
  async (t, scene) => {
    const { SERVER } = scene
    const reads: string[] = []
    const server = await scene.listen(
      class extends Connection {
        override encoding = 'latin1' as const
        override read_delimiter = '\n'
        override on_read(line: string) {
          reads.push(line)
          this.write('go on\n')
          this.start_tls(SERVER)
        }
      },
    )
    const client = scene.connect(server)
    await client.opened
    client.write('STARTTLS\nRCPT TO: me\n')
    const connection = await scene.accepted(server)
    t.equal(await connection.closed, 'error')
    t.same(reads, ['STARTTLS'])
    t.same(hooks(scene.far), [
      'connect',
      'read STARTTLS',
      'tls_handshake_error ERR_TLS_UNASKED',
      'error ERR_TLS_UNASKED',
      'close error',
    ])
    t.match(scene.logged, [
      /TLS was not started: 12 bytes came in clear after what was read last \(ERR_TLS_UNASKED\)$/,
    ])
    await client.closed
  },
)

await tlsScene(t, 'a peer that has ended its side is not asked', async (t, scene) => {
  const { SERVER } = scene
  const server = await scene.listen(
    class extends Connection {
      override on_read_end() {
        this.start_tls(SERVER)
      }
    },
  )
  const client = scene.connect(server)
  await client.opened
  client.end()
  await (
    await scene.accepted(server)
  ).closed
  t.match(scene.logged, [/TLS was not started: the peer has ended its side/])
})

await tlsScene(t, 'closed at once, the refusal is not told', async (t, scene) => {
  const { SERVER } = scene
  const server = await scene.listen(
    class extends Connection {
      override on_read_end() {
        this.start_tls(SERVER).flush()
        this.close()
      }
    },
  )
  const client = scene.connect(server)
  await client.opened
  client.end()
  await (
    await scene.accepted(server)
  ).closed
  t.same(hooks(scene.far), ['connect', 'read_end', 'close remote'])
})

await tlsScene(t, 'a peer that says nothing: handshake_timeout, once', async (t, scene) => {
  const server = await scene.listen(
    class extends Connection {
      override handshake_timeout = 5
    },
    { tls: scene.SERVER },
  )
  const mute = scene.engine[DRIVE].network.connect(
    parseAddress(server.local_address as Address),
    {},
  )
  t.equal(await (await scene.accepted(server)).closed, 'timeout')
  t.same(hooks(scene.far), [
    'timeout handshake',
    'tls_handshake_error ERR_TIMEOUT',
    'error ERR_TIMEOUT',
    'close timeout',
  ])
  t.match(scene.logged, [/the TLS handshake took longer than handshake_timeout/])
  mute.destroy()
})

await tlsScene(
  t,
  'on_timeout may let a handshake go on, which can still be done',
  async (t, scene) => {
    let timeouts = 0
    const server = await scene.listen(
      class extends Connection {
        override handshake_timeout = 1
        override on_timeout() {
          timeouts++
        }
      },
      { tls: scene.SERVER },
    )
    const slow = scene.connect(server)
    await slow.opened
    await until(() => timeouts === 2)
    slow.start_tls(scene.CLIENT)
    await until(() => scene.near.includes(' tls_handshake'))
    const connection = await scene.accepted(server)
    await until(() => connection.connected)
    t.ok(connection.tls)
  },
)

await tlsScene(t, 'without a limit', async (t, scene) => {
  const server = await scene.listen(
    class extends Connection {
      override handshake_timeout = Infinity
    },
    { tls: scene.SERVER },
  )
  await scene.connect(server, { tls: scene.CLIENT, handshake_timeout: Infinity }).opened
  t.pass('it opens')
})

t.test('started twice', async t => {
  t.equal(tlsTwice().code, 'ERR_INVALID_STATE')
  t.equal(tlsTooLate().code, 'ERR_INVALID_STATE')
})

await tlsScene(
  t,
  'a certificate that nobody vouches for: one hook on each side',
  async (t, scene) => {
    const { key, cert } = scene.selfSigned
    const server = await scene.listen(Connection, { tls: { key, cert } })
    const client = scene.connect(server, { tls: {} })
    await t.rejects(client.opened, {
      name: 'TlsHandshakeError',
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      message: /self-signed; to trust it, give tls: \{ ca/,
    })
    await client.closed
    await until(() => scene.far.some(line => line.startsWith(' close')))
    t.same(hooks(scene.near), [
      'tls_handshake_error DEPTH_ZERO_SELF_SIGNED_CERT',
      'error DEPTH_ZERO_SELF_SIGNED_CERT',
      'close error',
    ])
    t.same(
      hooks(scene.far).map(line => line.split(' ')[0]),
      ['tls_handshake_error', 'error', 'close'],
    )
  },
)

await tlsScene(t, 'what was dropped never begins', async (t, scene) => {
  const server = await scene.listen()
  const client = scene.connect(server)
  await client.opened
  client.write(Buffer.alloc(1_000_000))
  client.start_tls(scene.CLIENT)
  client.close()
  await client.closed
  t.same(hooks(scene.near), ['connect', 'close local'])
})

await tlsScene(
  t,
  'TLS: a hook may close at its end, and ending waits for it',
  async (t, { SERVER, CLIENT, listen, connect, near, logged }) => {
    const server = await listen(
      class extends Connection {
        override encoding = 'latin1' as const
        override read_delimiter = '\n'
        override on_read(line: string) {
          if (line !== 'S') return void (this.server.name += line)
          this.write('go\n')
          this.start_tls(SERVER)
        }
      },
    )
    const asks = async (): Promise<Client> => {
      const client = connect(server)
      await client.opened
      client.write('S\n')
      await until(() => client.bytes_read === 3)
      return client.start_tls(CLIENT)
    }
    const client = await asks()
    client.write(' heard\n')
    client.end()
    t.equal(await client.closed, 'local')
    t.match(hooks(near).slice(-3), ['tls_handshake', 'write', 'close local'])
    await until(() => server.channels.size === 0)
    t.equal(server.name, 'Server heard', 'also what was written before the end')
    t.match([client.tls?.protocol, client.bytes_written], ['TLSv1.3', 9], 'still known')

    const hasty = await asks()
    hasty.on_tls_handshake = () => hasty.close()
    t.equal(await hasty.closed, 'local')
    logged.length = 0
  },
)

t.test('what TLS of a stream begins with', async t => {
  const asked: unknown[] = []
  const tls = { context: (side: string) => (asked.push(side), {}) }
  const life = { drive: { tls } } as never
  const hosts = [
    { kind: 'ip', host: 'example.test', port: 1 },
    { kind: 'ip', host: '', port: 1 },
    { kind: 'unix', path: '/x' },
    undefined,
  ] as const
  t.same(
    hosts.map(target => demandOf({ life, target, isAccepted: false }, {}).host),
    ['example.test', 'localhost', 'localhost', 'localhost'],
  )
  demandOf({ life, target: undefined, isAccepted: true }, {})
  t.equal(asked.at(-1), 'server')
})
