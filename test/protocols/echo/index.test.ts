/** The class Echo, over real sockets. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Server } from '../../../src/channels/basic.ts'
import { Engine } from '../../../src/engine.ts'
import { Echo } from '../../../src/protocols/echo/index.ts'
import type { Port } from '../../../src/types.ts'

async function listening(
  t: Test,
  ConnectionClass: typeof Echo,
): Promise<{ server: Server; port: Port; lines: string[] }> {
  const lines: string[] = []
  const engine = new Engine({ log: line => lines.push(line) })
  const server = await new Server(ConnectionClass, { engine }).listen(['127.0.0.1', 0]).opened
  t.teardown(() => engine.stop({ timeout: 0 }))
  return { server, port: server.local_address![1] as Port, lines }
}

/** Everything the other side sends until it ends. */
async function received(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

t.test('every line comes back; what is no whole line does not', async t => {
  const { port } = await listening(t, Echo)
  const socket = connect(port, '127.0.0.1')
  socket.end('hello\r\n\r\nGrüße\nmore\r\nhalf a line')
  t.equal(await received(socket), 'hello\r\n\r\nGrüße\nmore\r\n')
})

t.test('characters cut by a chunk border, and line ends cut by one, arrive whole', async t => {
  const { port } = await listening(t, Echo)
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  for (const byte of Buffer.from('€\r\n')) {
    await new Promise(resolve => socket.write(Buffer.of(byte), resolve))
    await new Promise(setImmediate)
  }
  socket.end()
  t.equal(await received(socket), '€\r\n')
})

t.test('another line end: by a subclass, or by assignment at any time', async t => {
  class Records extends Echo {
    override read_delimiter = '\x1e'
    override on_read(record: string): void {
      super.on_read(record)
      if (record === 'lines') this.read_delimiter = '\n'
    }
  }
  const { port } = await listening(t, Records)
  const socket = connect(port, '127.0.0.1')
  socket.end('one\x1elines\x1etwo\nthree\n')
  t.equal(await received(socket), 'one\x1elines\x1etwo\nthree\n')
})

t.test('a line beyond buffer_size ends its connection and no other', async t => {
  const { port, lines } = await listening(t, Echo)
  const other = connect(port, '127.0.0.1')
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('x'.repeat(70_000))
  await once(socket, 'close')
  t.match(lines, [/^Echo 127\.0\.0\.1:\d+: a read has more than 65536 bytes .* \(ERR_OVERFLOW\)$/])
  other.end('still here\r\n')
  t.equal(await received(other), 'still here\r\n')
})
