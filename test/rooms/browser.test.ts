/** Channel in a browser, with a page and a WebSocket that the test has made. */

import t, { type Test } from 'tap'
import { Channel } from '../../src/rooms/browser.ts'
import { turn } from '../kit.ts'

class Socket {
  static readonly all: Socket[] = []
  readonly url: string
  readonly protocols: string[]
  readyState = 0
  readonly bufferedAmount = 0
  onopen!: () => void
  onclose!: (event: { code: number; reason: string }) => void

  constructor(url: string, protocols: string[]) {
    this.url = url
    this.protocols = protocols
    Socket.all.push(this)
  }

  close(code = 1006, reason = ''): void {
    this.readyState = 3
    queueMicrotask(() => this.onclose({ code, reason }))
  }
}

/** Puts a value where a browser has it. */
function put(t: Test, holder: object, name: string, value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(holder, name)
  Object.defineProperty(holder, name, { value, configurable: true, writable: true })
  t.teardown(() => {
    if (before === undefined) delete (holder as Record<string, unknown>)[name]
    else Object.defineProperty(holder, name, before)
  })
}

t.test('it connects to a path of the server that the page is from', async t => {
  put(t, globalThis, 'WebSocket', Socket)
  put(t, globalThis, 'location', { href: 'https://host:8000/chat/' })
  const channel = new Channel('../rooms', { protocols: ['a'] })
  t.equal(channel.url, 'wss://host:8000/rooms')
  const connected = channel.connect()
  const { url, protocols } = Socket.all[0]!
  t.same([url, protocols], ['wss://host:8000/rooms', ['a']])
  Socket.all[0]!.readyState = 1
  Socket.all[0]!.onopen()
  await connected
  await channel.close()
  t.equal(channel.state, 'closed')
  await t.rejects(channel.send('x'), { message: /^wss:\/\/host:8000\/rooms \(closed\): / })
})

t.test('it has no timers but for what it waits for, and a log', async t => {
  put(t, globalThis, 'WebSocket', Socket)
  const logged: unknown[][] = []
  put(t, console, 'error', (...args: unknown[]) => logged.push(args))
  const channel = new Channel('ws://a', { connect_timeout: 2 ** 40 })
  t.equal(channel.url, 'ws://a/')
  channel.on_open(() => {
    throw new Error('of a handler')
  })
  const connected = channel.connect()
  await turn()
  t.equal(channel.state, 'connecting', 'a time that is too long for a timer is not none')
  const socket = Socket.all.at(-1)!
  socket.readyState = 1
  socket.onopen()
  await connected
  t.match(logged, [['ws://a/: of a handler', { message: 'of a handler' }]])
  await channel.close()
})

t.test('invalid URLs', async t => {
  t.throws(() => new Channel('/rooms'), { code: 'ERR_INVALID_ARGUMENT' }, 'there is no page')
  t.throws(() => new Channel('tcp://a'), {
    message: /url must be a URL of WebSocket or of a page; got "tcp:/,
  })
  t.throws(() => new Channel('ws://a', { engine: 5 } as never), { code: 'ERR_INVALID_ARGUMENT' })
})
