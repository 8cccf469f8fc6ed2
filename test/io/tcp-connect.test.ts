/** How a socket is told to connect, and what its refusals are. */

import { Socket } from 'node:net'
import t from 'tap'
import { connectError, connectSocket } from '../../src/io/tcp-connect.ts'
import type { ConnectOptions, Endpoint } from '../../src/transport.ts'

/** What Node is asked for, and what it was told before. */
function asked(to: Endpoint, options: ConnectOptions = {}, told: boolean[] = []): object {
  const socket = new Socket()
  let how = {}
  socket.setNoDelay = on => (told.push(on === true), socket)
  socket.connect = ((options: object) => {
    how = options
    return socket
  }) as typeof socket.connect
  connectSocket(socket, to, options)
  return how
}

t.test('what Node is asked for', async t => {
  const told: boolean[] = []
  t.same(asked({ kind: 'unix', path: '/a' }, {}, told), { path: '/a' })
  t.same(told, [])
  const always = {
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 1000,
  }
  t.strictSame(asked({ kind: 'ip', host: '', port: 5 }, {}, told), {
    ...always,
    host: 'localhost',
    port: 5,
  })
  // As an option of `connect` it has no effect. scenarios/socket-options asks the kernel.
  t.same(told, [true])
  const lookup = (): void => {}
  t.strictSame(
    asked(
      { kind: 'ip', host: 'example.org', port: 6 },
      { lookup, local: { host: '127.0.0.2', port: 7 } },
    ),
    {
      ...always,
      host: 'example.org',
      port: 6,
      lookup,
      localAddress: '127.0.0.2',
      localPort: 7,
    },
  )
})

t.test('what Node throws becomes an error of the socket', async t => {
  const socket = new Socket()
  const error = new Promise(resolve => socket.once('error', resolve))
  connectSocket(socket, { kind: 'ip', host: '127.0.0.1', port: 1 }, { local: { host: 'nowhere' } })
  t.match(await error, { code: 'ERR_INVALID_IP_ADDRESS' })
})

t.test('several errors are one', async t => {
  const one = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  t.equal(connectError(one), one)
  const both = new AggregateError([one, new Error('unreachable')])
  t.match(connectError(both), {
    message: 'refused; unreachable',
    code: 'ECONNREFUSED',
    syscall: 'connect',
    cause: both,
  })
  t.match(connectError(new AggregateError([])), { message: '', code: undefined })
})
