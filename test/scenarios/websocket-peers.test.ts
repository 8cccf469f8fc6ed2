/**
 * WebSocket with real peers, as they are installed: python-websockets both ways, Node's own client,
 * Chromium's over its DevTools protocol (which is WebSocket, too: spoken by our client), and
 * HAProxy between both ends. CI installs python3-websockets and haproxy.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Engine } from '../../src/index.ts'
import {
  WebSocketClient,
  WebSocketConnection,
  WebSocketServer,
  type WebSocketServerOptions,
} from '../../src/protocols/websocket/index.ts'
import { until } from '../kit.ts'

/** What every peer echoes: short, long, not ASCII, empty, compressible. */
const TEXTS = ['hello', '', 'Grüße 😀', 'x'.repeat(70_000), 'word '.repeat(2000)]

class Echo extends WebSocketConnection {
  override on_message(data: string | Buffer): void {
    this.send(data)
  }
  override on_close(reason: string): void {
    closes.push(`${reason} ${this.close_code} ${this.close_reason}`)
  }
}

/** How the connections of servers have closed. */
const closes: string[] = []

/** A peer may know it before the server does. */
async function nextClose(): Promise<string | undefined> {
  await until(() => closes.length > 0)
  return closes.shift()
}

async function serve(
  t: Test,
  options: WebSocketServerOptions = {},
): Promise<{ port: number; url: string; engine: Engine }> {
  const engine = new Engine({ log: message => t.fail(message) })
  const all = { ConnectionClass: Echo, engine, ...options }
  const server = await new WebSocketServer(all).listen(['127.0.0.1', 0]).opened
  t.teardown(() => engine.stop({ timeout: 1000 }))
  const [, port] = server.local_address as [string, number]
  return { port, url: `ws://127.0.0.1:${port}/path`, engine }
}

/** Sends all texts and ends when they have come back. */
class Caller extends WebSocketClient {
  readonly got: string[] = []
  override on_connect(): void {
    for (const text of TEXTS) this.send(text)
  }
  override on_message(data: string | Buffer): void {
    if (this.got.push(String(data)) === TEXTS.length) this.end(3000, 'bye')
  }
}

