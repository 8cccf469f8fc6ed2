/** Addresses of WebSocket. */

import t from 'tap'
import { parseWebSocketUrl } from '../../../src/protocols/websocket/url.ts'
import type { Address } from '../../../src/types.ts'
import { thrown } from '../../kit.ts'

t.test('URLs', async t => {
  const rows: [string, Address, string, string, string][] = [
    ['ws://a', ['a', 80], 'clear', 'a', '/'],
    ['WS://A:81/x?y=1', ['a', 81], 'clear', 'a:81', '/x?y=1'],
    ['ws://a:80/', ['a', 80], 'clear', 'a', '/'],
    ['wss://a', ['a', 443], 'tls', 'a', '/'],
    ['wss://[::1]:8/ä', ['::1', 8], 'tls', '[::1]:8', '/%C3%A4'],
    ['ws+unix:/tmp/s', { path: '/tmp/s' }, 'clear', 'localhost', '/'],
    ['ws+unix:/tmp/s:/x?y', { path: '/tmp/s' }, 'clear', 'localhost', '/x?y'],
    ['ws+unix:///tmp/s:/x', { path: '/tmp/s' }, 'clear', 'localhost', '/x'],
  ]
  for (const [url, address, security, host, resource] of rows)
    t.same(parseWebSocketUrl(url), { address, security, host, resource, headers: {} }, url)
})

// As in a browser. The error said to give the host and the port, and so lost the path and TLS.
t.test('a URL may be an object', async t => {
  const url = new URL('wss://a:81/x?y')
  t.match(parseWebSocketUrl(url), { address: ['a', 81], security: 'tls', resource: '/x?y' })
  for (const wrong of ['http://a/x', new URL('https://a')])
    t.throws(() => parseWebSocketUrl(wrong), {
      code: 'ERR_INVALID_ADDRESS',
      message: /begins with ws: or wss:/,
    })
})

t.test('a name and a password', async t => {
  const { headers } = parseWebSocketUrl('ws://me:s%40crt@a')
  t.same(headers, { Authorization: `Basic ${btoa('me:s@crt')}` })
  t.same(parseWebSocketUrl('ws://me@a').headers, { Authorization: `Basic ${btoa('me:')}` })
  t.same(parseWebSocketUrl('ws://:x@a').headers, { Authorization: `Basic ${btoa(':x')}` })
})

t.test('addresses of every client', async t => {
  const rows: [Address, string][] = [
    [81, 'localhost:81'],
    [['a', 81], 'a:81'],
    [{ port: 81 }, 'localhost:81'],
    [['::1', 81], '[::1]:81'],
    ['/tmp/s', 'localhost'],
  ]
  for (const [address, host] of rows)
    t.same(parseWebSocketUrl(address), {
      address,
      security: 'either',
      host,
      resource: '/',
      headers: {},
    })
})

t.test('what is none of them', async t => {
  for (const url of [
    'ws:',
    'ws://',
    'ws://a:x',
    'ws://a/#b',
    'ws+unix:',
    'wss+unix:/a',
    'ws://a b',
  ])
    t.equal(
      thrown(() => parseWebSocketUrl(url)),
      'ERR_INVALID_ADDRESS',
      url,
    )
})
