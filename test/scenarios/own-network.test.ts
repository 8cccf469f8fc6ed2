/**
 * A network of one's own that brings TLS and files of its own: channels and message channels use
 * these, and touch neither node:tls nor the file system. A network without them has Node's.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { TransportOver } from '../../src/core/transport-over.ts'
import { Engine } from '../../src/engine.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { Context } from '../../src/messages/context.ts'
import { MessageChannel } from '../../src/messages/message-channel.ts'
import type {
  Files,
  FileSink,
  FileSinkOwner,
  FileSource,
  Network,
  Tls,
  TlsInfo,
  Transport,
} from '../../src/transport.ts'
import type { Encoding } from '../../src/types.ts'
import { turn, until } from '../kit.ts'

// ---- TLS of one's own ---------------------------------------------------------------------------

const INFO: TlsInfo = {
  protocol: 'ROT128',
  cipher: 'none',
  alpn: undefined,
  servername: undefined,
  authorized: true,
  authorization_error: undefined,
  reused: false,
  peer_certificate: undefined,
  session: undefined,
}

/** "Encrypts" by turning the highest bit of every byte. */
class Turned extends TransportOver {
  tls: TlsInfo | undefined

  constructor(inner: Transport) {
    super(inner)
    inner.sink = {
      opened() {},
      received: chunk => this.sink?.received(turned(chunk)),
      drained: () => this.sink?.drained(),
      ended: () => this.sink?.ended(),
      failed: error => this.sink?.failed(error),
      closed: () => this.closed(),
    }
    setImmediate(() => {
      this.tls = INFO
      this.sink?.opened()
    })
  }

  override write(data: string | Uint8Array, encoding: Encoding): boolean {
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding) : data
    return super.write(turned(bytes), 'utf8')
  }
}

function turned(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.map(byte => byte ^ 0x80))
}

function ownTls(log: string[]): Tls {
  return {
    context(side, options) {
      log.push(`${side} ${JSON.stringify(options)}`)
      return {
        secure(transport, host) {
          log.push(`${side} secures for ${host}`)
          return new Turned(transport)
        },
      }
    },
  }
}

// ---- files of one's own -------------------------------------------------------------------------

class MemoryFiles implements Files {
  readonly contents = new Map<string, Buffer>()
  readonly modules = new Map<string, Record<string, unknown>>()

  read(file: unknown, offset: number, nbytes: number): FileSource {
    const content = this.contents.get(String(file))
    const end = nbytes === 0 ? undefined : offset + nbytes
    return new MemorySource(content?.subarray(offset, end))
  }

  write(path: string, offset: number, owner: FileSinkOwner): FileSink {
    const kept = this.contents.get(path)?.subarray(0, offset) ?? Buffer.alloc(0)
    this.contents.set(path, kept)
    setImmediate(() => owner.opened())
    return {
      bytes_queued: 0,
      write: chunk => {
        this.contents.set(path, Buffer.concat([this.contents.get(path)!, chunk]))
        setImmediate(() => owner.drained())
      },
      close: drop => void (drop || setImmediate(() => owner.closed())),
    }
  }

  async load_module(specifier: string): Promise<Record<string, unknown>> {
    return this.modules.get(specifier)!
  }

  load_text(path: string): string {
    return String(this.contents.get(path))
  }
}

class MemorySource implements FileSource {
  on_ready = (): void => {}
  readonly #content: Buffer | undefined
  #state: 'new' | 'ready' | 'end' = 'new'

  constructor(content: Buffer | undefined) {
    this.#content = content
  }

  take(): Buffer | 'starved' | 'end' {
    if (this.#state === 'new') {
      this.#state = 'ready'
      setImmediate(() => this.on_ready())
      return 'starved'
    }
    if (this.#content === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' })
    const isEnd = this.#state === 'end' || this.#content.length === 0
    this.#state = 'end'
    return isEnd ? 'end' : this.#content
  }

  close(): void {}
}

// ---- the network --------------------------------------------------------------------------------

function setUp() {
  const memory = new MemoryNetwork({ auto: true })
  const log: string[] = []
  const files = new MemoryFiles()
  const network: Network = {
    connect: (to, options) => memory.connect(to, options),
    listen: (at, options) => memory.listen(at, options),
    packets: options => memory.packets(options),
    tls: ownTls(log),
    files,
  }
  const engine = new Engine({ network, log: message => log.push(message) })
  return { engine, network, log, files }
}

class Lines extends Client {
  override encoding = 'utf8' as const
  override read_delimiter = '\n'
  readonly lines: string[] = []

