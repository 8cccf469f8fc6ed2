/**
 * WebSocket with real peers, as they are installed: python-websockets both ways, Node's own client,
 * and Chromium's over its DevTools protocol (which is WebSocket, too: spoken by our client). CI
 * installs them.
 */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Engine } from '../../src/index.ts'
import type { UpgradeRequest } from '../../src/protocols/websocket/index.ts'
import { bareNode } from '../built.ts'
import { testCertificates } from '../certificates.ts'
import { Chromium, noChromium } from '../chromium.ts'
import { until } from '../kit.ts'
import {
  Caller,
  Echo,
  ended,
  folder,
  isHere,
  listens,
  nextClose,
  program,
  serve,
  TEXTS,
} from '../websocket-peers.ts'

// ---- python-websockets --------------------------------------------------------------------------

const PYTHON = '/usr/bin/python3'
const hasPython = isHere(PYTHON, '-c', 'import websockets')
const noPython = !hasPython && 'python3-websockets is not installed'

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
import asyncio, sys, websockets
async def echo(socket):
    async for message in socket:
        await socket.send(message)
async def main():
    async with websockets.unix_serve(echo, sys.argv[1]):
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

const PYTHON_PATIENT = `
import asyncio, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], ping_interval=0.02, ping_timeout=20) as socket:
        await socket.send("slow")
        for _ in range(3):
            await (await socket.ping())
        print("alive", flush=True)
        assert await socket.recv() == "done"
asyncio.run(main())
`

// Its own pings are in between, and each has to be answered.
t.test(
  'a client of python-websockets sees that a busy server lives',
  { skip: noPython },
  async t => {
    let done: () => void = () => {}
    class Busy extends Echo {
      override async on_message(): Promise<void> {
        await new Promise<void>(resolve => (done = resolve))
        this.send('done')
      }
    }
    const { url } = await serve(t, { ConnectionClass: Busy })
    const child = program(t, PYTHON, ['-c', PYTHON_PATIENT, url])
    await until(() => child.said().endsWith('\n') || child.exitCode !== null)
    t.equal(child.said(), 'alive\n')
    done()
    await ended(child)
    t.equal(await nextClose(), 'remote 1000 ')
  },
)

t.test('a server of python-websockets', { skip: noPython }, async t => {
  const path = join(await folder(t), 'socket')
  await listens(program(t, PYTHON, ['-c', PYTHON_SERVER, path]), path)
  for (const deflate of [false, true]) {
    const engine = new Engine({ log: message => t.fail(message) })
    const caller = new Caller({ engine, deflate }).connect(`ws+unix:${path}:/x`)
    t.equal(await caller.closed, 'local')
    t.same(caller.got, TEXTS)
    t.equal(caller.close_code, 3000)
  }
})

// ---- Node's own ---------------------------------------------------------------------------------

const noNode = typeof WebSocket === 'undefined' && 'this Node has no WebSocket of its own'

/** Another process, because only at its start it can be told whom to trust. */
const NODE_CLIENT = `
const [url, texts] = process.argv.slice(1)
const socket = new WebSocket(url, ['a', 'b'])
const left = JSON.parse(texts)
const next = () => (left.length > 0 ? socket.send(left[0]) : socket.close(3001, 'x'))
socket.onopen = next
socket.onmessage = ({ data }) => {
  if (data !== left.shift()) throw new Error('it came back as ' + data)
  next()
}
socket.onclose = ({ code, wasClean }) => console.log(socket.protocol, code, wasClean)
`

t.test("Node's own client", { skip: noNode }, async t => {
  const { ca, server } = testCertificates()
  const trusted = join(await folder(t), 'ca.pem')
  await writeFile(trusted, ca.cert)
  // It offers http/1.1 and h2. A server that chose h2 could not be talked to.
  for (const tls of [null, { key: server.key, cert: server.cert }])
    for (const deflate of [false, true]) {
      const { port, url } = await serve(t, { deflate, tls, protocols: ['b'] })
      const address = tls === null ? url : `wss://localhost:${port}/`
      const argv = ['--input-type=commonjs', '-e', NODE_CLIENT, address, JSON.stringify(TEXTS)]
      const client = program(t, ...bareNode(argv, { NODE_EXTRA_CA_CERTS: trusted }))
      t.equal(await ended(client), 'b 3001 true\n')
      t.equal(await nextClose(), 'remote 3001 x')
    }
})

const NODE_USER = `
const socket = new WebSocket(process.argv[1])
socket.onopen = () => socket.close(3003)
socket.onclose = ({ code }) => console.log(code)
`

// It sends the name and the password only when it was asked, and then the same key once more.
t.test("Node's own client, asked who it is", { skip: noNode }, async t => {
  const asked: [key: string, who: string | undefined][] = []
  class Guarded extends Echo {
    override on_upgrade(request: UpgradeRequest): void {
      const { authorization } = request.headers
      asked.push([request.headers['sec-websocket-key']!, authorization])
      if (authorization === undefined) request.refuse(401, { 'WWW-Authenticate': 'Basic' })
    }
    override on_close(): void {}
  }
  const { url } = await serve(t, { ConnectionClass: Guarded })
  const address = url.replace('://', '://ann:secret@')
  const argv = ['--input-type=commonjs', '-e', NODE_USER, address]
  t.equal(await ended(program(t, ...bareNode(argv))), '3003\n')
  const [[key]] = asked as [[string, undefined]]
  t.same(asked, [
    [key, undefined],
    [key, `Basic ${Buffer.from('ann:secret').toString('base64')}`],
  ])
})

// ---- Chromium -----------------------------------------------------------------------------------

const IN_THE_PAGE = `(url, texts) => new Promise(resolve => {
  const socket = new WebSocket(url)
  const got = []
  socket.onopen = () => texts.forEach(text => socket.send(text))
  socket.onmessage = ({ data }) => got.push(data) === texts.length && socket.close(3002, 'page')
  socket.onclose = ({ code, reason, wasClean }) =>
    resolve({ same: String(got) === String(texts), code, reason, wasClean,
      extensions: socket.extensions })
})`

t.test('Chromium, by our own client', { skip: noChromium, timeout: 120_000 }, async t => {
  const browser = await Chromium.start(t)
  const page = await browser.open('about:blank')
  const visit = (url: string): Promise<unknown> =>
    page.run(`(${IN_THE_PAGE})(${JSON.stringify(url)}, ${JSON.stringify(TEXTS)})`)
  for (const deflate of [false, true]) {
    const { url } = await serve(t, { deflate, origins: ['null'] })
    const extensions = deflate ? 'permessage-deflate' : ''
    const seen = { same: true, code: 3002, reason: 'page', wasClean: true, extensions }
    t.same(await visit(url), seen)
    t.equal(await nextClose(), 'remote 3002 page')
  }
  class Quiet extends Echo {
    override on_connect_error(error: Error): void {
      t.match(error.message, /pages of null must not connect/)
    }
  }
  const strict = await serve(t, { ConnectionClass: Quiet })
  t.match(await visit(strict.url), { code: 1006 }, 'a page of another origin')
  await browser.close()
})
