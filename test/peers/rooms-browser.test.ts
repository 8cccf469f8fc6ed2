/**
 * The channel of rooms in a real browser: the one file that the build makes, loaded by pages of
 * Chromium, over the browser's own WebSocket.
 */

import { readFileSync } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import { brotliCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Engine } from '../../src/engine.ts'
import { Context } from '../../src/messages/context.ts'
import { WebSocketServer } from '../../src/protocols/websocket/server.ts'
import { RoomServer } from '../../src/rooms/server/room-server.ts'
import { built } from '../built.ts'
import { Chromium, noChromium, type Page } from '../chromium.ts'
import { until } from '../kit.ts'
import { only } from '../pages/kit.ts'
import { SampleServer } from '../rooms/kit.ts'
import { serve } from '../websocket-peers.ts'

const FILE = readFileSync(`${built()}rooms/sluice-rooms.js`, 'utf8')

/** 6 KiB, on the way to a page. */
const LARGEST = 6 * 1024

t.test('it is small, and has the names that Node has', async t => {
  const size = brotliCompressSync(FILE).length
  t.ok(size <= LARGEST, `${size} bytes`)
  const inOneFile = await import(`data:text/javascript,${encodeURIComponent(FILE)}`)
  const here = await import(`${built()}rooms/index.js`)
  for (const name of Object.keys(inOneFile)) t.type(inOneFile[name], typeof here[name], name)
  t.equal(new inOneFile.Channel('ws://a').state, 'closed')
  t.throws(() => new inOneFile.Channel('ws://a', { name: 5 }), { name: 'InvalidArgumentError' })
})

/** Serves a page that has everything of the file as `rooms`. */
async function site(t: Test): Promise<string> {
  const page = `<!doctype html><script type="module">
    import * as rooms from './sluice-rooms.js'
    window.rooms = rooms
  </script>`
  const server = createServer(({ url }, response) => {
    const isFile = url === '/sluice-rooms.js'
    response.setHeader('Content-Type', isFile ? 'text/javascript' : 'text/html')
    response.end(isFile ? FILE : page)
  })
  return listen(t, server)
}

