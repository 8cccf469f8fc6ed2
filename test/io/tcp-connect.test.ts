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
  const local = { host: '127.0.0.2', port: 7 }
  t.strictSame(asked({ kind: 'ip', host: 'example.org', port: 6 }, { local }), {
    ...always,
    host: 'example.org',
    port: 6,
    localAddress: '127.0.0.2',
    localPort: 7,
  })
})

// `dns.promises.lookup` is the natural one to give. Node ignores its promise: nothing came of it
// until connect_timeout, and a rejection ended the process.
t.test('a lookup may be async', async t => {
  type Lookup = (host: string, options: object, callback: (...answer: any[]) => void) => unknown
  const answerOf = async (lookup: Lookup): Promise<unknown[]> => {
    const { lookup: wrapped } = asked({ kind: 'ip', host: 'h', port: 6 }, { lookup }) as {
      lookup: Lookup
    }
    return new Promise(resolve => wrapped('h', {}, (...answer) => resolve(answer)))
  }
  const one = { address: '127.0.0.1', family: 4 }
  t.same(await answerOf(async () => [one]), [null, [one]])
  t.same(await answerOf(async () => one), [null, '127.0.0.1', 4])
  t.same(await answerOf((_host, _options, callback) => callback(null, [one])), [null, [one]])
  t.same(await answerOf(async (_host, _options, callback) => callback(null, [one])), [null, [one]])
  const error = new Error('no such host')
  t.same(await answerOf(() => Promise.reject(error)), [error, ''])
  t.match(await answerOf(async () => null), [{ name: 'TypeError' }, ''])
  // A host that it did not know was waited for until connect_timeout.
  const hosts = new Map([['h', one]])
  t.same(await answerOf(async host => hosts.get(host)), [null, '127.0.0.1', 4])
  t.same(await answerOf(host => hosts.get(host)), [null, '127.0.0.1', 4])
  t.match(await answerOf(async (_host, _options) => undefined), [{ name: 'TypeError' }, ''])
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
