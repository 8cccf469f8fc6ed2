/** Where a client may connect to, and how the list changes. */

import t from 'tap'
import {
  type NatsServer,
  type NatsServers,
  parseServers,
  Servers,
} from '../../../src/protocols/nats/servers.ts'
import { thrown } from '../../kit.ts'

function show(servers: NatsServers): string[] {
  return parseServers(servers).map(
    ({ host, port, isSecure, user = '', password = '' }) =>
      `${host} ${port} ${isSecure ? 'tls' : ''} ${user} ${password}`,
  )
}

t.test('the forms', async t => {
  const rows: [NatsServers, string[]][] = [
    ['nats://a', ['a 4222   ']],
    ['a', ['a 4222   ']],
    ['a:80', ['a 80   ']],
    ['nats://a:80/', ['a 80   ']],
    ['tls://a:443', ['a 443 tls  ']],
    ['nats://u:p%40@[::1]:5', ['::1 5  u p@']],
    ['nats://token@a', ['a 4222  token ']],
    [' nats://a , b:1', ['a 4222   ', 'b 1   ']],
    [
      ['nats://a', 'b:1'],
      ['a 4222   ', 'b 1   '],
    ],
    [[new URL('nats://a')], ['a 4222   ']],
    [new URL('tls://a:7'), ['a 7 tls  ']],
    [4223, ['localhost 4223   ']],
    [['a', 1], ['a 1   ']],
    [{ host: 'a', port: 1 }, ['a 1   ']],
  ]
  for (const [given, servers] of rows) t.same(show(given), servers, String(given))
})

t.test('what is no server', async t => {
  // prettier-ignore
  const rows: unknown[] = [
    [], '', ',', 'nats://', 'http://a', 'ws://a', 'nats://a/path', 'nats://a?x=1', 'nats://a:99999',
    'a:0', 0, { path: '/x' }, null, undefined, {}, 'nats://%zz@a', 'nats://a b',
  ]
  for (const given of rows)
    t.equal(
      thrown(() => parseServers(given as NatsServers)),
      'ERR_INVALID_ADDRESS',
      String(given),
    )
  t.throws(() => parseServers('nats://me:secret@'), { message: /^(?!.*secret)/ })
})

t.test('one after the other, and those that a server tells', async t => {
  const servers = new Servers(parseServers('tls://a,b'))
  const take = (): string => {
    const { host, isSecure } = servers.take()!
    return isSecure ? `${host} tls` : host
  }
  t.same([take(), take(), take(), servers.size], ['a tls', 'b', 'a tls', 2])
  const [a] = parseServers('tls://a')
  servers.told(['b:4222', 'c:1', 'not a server', 'd:1'], a!)
  t.same([take(), take(), take(), take()], ['b', 'c tls', 'd tls', 'a tls'])
  servers.told(['d:1', 'e:1'], a!)
  t.same([take(), take(), take(), take()], ['b', 'd tls', 'e tls', 'a tls'], 'c is gone')
})

t.test('one that is told and connected to stays', async t => {
  const servers = new Servers(parseServers('a'))
  const a = servers.take()!
  servers.told(['b:1'], a)
  const b = servers.take()!
  servers.told([], b)
  t.same([servers.size, servers.take(), servers.take()], [2, a, b])
})

t.test('one that refuses the login twice is given up', async t => {
  const servers = new Servers(parseServers('a,b,c'))
  const [a, b] = [servers.take()!, servers.take()!]
  servers.refused(a)
  servers.welcome()
  servers.refused(a)
  t.equal(servers.size, 3)
  servers.refused(a)
  servers.refused(a)
  t.same([servers.size, servers.take()!.host], [2, 'c'])
  const refuse = (one: NatsServer): void => [1, 2].forEach(() => servers.refused(one))
  refuse(b)
  t.equal(servers.take()!.host, 'c')
  refuse(servers.take()!)
  t.equal(servers.take(), undefined)
})