  override on_read(line: string): void {
    this.lines.push(line)
  }
}

t.test('channels use its TLS', async t => {
  const { engine, log } = setUp()
  class Echo extends Connection {
    override read_delimiter = '\n'
    override on_read(line: Buffer): void {
      this.write(`${line}\n`)
    }
  }
  const server = new Server(Echo, { engine }).start_tls({ key: 'a key', cert: 'a certificate' })
  await server.listen(1).opened
  const client = new Lines({ engine }).start_tls({ ca: 'an authority' })
  await client.connect(['example.org', 1]).opened.catch(() => {})
  t.match(log.splice(0), [
    'server {"key":"a key","cert":"a certificate"}',
    'client {"ca":"an authority"}',
  ])
  await client.connect(1).opened
  client.write('hello\n')
  await until(() => client.lines.length > 0)
  t.same(client.lines, ['hello'])
  t.equal(client.tls?.protocol, 'ROT128')
  t.ok(log.includes('client secures for localhost'))
  t.ok(log.some(line => line.startsWith('server secures for')))
  server.set_tls({ key: 'a new key', cert: 'a certificate' })
  t.equal(log.at(-1), 'server {"key":"a new key","cert":"a certificate"}')
  await engine.stop()
})

t.test('channels use its files', async t => {
  const { engine, log, files } = setUp()
  files.contents.set('a file', Buffer.from('1\n2\n3\n'))
  class Sender extends Connection {
    override on_connect(): void {
      this.write_file('a file', 4, 2)
      this.write_file('no file')
    }
  }
  const server = new Server(Sender, { engine })
  await server.listen(1).opened
  const client = new Lines({ engine })
  await client.connect(1).opened
  await client.closed
  t.same(client.lines, ['2', '3'])
  t.match(log, [/ENOENT/])
  await engine.stop()
})

t.test('message channels use its files', async t => {
  const { engine, log, files } = setUp()
  const context = new Context({ engine })
  const writer = context.init('file://a log;dir=w;frame=line').open()
  await writer.opened
  writer.post('one')
  writer.post('two')
  writer.close()
  await writer.closed
  t.equal(String(files.contents.get('a log')), 'one\ntwo\n')

  const reader = context.init('file://a log;frame=line')
  const texts: string[] = []
  reader.on_message = ({ type, data }) => void (type === 'data' && texts.push(String(data)))
  reader.open()
  await reader.closed
  t.same(texts, ['one', 'two'])

  class Mine extends MessageChannel {
    static override readonly protocol = 'mine'
  }
  files.modules.set('a module', { Mine })
  const loaded = context.init('js://;class=a module:Mine').open()
  await loaded.opened
  t.ok([...loaded.children][0] instanceof Mine)
  loaded.close()
  t.same(log, [])
  await engine.stop()
})

t.test('message channels use its TLS, and read certificates by its files', async t => {
  const { engine, log, files } = setUp()
  const context = new Context({ engine })
  for (const name of ['key', 'cert', 'ca']) files.contents.set(name, Buffer.from(`<${name}>`))
  const server = context.init('tls+tcp://127.0.0.1:0;mode=server;cert=cert;key=key').open()
  await server.opened
  const texts: string[] = []
  server.on_message = ({ type, data }) => void (type === 'data' && texts.push(String(data)))
  const client = context.init(`${server.client_url};ca=ca`).open()
  await client.opened
  client.post('hello')
  await until(() => texts.length > 0)
  t.same(texts, ['hello'])
  t.ok(log.includes('server {"cert":"<cert>","key":"<key>","rejectUnauthorized":true}'))
  t.ok(log.includes('client {"ca":"<ca>","rejectUnauthorized":true}'))
  t.ok(log.includes('client secures for 127.0.0.1'))
  await engine.stop()
  await turn()
})
