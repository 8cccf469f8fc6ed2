/** The WebSocket of a browser as a carrier, with a socket that does what the test says. */

import t from 'tap'
import { ManualClock } from '../../../src/io/manual-clock.ts'
import { BrowserCarrier, type BrowserSocket } from '../../../src/rooms/client/browser-carrier.ts'

class Socket implements BrowserSocket {
  binaryType = 'blob'
  readyState = 0
  bufferedAmount = 0
  onopen!: () => void
  onmessage!: (event: { data: unknown }) => void
  onerror!: () => void
  onclose!: (event: { code: number; reason: string }) => void
  readonly log: unknown[] = []

  send(data: string | Uint8Array): void {
    this.log.push(data)
  }

  close(...args: unknown[]): void {
    this.readyState = 2
    this.log.push(['close', ...args])
  }
}

function make() {
  const socket = new Socket()
  const clock = new ManualClock()
  const told: unknown[] = []
  const carrier = new BrowserCarrier(
    () => socket,
    (delay, callback) => clock.after(delay, callback),
    {
      opened: () => told.push('opened'),
      received: data => told.push(data),
      drained: () => told.push('drained'),
      failed: ({ message }) => told.push(message),
      closed: (code, reason) => told.push(['closed', code, reason]),
    },
  )
  carrier.open()
  return { socket, clock, told, carrier }
}

t.test('a life', async t => {
  const { socket, clock, told, carrier } = make()
  t.same([socket.binaryType, carrier.isOpen], ['arraybuffer', false])
  socket.readyState = 1
  socket.onopen()
  t.equal(carrier.isOpen, true)
  socket.onmessage({ data: 'text' })
  socket.onmessage({ data: Uint8Array.of(1, 2).buffer })
  t.same(told.splice(0), ['opened', 'text', Uint8Array.of(1, 2)])
  t.ok(carrier.send('x'))
  t.ok(carrier.send(Uint8Array.of(3)))
  carrier.close(3000, 'bye')
  t.same(socket.log, ['x', Uint8Array.of(3), ['close', 3000, 'bye']])
  t.equal(carrier.isOpen, false)
  socket.onerror()
  socket.onclose({ code: 3000, reason: 'bye' })
  t.same(told, ['WebSocket error occurred', ['closed', 3000, 'bye']])
  t.equal(clock.pending, 0)
})

t.test('it has room again when the browser has sent enough', async t => {
  const { socket, clock, told, carrier } = make()
  socket.readyState = 1
  socket.bufferedAmount = 2 ** 20
  t.notOk(carrier.send('x'), 'no room')
  clock.advance(50)
  t.same([told, clock.pending], [[], 1], 'still none')
  socket.bufferedAmount--
  clock.advance(50)
  t.same([told.splice(0), clock.pending], [['drained'], 0])
  socket.bufferedAmount++
  t.notOk(carrier.send('x'))
  carrier.abort()
  clock.advance(50)
  t.same([told, clock.pending, socket.log.at(-1)], [[], 0, ['close']], 'and it looks no more')
})

// In a program for Deno, an `on_close` that asked for the code 1006 was never right: the WebSocket
// of Deno tells a loss, or an attempt that failed, with the code 0.
t.test('a loss has no code of its own in Deno either', async t => {
  const { socket, told } = make()
  socket.onclose({ code: 0, reason: '' })
  t.same(told, [['closed', undefined, '']], 'which is 1006 to the channel')
})
