/** Beside an HTTP server of Node's: what each of the two gets, and how either of them ends. */

import { once } from 'node:events'
import { createServer, get, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { DRIVE } from '../../../../src/core/drive.ts'
import { Engine } from '../../../../src/engine.ts'
import { Attachment } from '../../../../src/protocols/websocket/attach/attachment.ts'
import { WebSocketClient } from '../../../../src/protocols/websocket/client.ts'
import { WebSocketConnection } from '../../../../src/protocols/websocket/connection.ts'
import {
  WebSocketServer,
  type WebSocketServerOptions,
} from '../../../../src/protocols/websocket/server.ts'
import type { UpgradeRequest } from '../../../../src/protocols/websocket/upgrade-request.ts'
import { testCertificates } from '../../../certificates.ts'
import { thrown, turn, until } from '../../../kit.ts'
import { ACCEPTED, closing, frame, masked, request } from '../kit.ts'

interface Scene {
  readonly http: Server
  readonly engine: Engine
  readonly port: number
  readonly logged: string[]
  /** What its connections did, and what they were asked. */
  readonly log: string[]
  readonly asked: UpgradeRequest[]
  attach(options?: WebSocketServerOptions, name?: string): WebSocketServer
  /** What a raw peer gets until the server ends; or until `enough` of it. */
  talk(bytes: string | Buffer, enough?: RegExp): Promise<string>
  page(path: string): Promise<string>
}

const PAGE: RequestListener = ({ url }, response) => response.end(`page ${url}`)

/** An HTTP server that listens, and what may stand beside it. */
async function scene(t: Test, http: Server = createServer(PAGE)): Promise<Scene> {
  const logged: string[] = []
  const engine = new Engine({ log: message => logged.push(message) })
  const log: string[] = []
  const asked: UpgradeRequest[] = []
  const names = new Map<object, string>()
  class Echo extends WebSocketConnection {
    override on_upgrade(request: UpgradeRequest): void {
      asked.push(request)
    }
    override on_message(data: string | Buffer): void {
      this.send(names.has(this.server) ? `${names.get(this.server)}:${data}` : data)
    }
    override on_connect_error(error: Error): void {
      log.push(error.message)
    }
    override on_close(reason: string): void {
      log.push(`closed ${reason} ${this.close_code}`)
    }
  }
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.teardown(async () => {
    await engine.stop({ timeout: 0 })
    http.close()
    http.closeAllConnections()
  })
  const { port } = http.address() as AddressInfo
  return {
    ...{ http, engine, port, logged, log, asked },
    attach(options, name) {
      const server = new WebSocketServer(Echo, { engine, ...options })
      if (name !== undefined) names.set(server, name)
      return server.attach(http)
    },
    talk: (bytes, enough) => talk(port, bytes, enough),
    page: path => pageAt(port, path),
  }
}

async function talk(port: number, bytes: string | Buffer, enough?: RegExp): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  let text = ''
  for await (const chunk of socket) {
    text += chunk.toString('latin1')
    if (enough?.test(text)) break
  }
  return text
}

