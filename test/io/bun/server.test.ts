/** A server on Bun.listen, in the shape in which NodeListener wants one. */

import { once } from 'node:events'
import t from 'tap'
import { HANDLERS } from '../../../src/io/bun/handlers.ts'
import { BunServer } from '../../../src/io/bun/server.ts'
import type { HowToListen } from '../../../src/io/listening/listener.ts'
import { turn } from '../../kit.ts'
import { FakeBun, FakeSocket, refusal } from './kit.ts'

/** Listens. Returns what Bun was asked for, without what is the same each time. */
async function listen(how: HowToListen, bun = new FakeBun()): Promise<object> {
  const server = new BunServer(bun, HANDLERS)
  await new Promise<void>(resolve => server.listen(how, resolve))
  const { data, socket, allowHalfOpen, ...asked } = bun.asked.at(-1)!
  t.equal(data, server)
  t.equal(socket, HANDLERS)
  t.equal(allowHalfOpen, true)
  return asked
}

t.test('where it listens, and how', async t => {
  const usual = { reusePort: false, ipv6Only: false }
  t.same(await listen({ fd: 3 }), { fd: 3, ...usual })
  t.same(await listen({ path: '/path' }), { unix: '/path', ...usual })
  t.same(await listen({ port: 1 }), { hostname: '::', port: 1, ...usual })
  t.same(await listen({ host: '127.0.0.1', reusePort: true }), {
    hostname: '127.0.0.1',
    port: 0,
    reusePort: true,
    ipv6Only: false,
  })
  t.match(await listen({ host: 'localhost', port: 1 }), { hostname: /^(127\.0\.0\.1|::1)$/ })
})

t.test('a machine without IPv6', async t => {
  const bun = new FakeBun()
  bun.errors.push(refusal('EAFNOSUPPORT'))
  t.match(await listen({ port: 1 }, bun), { hostname: '0.0.0.0', port: 1 })
  bun.errors.push(refusal('EAFNOSUPPORT'), refusal('EADDRNOTAVAIL'))
  const server = new BunServer(bun, HANDLERS).listen({ port: 2 }, () => t.fail('it listens'))
  t.match(await once(server, 'error'), [{ code: 'EADDRNOTAVAIL' }])
})

t.test('errors are in the words of Node, and come later', async t => {
  for (const [how, code, message] of [
    [
      { host: '127.0.0.1', port: 80 },
      'EADDRINUSE',
      'listen EADDRINUSE: address already in use 127.0.0.1:80',
    ],
    [{ path: '/path' }, 'EACCES', 'listen EACCES: permission denied /path'],
    [{ fd: 3 }, 'EODD', 'listen EODD: Failed to listen at 127.0.0.1 descriptor 3'],
  ] as const) {
    const bun = new FakeBun()
    bun.errors.push(refusal(code))
    const server = new BunServer(bun, HANDLERS).listen(how, () => t.fail('it listens'))
    t.match(await once(server, 'error'), [{ code, message, syscall: 'listen' }])
  }
  const server = new BunServer(new FakeBun(), HANDLERS)
  server.listen({ host: 'name.invalid', port: 1 }, () => t.fail('it listens'))
  t.match(await once(server, 'error'), [{ syscall: 'getaddrinfo' }])
})

t.test('what it tells, and how it closes', async t => {
  const bun = new FakeBun()
  const server = new BunServer(bun, HANDLERS)
  t.same([server.listening, server.address(), server.fd], [false, null, -1])
  server.listen({ port: 1 }, () => t.fail('it was closed before'))
  t.same([server.listening, server.address(), server.fd], [true, bun.address, 5])
  bun.address = {}
  t.equal(server.address(), null, 'a unix socket')
  server.close()
  server.close()
  await turn()
  t.same([server.listening, server.address(), server.fd, bun.listening], [false, null, -1, 0])
})

t.test('hands sockets on; closes them if nobody takes them', async t => {
  const bun = new FakeBun()
  const server = new BunServer(bun, HANDLERS).listen({ port: 1 }, () => {})
  const early = new FakeSocket()
  early.close = () => void early.calls.push('close')
  t.same(bun.accept(early).calls, ['close'])
  const taken: unknown[] = []
  server.accept = socket => taken.push(socket)
  t.same([bun.accept()], taken)
})
