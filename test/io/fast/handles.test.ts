/** What is learnt of the Node that runs, and how it says what it lacks. */

import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer, connect, Server, Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import {
  type Handle,
  handleOf,
  learnHandles,
  rules,
  shared,
  socketOver,
  takeHandle,
  viewOf,
} from '../../../src/io/fast/handles.ts'
import { turn } from '../../kit.ts'

const MAJOR = Number(process.versions.node.split('.')[0])

/**
 * What is learnt with something in the place of a method. It is put back at once: tap writes what
 * it has to say by a Socket, too.
 */
function learnWith<Of extends object>(of: Of, name: keyof Of, by: Function): string[] {
  const before = of[name]
  of[name] = by as Of[keyof Of]
  try {
    return learnHandles()
  } finally {
    of[name] = before
  }
}

/** Catches what is assigned to `onread` of any object, so that it is not there afterwards. */
function hideOnread(t: Test, instead?: Function): void {
  Object.defineProperty(Object.prototype, 'onread', {
    configurable: true,
    get: () => instead,
    set() {},
  })
  t.teardown(() => {
    delete (Object.prototype as { onread?: unknown }).onread
  })
}

t.test('this Node has everything', async t => {
  t.same(learnHandles(), [])
  const symbols = [rules.owner, rules.buffer, rules.generator, rules.callback, rules.touch]
  t.same(
    symbols.map(symbol => typeof symbol),
    symbols.map(() => 'symbol'),
  )
  t.equal(new Set(symbols).size, symbols.length, 'each is another')
  t.same([typeof rules.onread, typeof rules.ShutdownRequest], ['function', 'function'])
  t.equal(typeof rules.WriteRequest, MAJOR >= 26 ? 'undefined' : 'function')
})

// Found by chance: Node's reading code is called with nothing to read, and believes that the last
// read of the process has happened there.
t.test('whatever was read last', async t => {
  for (const end of ['end', 'resetAndDestroy'] as const) {
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.write('30 bytes', () => socket[end]())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
    socket.on('error', () => {})
    socket.on('data', () => t.same(learnHandles(), [], 'in data'))
    socket.on('end', () => t.same(learnHandles(), [], 'in end'))
    await new Promise(resolve => socket.once('close', resolve))
    t.same(learnHandles(), [], `after ${end}`)
    server.close()
  }
})

t.test('nothing is left open', async t => {
  const count = (): number =>
    process.getActiveResourcesInfo().filter(name => /Pipe|TCP/.test(name)).length
  // Those of the tests before.
  for (let turns = 0; turns < 5; turns++) await turn()
  const before = count()
  learnHandles()
  for (let turns = 0; turns < 100 && count() !== before; turns++) await turn()
  t.equal(count(), before)
})

t.test('a Node that has no handles to look at', async t => {
  const nothing = function (this: unknown): unknown {
    return this
  }
  t.same(learnWith(Server.prototype, 'listen', nothing), ['handle.onconnection'])
  t.same(learnWith(Socket.prototype, 'connect', nothing), [
    'handle.fd',
    'handle.writeQueueSize',
    'handle.bytesWritten',
    'handle.bytesRead',
    'handle.writeUtf8String',
    'handle.writeBuffer',
    'handle.writev',
    'handle.readStart',
    'handle.close',
  ])
})

t.test('a Node that writes without a request, or with one of another kind', async t => {
  type Holder = { _handle: { writeLatin1String(request: unknown, text: string): void } }
  const writing = (request: unknown) =>
    function (this: Holder): void {
      this._handle.writeLatin1String(request, 'x')
    }
  t.same(learnWith(Socket.prototype, 'write', writing(null)), [])
  t.equal(rules.WriteRequest, undefined)
  t.same(learnWith(Socket.prototype, 'write', writing({})), ['request.getAsyncId'])
})

t.test('a Node that leaves nothing on the handle', async t => {
  hideOnread(t)
  t.same(learnHandles(), ['the onread of a handle', 'the touch of a handle'])
})

t.test('a Node whose reading code asks for something else first', async t => {
  hideOnread(t, function (this: Record<symbol, { destroyed: boolean }>) {
    void this[rules.owner]!.destroyed
  })
  t.same(learnHandles(), ['the touch of a handle'])
})

t.test('a runtime that is not Node, or forbids sockets', async t => {
  const refuse = (): void => {
    throw new Error('not implemented')
  }
  const refused = ['sockets that can be looked into (not implemented)']
  t.same(learnWith(Socket.prototype, '_final', refuse), refused)
  t.same(learnWith(Server.prototype, 'listen', refuse), refused)
})

t.test('a handle is taken out of its socket, and a socket is made over one', async t => {
  const server = createServer(socket => socket.end('from here')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1').pause()
  await once(socket, 'connect')
  const handle = handleOf<Handle>(socket)
  t.equal(takeHandle(socket), handle)
  t.equal(handleOf(socket), null)
  const over = socketOver(handle as Handle)
  t.equal(handleOf(over), handle)
  t.equal(over.allowHalfOpen, true)
  over.resume()
  await once(over, 'end')
  t.equal(Buffer.from(shared.subarray(0, 9)).toString(), 'from here')
  const view = viewOf(9)
  t.equal(view.toString(), 'from here')
  t.equal(viewOf(9), view, 'the same view as long as the size is the same')
  t.equal(viewOf(4).toString(), 'from')
  over.destroy()
  server.close()
})

// For the tests that follow in this process.
t.teardown(() => learnHandles())