function program(t: Test, command: string, argv: readonly string[]): ChildProcess {
  const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

/** What it writes, until that matches. */
async function says(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<RegExpMatchArray> {
  let text = ''
  for await (const chunk of stream) {
    text += chunk
    const match = pattern.exec(text)
    if (match !== null) return match
  }
  throw new Error(`it never said ${pattern}: ${text}`)
}

async function ended(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout!.on('data', chunk => (text += chunk))
  child.stderr!.on('data', chunk => (text += chunk))
  await once(child, 'close')
  return text
}

const isCi = process.env['CI'] === 'true'

// ---- python-websockets --------------------------------------------------------------------------

const PYTHON = '/usr/bin/python3'
const hasPython = spawnSync(PYTHON, ['-c', 'import websockets']).status === 0
const noPython = !isCi && !hasPython && 'python3-websockets is not installed'

const PYTHON_CLIENT = `
import asyncio, json, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], subprotocols=["a", "b"]) as socket:
        for text in json.loads(sys.argv[2]):
            await socket.send(text)
            assert await socket.recv() == text
        await socket.send(b"bytes")
        assert await socket.recv() == b"bytes"
        await (await socket.ping())
        await socket.close(3000, "bye")
        print(socket.subprotocol, socket.close_code, socket.close_reason, len(socket.extensions))
asyncio.run(main())
`

const PYTHON_SERVER = `
import asyncio, websockets
async def echo(socket):
    async for message in socket:
        await socket.send(message)
    print("closed", socket.close_code, socket.close_reason, flush=True)
async def main():
    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        print("port", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
`

t.test('a client of python-websockets', { skip: noPython }, async t => {
  for (const deflate of [false, true]) {
    const { url } = await serve(t, { deflate, protocols: ['b'] })
    const texts = JSON.stringify(TEXTS)
    const child = program(t, PYTHON, ['-c', PYTHON_CLIENT, url, texts])
    t.equal(await ended(child), `b 3000 bye ${deflate ? 1 : 0}\n`)
    t.equal(await nextClose(), 'remote 3000 bye')
  }
})

t.test('a server of python-websockets', { skip: noPython }, async t => {
  const child = program(t, PYTHON, ['-c', PYTHON_SERVER])
  const [, port] = await says(child.stdout!, /port (\d+)/)
  for (const deflate of [false, true]) {
    const engine = new Engine({ log: message => t.fail(message) })
    const caller = new Caller({ engine, deflate }).connect(`ws://127.0.0.1:${port}/x`)
    t.equal(await caller.closed, 'local')
    t.same(caller.got, TEXTS)
    t.equal(caller.close_code, 3000)
  }
})

// ---- Node's own ---------------------------------------------------------------------------------

const noNode = typeof WebSocket === 'undefined' && 'this Node has no WebSocket of its own'

t.test("Node's own client", { skip: noNode }, async t => {
  for (const deflate of [false, true]) {
    const { url } = await serve(t, { deflate, protocols: ['b'] })
    const socket = new WebSocket(url, ['a', 'b'])
    await once(socket as never, 'open')
    for (const text of TEXTS) {
      socket.send(text)
      const [{ data }] = (await once(socket as never, 'message')) as [any]
      t.equal(data, text)
    }
    t.equal(socket.protocol, 'b')
    socket.close(3001, 'x')
    const [{ code, wasClean }] = (await once(socket as never, 'close')) as [any]
    t.same([code, wasClean], [3001, true])
    t.equal(await nextClose(), 'remote 3001 x')
  }
})

// ---- Chromium -----------------------------------------------------------------------------------

const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'].find(
  name => spawnSync(name, ['--version']).status === 0,
)

/** The DevTools protocol: calls with an id, answers with the same. */
class DevTools extends WebSocketClient {
  override message_size = 64 * 1024 * 1024
  readonly #waiting: ((answer: any) => void)[] = []

  override on_message(data: string | Buffer): void {
    const { id, result, error } = JSON.parse(String(data))
    if (id !== undefined) this.#waiting[id]?.(result ?? error)
  }

  ask(method: string, params: object = {}, sessionId?: string): Promise<any> {
    return new Promise(resolve => {
      const id = this.#waiting.push(resolve) - 1
      this.send(JSON.stringify({ id, method, params, sessionId }))
    })
  }
}

const IN_THE_PAGE = `(url, texts) => new Promise(resolve => {
  const socket = new WebSocket(url)
  const got = []
  socket.onopen = () => texts.forEach(text => socket.send(text))
  socket.onmessage = ({ data }) => got.push(data) === texts.length && socket.close(3002, 'page')
  socket.onclose = ({ code, reason, wasClean }) =>
    resolve({ same: String(got) === String(texts), code, reason, wasClean,
      extensions: socket.extensions })
})`

t.test(
  'Chromium, by our own client',
  { skip: CHROMIUM === undefined && 'chromium is not installed', timeout: 60_000 },
  async t => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-chromium-'))
    const child = program(t, CHROMIUM as string, [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      'about:blank',
    ])
    t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    const [, url] = await says(child.stderr!, /DevTools listening on (ws:\S+)/)
    const engine = new Engine({ log: message => t.fail(message) })
    const tools = await new DevTools({ engine }).connect(url as string).opened
    const { targetId } = await tools.ask('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await tools.ask('Target.attachToTarget', { targetId, flatten: true })
    const visit = async (url: string): Promise<unknown> => {
      const expression = `(${IN_THE_PAGE})(${JSON.stringify(url)}, ${JSON.stringify(TEXTS)})`
      const params = { expression, awaitPromise: true, returnByValue: true }
      return (await tools.ask('Runtime.evaluate', params, sessionId)).result.value
    }
    for (const deflate of [false, true]) {
      const { url } = await serve(t, { deflate, origins: ['null'] })
      const extensions = deflate ? 'permessage-deflate' : ''
      const page = { same: true, code: 3002, reason: 'page', wasClean: true, extensions }
      t.same(await visit(url), page)
      t.equal(await nextClose(), 'remote 3002 page')
    }
    class Quiet extends Echo {
      override on_connect_error(error: Error): void {
        t.match(error.message, /pages of null must not connect/)
      }
    }
    const strict = await serve(t, { ConnectionClass: Quiet })
    t.match(await visit(strict.url), { code: 1006 }, 'a page of another origin')
    await tools.ask('Browser.close')
    await tools.closed
  },
)

// ---- HAProxy ------------------------------------------------------------------------------------

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** As soon as somebody listens there; it takes HAProxy a moment. */
async function listening(port: number): Promise<void> {
  for (let i = 0; i < 20_000; i++) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      socket.destroy()
      return
    } catch {
      socket.destroy()
    }
  }
}

const hasHaproxy = spawnSync('haproxy', ['-v']).status === 0
const noHaproxy = !isCi && !hasHaproxy && 'haproxy is not installed'

t.test('through HAProxy', { skip: noHaproxy }, async t => {
  const { port, engine } = await serve(t, { deflate: true })
  const front = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-haproxy-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const config = join(folder, 'haproxy.cfg')
  await writeFile(
    config,
    `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 30s
listen front
  bind 127.0.0.1:${front}
  server back 127.0.0.1:${port}
`,
  )
  program(t, 'haproxy', ['-f', config])
  await listening(front)
  const caller = new Caller({ engine, deflate: true }).connect(`ws://127.0.0.1:${front}/x`)
  t.equal(await caller.closed, 'local')
  t.same(caller.got, TEXTS)
})