async function pageAt(port: number, path: string): Promise<string> {
  const [response] = await once(get({ port, path, host: '127.0.0.1', agent: false }), 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return text
}

t.test('pages and WebSocket at one port; what was read already is a message', async t => {
  const { attach, http, page, port, talk, asked, log } = await scene(t)
  const server = attach({ path: '/chat' })
  t.equal(server.state, 'opening', 'no hook in a call')
  t.equal((await server.opened) as unknown, server)
  t.same([server.listening, server.local_address], [true, ['127.0.0.1', port]])
  t.equal(await page('/chat'), 'page /chat')
  const asking = request({ 'X-Own': ' a  b ' }, 'GET /chat?room=1 HTTP/1.1')
  const hello = Buffer.concat([Buffer.from(asking), masked('hello'), closing(3000)])
  const answer = frame('hello').toString('latin1')
  t.equal(
    await talk(hello),
    `${ACCEPTED}${answer}${closing(3000, '', null).toString('latin1')}`,
    'all in one segment',
  )
  await until(() => log.length === 1)
  t.same(log, ['closed remote 3000'])
  const [{ path, query, headers, remote_address, tls, protocols }] = asked as [UpgradeRequest]
  t.same([path, query.get('room'), headers['x-own']], ['/chat', '1', 'a  b'])
  t.match([remote_address, tls, protocols], [['127.0.0.1', Number], undefined, []])
  server.close()
  t.equal(http.listenerCount('upgrade') + http.listenerCount('close'), 0)
})

t.test('what is refused is refused as everywhere', async t => {
  const { attach, talk, log } = await scene(t)
  attach({ path: '/chat', message_size: 5 })
  const chat = 'GET /chat HTTP/1.1'
  const refused: [string, RegExp][] = [
    [request(), /^HTTP\/1.1 404 [^]*there is nothing at this path\n$/],
    [request({ Origin: 'http://evil' }, chat), /^HTTP\/1.1 403 /],
    [request({ Upgrade: 'h2c' }, chat), /^HTTP\/1.1 426 [^]*this is a WebSocket server/],
    [request({ 'Sec-WebSocket-Version': '8' }, chat), /^HTTP\/1.1 426 [^]*Version: 13/],
    [request({ 'Content-Length': '5' }, chat) + 'hello', /^HTTP\/1.1 400 [^]*no body/],
    [request({}, 'POST /chat HTTP/1.1'), /^HTTP\/1.1 405 /],
    [request({}, 'GET /chat HTTP/1.0'), /^HTTP\/1.1 505 /],
    // Node shows the first Host alone, and joins the keys.
    [request({ host: 'there' }, chat), /^HTTP\/1.1 400 [^]*one Host/],
    [request({ 'sec-websocket-KEY': 'dGhlIHNhbXBsZSBub25jZQ==' }, chat), /^HTTP\/1.1 400 .*/],
    [request({ 'sec-websocket-key': 'x' }, chat), /^HTTP\/1.1 400 [^]*one valid key/],
    [request({ Origin: 'http://here', origin: 'http://here' }, chat), /^HTTP\/1.1 400 /],
    [request({}, 'GET /chat#x HTTP/1.1'), /^HTTP\/1.1 400 /],
  ]
  for (const [asking, answer] of refused) t.match(await talk(asking), answer, asking)
  await until(() => log.length === 2 * refused.length)
  t.equal(log.filter(line => line.startsWith('the request was refused with')).length, 12)
  const long = Buffer.concat([Buffer.from(request({}, chat)), masked('123456')])
  t.match(await talk(long), /\x03\xf1/, '1009: its settings are its own')
})

t.test('several, each at its path', async t => {
  const { attach, http, talk } = await scene(t)
  attach({ path: '/a' }, 'a')
  const all = attach({}, 'all')
  attach({ path: '/b' }, 'b')
  const ask = async (path: string): Promise<string | undefined> => {
    const bytes = Buffer.concat([
      Buffer.from(request({}, `GET ${path} HTTP/1.1`)),
      masked('x'),
      closing(1000),
    ])
    return /\w+:x/.exec(await talk(bytes))?.[0]
  }
  t.same(
    [await ask('/a'), await ask('/b'), await ask('/c'), await ask('http://here/a?b')],
    ['a:x', 'b:x', 'all:x', 'a:x'],
  )
  t.equal(
    thrown(() => attach({ path: '/a' })),
    'ERR_INVALID_ARGUMENT',
    'taken',
  )
  all.close()
  http.on('upgrade', ({ url }, socket: Socket) => {
    if (url === '/own') socket.end('own')
  })
  t.equal(await talk(request({}, 'GET /own HTTP/1.1')), 'own', 'left to the next')
  t.equal(await ask('/b'), 'b:x')
})

t.test('limits and suspending', async t => {
  const { attach, engine, talk } = await scene(t)
  const server = attach({ max_connections: 1 })
  const drops: string[] = []
  server.on_drop = reason => void drops.push(reason)
  await server.opened
  server.suspend()
  const url = `ws://127.0.0.1:${(server.local_address as [string, number])[1]}/`
  const client = new WebSocketClient({ engine }).connect(url)
  await until(() => client.bytes_written > 0)
  t.equal(await talk(request()), '')
  t.same([drops, client.state, server.channels.size], [['max_connections'], 'opening', 0])
  server.resume()
  await client.opened
  t.equal(server.channels.size, 1)
})

t.test('an HTTP server that listens later, and closes first', async t => {
  const http = createServer(PAGE)
  const engine = new Engine({ log: message => t.fail(message) })
  const server = new WebSocketServer(WebSocketConnection, { engine }).attach(http)
  await server.opened
  t.equal(server.local_address, undefined)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const client = await new WebSocketClient({ engine }).connect(`ws://127.0.0.1:${port}`).opened
  http.close()
  t.equal(server.state, 'active', 'it waits for its connections')
  client.end()
  t.equal(await server.closed, 'local')
  t.same(server.local_address, ['127.0.0.1', port], 'kept')
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  await server.attach(http).opened
  server.close()
  http.close()
  await server.closed
  await engine.stop()
})

t.test('it ends, and the HTTP server goes on', async t => {
  const { attach, engine, http, log, page, port, talk } = await scene(t)
  const server = attach()
  const client = await new WebSocketClient({ engine }).connect(`ws://127.0.0.1:${port}`).opened
  const events: string[] = []
  server.on_listen = () => void events.push('listen')
  server.on_close = reason => void events.push(`close ${reason}`)
  server.end()
  server.end()
  await client.closed
  await server.closed
  t.same([client.close_code, log, events], [1001, ['closed drain 1001'], ['close local']])
  t.equal(await page('/'), 'page /')
  t.match(await talk(request({ Connection: 'Upgrade, close' })), /page \/$/, 'a request as any')
  server.attach(http).close()
  t.equal(server.state, 'closing', 'closed in the turn in which it was attached')
  await server.closed
  t.same(events, ['close local', 'close local'], 'it has never listened')
})

t.test('over TLS', async t => {
  const { ca, server: own } = testCertificates()
  const https = createSecureServer({ key: own.key, cert: own.cert }, PAGE)
  const { attach, asked, engine, port } = await scene(t, https)
  const server = attach()
  const client = new WebSocketClient({ engine, tls: { ca: ca.cert, servername: 'localhost' } })
  await client.connect(`wss://127.0.0.1:${port}`).opened
  const [channel] = server.channels
  t.match(asked[0]?.tls, { protocol: /^TLSv1/, cipher: /^TLS_/, servername: 'localhost' })
  t.equal((channel as WebSocketConnection).tls, asked[0]?.tls)
  client.end()
  await client.closed
  await until(() => server.channels.size === 0)
  t.equal((channel as WebSocketConnection).tls?.servername, 'localhost', 'also afterwards')
})

t.test('a unix socket, and a stream that is no socket', async t => {
  const { engine, http, attach } = await scene(t)
  const server = attach()
  await server.opened
  const path = `\0sluice-attach-${process.pid}`
  const other = createServer(PAGE).listen(path)
  await once(other, 'listening')
  const unix = new WebSocketServer(WebSocketConnection, { engine }).attach(other)
  t.equal(unix.local_address, path)
  const socket = connect(path)
  socket.write(request())
  const [answer] = (await once(socket, 'data')) as [Buffer]
  t.equal(String(answer), ACCEPTED)
  socket.destroy()
  await until(() => unix.channels.size === 0)
  unix.close()
  other.close()
  // What a proxy of the program's own, or a newer Node, hands on.
  const { Duplex } = await import('node:stream')
  let text = ''
  const duplex = new Duplex({
    read() {},
    write: (chunk, _encoding, done) => {
      text += chunk
      done()
    },
  })
  const rawHeaders = request()
    .split('\r\n')
    .slice(1, -2)
    .flatMap(line => line.split(': '))
  const asking = { method: 'GET', url: '/', httpVersion: '1.1', rawHeaders }
  http.emit('upgrade', asking as never, duplex as never, Buffer.alloc(0))
  await until(() => text !== '')
  t.equal(text, ACCEPTED)
})

t.test('without a sink it is silent', async t => {
  const http = createServer(PAGE)
  const made = (): Attachment => new Attachment(http, { path: undefined }, new Engine()[DRIVE])
  const attachment = made()
  attachment.open()
  await turn()
  attachment.close()
  attachment.close()
  await turn()
  made().open()
  http.emit('close')
  t.equal(http.listenerCount('upgrade') + http.listenerCount('close'), 0)
})