async function listen(t: Test, server: HttpServer): Promise<string> {
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/`
}

/** In the page: `got` is what a channel gets, `told` what its other handlers do. */
const MAKE = (url: string): string => `{
  const channel = new rooms.Channel('${url}', { auto_reconnect: true, reconnect_delay: 20 })
  Object.assign(window, { channel, got: [], told: [] })
  channel.on_room_message('lobby', message => got.push(message))
  channel.on_message(message => message?._room ?? got.push({ general: message }))
  channel.on_open(() => told.push('open'))
  channel.on_close(({ code, was_open }) => told.push(\`close \${code} \${was_open}\`))
  channel.on_error(error => told.push(\`\${error.name} \${error.code}\`))
}`

async function untilTrue(page: Page, expression: string): Promise<void> {
  await until(() => page.run(expression))
}

/** The browser of all tests here; the last of them closes it. */
const starting = noChromium ? undefined : Chromium.start(t)

t.test('the page of the guide', { skip: noChromium, timeout: 120_000 }, async t => {
  const engine = new Engine({ log: message => t.fail(message) })
  const web = createServer(({ url }, response) => {
    const isFile = url === '/sluice-rooms.js'
    response.setHeader('Content-Type', isFile ? 'text/javascript' : 'text/html')
    response.end(isFile ? FILE : `<!doctype html>${only('src/rooms/README.md', 'page').text}`)
  })
  const sockets = new WebSocketServer({ engine }).attach(web, { path: '/chat' })
  const rooms = await new RoomServer({ engine }).listen(sockets).opened
  const home = await listen(t, web)
  const page = await (await starting!).open(home)
  await until(() => rooms.members('lobby').length === 1)
  await page.close()
  await until(() => rooms.members().length === 0)
  await engine.stop({ timeout: 1000 })
})

t.test('two pages', { skip: noChromium, timeout: 120_000 }, async t => {
  const engine = new Engine({ log: message => t.fail(message) })
  const context = new Context({ engine })
  const server = new SampleServer(context, 'ws://127.0.0.1:0/rooms;mode=server;origins=*')
  await server.start()
  const [browser, home] = await Promise.all([starting!, site(t)])
  const [ann, bob] = await Promise.all([browser.open(home), browser.open(home)])
  const both = (expression: string): Promise<unknown[]> =>
    Promise.all([ann, bob].map(page => page.run(expression)))

  t.test('chat', async t => {
    await both(MAKE(server.url))
    t.same(await both('channel.state'), ['closed', 'closed'])
    await both('channel.connect()')
    t.same(await both('[channel.state, channel.ready_state]'), Array(2).fill(['open', 1]))
    await both("channel.join('lobby')")
    await Promise.all([untilTrue(ann, 'got.length === 2'), untilTrue(bob, 'got.length === 2')])
    const joined = { status: 'joined', room: 'lobby' }
    t.same(await ann.run('got.splice(0)'), [joined, { general: joined }])
    await bob.run('got.splice(0)')
    await ann.run("channel.send_to('lobby', { text: 'Grüße 😀' })")
    await untilTrue(bob, 'got.length === 2')
    const text = { text: 'Grüße 😀' }
    t.same(await bob.run('got.splice(0)'), [text, { general: text }])
    await ann.run("channel.send('hello')")
    await untilTrue(ann, 'got.length === 1')
    t.same(await ann.run('got.splice(0)'), [{ general: 'Echo: hello' }])
  })

  t.test('bytes are bytes, and more than the browser likes to keep waits', async t => {
    const { url } = await serve(t, { origins: '*', message_size: 4 * 1024 * 1024 })
    const [sizes, queued] = await bob.run(`(async () => {
      const echo = new rooms.Channel('${url}', { max_queued_bytes: 2 ** 23 })
      const sizes = []
      const done = new Promise(resolve => echo.on_message(message => {
        sizes.push(message instanceof Uint8Array ? message.length : message)
        if (message === 'end') resolve()
      }))
      await echo.connect()
      for (let i = 0; i < 3; i++) await echo.send(new Uint8Array(2 ** 20))
      await echo.send(Uint8Array.of(1, 255).buffer)
      await echo.send('end')
      const { queued } = echo
      await done
      await echo.close()
      return [sizes, queued]
    })()`)
    t.same(sizes, [2 ** 20, 2 ** 20, 2 ** 20, 2, 'end'])
    t.ok(queued > 0, `${queued} have waited`)
  })

  t.test('the server dies, and comes back: joins, the queue, what handlers send', async t => {
    server.got.length = 0
    server.stop()
    await untilTrue(ann, "told.includes('close 1006 true')")
    await ann.run("channel.on_open(() => channel.send('from the handler'))")
    await ann.run("channel.send_to('lobby', { n: 1 })")
    await ann.run("channel.send('2')")
    t.equal(await ann.run('channel.queued'), 2)
    await untilTrue(ann, "told.filter(each => each === 'close 1006 false').length > 1")
    await bob.run('channel.close()')
    await server.start()
    await until(() => server.got.length >= 4)
    t.same(server.got, [
      '{"type":"_join","room":"lobby"}',
      '{"n":1,"_room":"lobby"}',
      '2',
      'from the handler',
    ])
    t.same(
      await ann.run('[...new Set(told)]'),
      ['open', 'close 1006 true', 'ChannelConnectionError ERR_CONNECTION', 'close 1006 false'],
      'it is told what has happened',
    )
  })

  t.test('closing, and errors', async t => {
    await ann.run('told.length = 0; channel.close(3001, "bye")')
    t.same(await ann.run('[channel.state, told]'), ['closed', ['close 3001 true']])
    const fate = 'call => call.then(() => "done", ({ name, message }) => `${name} ${message}`)'
    t.equal(
      await ann.run(`(${fate})(channel.send('x'))`),
      `ChannelMessageError ${server.url} (closed): not initialized; call connect() first`,
    )
    server.stop()
    t.match(
      await ann.run(`(${fate})(channel.connect())`),
      /^ChannelConnectionError ws:\S+ \(connecting\): Failed to connect: WebSocket error/,
    )
  })

  t.test('end', async () => {
    await browser.close()
    await engine.stop({ timeout: 1000 })
  })
})
