/** The parameters of ws:// and wss://. */

import t from 'tap'
import {
  wsHeaders,
  wsOrigins,
  wsParams,
  wsTarget,
} from '../../../../src/messages/carriers/websocket/ws-params.ts'
import { fault, params } from '../../kit.ts'

t.test('what stands in a message', async t => {
  const read = (rest: string) => wsParams(params(`ws://a:1;${rest}`), 'client')
  t.match(read(''), {
    frame: undefined,
    isBinary: false,
    carries: { data: 'text', msgid: false, seq: false },
    options: { message_size: 1024 * 1024, deflate: false, ping_interval: Infinity },
    protocols: [],
    ofPeer: '',
  })
  t.match(read('frame=std;protocol=a, b'), {
    frame: { name: 'std' },
    isBinary: true,
    carries: { msgid: true },
    protocols: ['a', 'b'],
    ofPeer: ';frame=std;protocol=a,b',
  })
  t.match(read('binary=yes').carries, { data: 'any' })
  t.match(read('frame=line;binary=yes'), { frame: { name: 'line' }, isBinary: true })
  // A client by the URL of the server did not take what the server may send.
  t.match(read('frame=none;max-size=2kb'), {
    options: { message_size: 2048 },
    ofPeer: ';max-size=2048b',
  })
  t.equal(read('binary=yes').ofPeer, ';binary=yes')
  t.match(read('buffer-size=3kb').options, { message_size: 3072 })
  t.match(read('deflate=yes;ping-interval=30s;pong-timeout=5s').options, {
    deflate: true,
    ping_interval: 30_000,
    pong_timeout: 5000,
  })
  t.match(read('ping-interval=no').options, { ping_interval: Infinity })
  // It meant 20 s all the same. And ping-interval=0s made a channel that pinged at every turn.
  t.match(read('pong-timeout=no').options, { pong_timeout: Infinity })
  t.throws(() => read('ping-interval=0s'), {
    message: /^ping-interval must be no, or a duration longer than 0/,
  })
  t.match(
    fault(() => read('frame=std;binary=no')),
    'binary must be yes with frame=std',
  )
  // A server was active, and no client could ever speak one of them.
  for (const wrong of ['a b', 'a,a', 'a,,b'])
    t.match(
      fault(() => read(`protocol=${wrong}`)),
      'protocol must be different subprotocols without blanks',
    )
})

t.test('where it is', async t => {
  const target = (text: string, rest = '') => wsTarget(params(`ws://${text};${rest}`), text)
  t.same(target('a:1'), { address: ['a', 1], resource: undefined })
  t.same(target('*:1/x?y'), { address: ['', 1], resource: '/x?y' })
  t.same(target('a:1?y'), { address: ['a', 1], resource: '/?y' })
  t.same(target('a:1/x', 'path=/z'), { address: ['a', 1], resource: '/z' })
  for (const text of ['', 'a', '/path', 'a:x', 'a:70000', 'a:1/ä', 'a:1/x y'])
    t.match(
      fault(() => target(text)),
      /address must be|port must be|without blanks/,
      text,
    )
  t.match(
    fault(() => target('a:1', 'path=x')),
    /^path must be a path that begins with '\/'/,
  )
})

t.test('headers, and origins', async t => {
  t.same(wsHeaders(params('ws://a:1;header.Cookie=x;header.X-A=y')), { Cookie: 'x', 'X-A': 'y' })
  // Only opening failed, and nothing pointed into the URL.
  for (const wrong of ['header.Host=x', 'header.a@b=x', 'header.X=a\r\nY: b'])
    t.match(
      fault(() => wsHeaders(params(`ws://a:1;${wrong}`))),
      'a field that the handshake does not write, with text without line ends',
    )
  const origins = (rest: string) => wsOrigins(params(`ws://a:1;${rest}`))
  t.equal(origins(''), 'same')
  t.equal(origins('origins=*'), '*')
  t.same(origins('origins=http://a,null'), ['http://a', 'null'])
  t.same(origins('origins=http://a'), ['http://a'])
  t.throws(() => origins('origins=a.org'), { message: /origins must be same, \* or origins/ })
})
