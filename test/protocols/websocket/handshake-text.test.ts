/** Requests and responses of the handshake, as text. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  acceptOf,
  newKey,
  readRequest,
  readResponse,
  type Wish,
  writeAcceptance,
  writeRefusal,
  writeRequest,
} from '../../../src/protocols/websocket/handshake-text.ts'
import { type Head, HeadReader } from '../../../src/protocols/websocket/head.ts'

const SAMPLE = 'dGhlIHNhbXBsZSBub25jZQ=='

function head(text: string): Head {
  return new HeadReader().push(Buffer.from(text, 'latin1')) as Head
}

const WISH: Wish = {
  resource: '/chat?a=1',
  host: 'example.org:81',
  key: SAMPLE,
  protocols: ['b', 'a'],
  extensions: '',
  headers: { Authorization: 'Basic eA==' },
}

t.test('the sample of the RFC; keys are 16 random bytes', async t => {
  t.equal(acceptOf(SAMPLE), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  t.equal(Buffer.from(newKey(), 'base64').length, 16)
  t.not(newKey(), newKey())
})

t.test('a request is read as it was written', async t => {
  const asked = readRequest(head(writeRequest(WISH)))
  t.match(asked, { path: '/chat', query: 'a=1', host: 'example.org:81', key: SAMPLE })
  t.same('protocols' in asked && asked.protocols, ['b', 'a'])
  t.same('fields' in asked && asked.fields.get('authorization'), ['Basic eA=='])
  t.notMatch(writeRequest({ ...WISH, protocols: [] }), /Sec-WebSocket-Protocol/)
})

/** A request with some fields changed; undefined leaves one out. */
function request(changes: Record<string, string | undefined> = {}, line = 'GET / HTTP/1.1'): Head {
  const fields: Record<string, string | undefined> = {
    Host: 'a',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': SAMPLE,
    'Sec-WebSocket-Version': '13',
    ...changes,
  }
  const lines = Object.entries(fields).map(([name, value]) =>
    value === undefined ? '' : `${name}: ${value}\r\n`,
  )
  return head(`${line}\r\n${lines.join('')}\r\n`)
}

t.test('requests that real clients send', async t => {
  const rows: [Record<string, string | undefined>, string?][] = [
    [{}],
    [{ Upgrade: 'WebSocket', Connection: 'keep-alive, Upgrade' }],
    [{ Upgrade: 'foo, websocket', Connection: 'upgrade' }],
    [{ 'Content-Length': '0' }],
    [{ Origin: 'null' }],
    [{ Expect: '100-continue' }],
    [{}, 'GET http://example.org/x?y HTTP/1.1'],
    [{}, 'GET ws://example.org HTTP/1.1'],
    [{}, 'GET /?q HTTP/1.2'],
  ]
  for (const [changes, line] of rows)
    t.ok('key' in readRequest(request(changes, line)), JSON.stringify([changes, line]))
  t.match(readRequest(request({}, 'GET http://h/x?y?z HTTP/1.1')), { path: '/x', query: 'y?z' })
  t.match(readRequest(request({}, 'GET ws://h?y HTTP/1.1')), { path: '/', query: 'y' })
})

t.test('fields in the order and the spelling of others', async t => {
  const orders = [
    // ws, websocket-driver, Node's own, HAProxy from HTTP/2.
    'Sec-WebSocket-Version Sec-WebSocket-Key Connection Upgrade Host',
    'Host Upgrade Connection Sec-WebSocket-Key Sec-WebSocket-Version',
    'host connection upgrade sec-websocket-key sec-websocket-version',
    'upgrade connection host sec-websocket-version Sec-Websocket-Key',
  ]
  const values: Record<string, string> = {
    host: 'a',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': SAMPLE,
    'sec-websocket-version': '13',
  }
  for (const order of orders) {
    const lines = order.split(' ').map(name => `${name}: ${values[name.toLowerCase()]}\r\n`)
    t.match(readRequest(head(`GET / HTTP/1.1\r\n${lines.join('')}\r\n`)), { key: SAMPLE }, order)
  }
})

t.test('requests that are refused, with the status of each', async t => {
  const rows: [Record<string, string | undefined>, number, string?][] = [
    [{}, 400, 'GET /'],
    [{}, 400, 'GET  / HTTP/1.1'],
    [{}, 400, 'GET / HTTP/1.1 '],
    [{}, 400, 'GET /ä HTTP/1.1'],
    [{}, 400, 'GET /#a HTTP/1.1'],
    [{}, 400, 'GET x HTTP/1.1'],
    [{}, 400, 'GET * HTTP/1.1'],
    [{}, 505, 'GET / HTTP/1.0'],
    [{}, 505, 'PRI * HTTP/2.0'],
    [{}, 405, 'POST / HTTP/1.1'],
    [{}, 405, 'HEAD / HTTP/1.1'],
    [{}, 405, 'CONNECT a:1 HTTP/1.1'],
    [{ 'Content-Length': '5' }, 400],
    [{ 'Content-Length': '0\r\nContent-Length: 0' }, 400],
    [{ 'Transfer-Encoding': 'chunked' }, 400],
    [{ Host: undefined }, 400],
    [{ Host: '' }, 400],
    [{ Host: 'a b' }, 400],
    [{ Host: 'a/b' }, 400],
    [{ Host: 'a\r\nHost: b' }, 400],
    [{ Upgrade: undefined }, 426],
    [{ Upgrade: 'h2c' }, 426],
    [{ Connection: 'close' }, 426],
    [{ 'Sec-WebSocket-Version': undefined }, 426],
    [{ 'Sec-WebSocket-Version': '8' }, 426],
    [{ 'Sec-WebSocket-Version': '13\r\nSec-WebSocket-Version: 13' }, 426],
    [{ 'Sec-WebSocket-Key': undefined }, 400],
    [{ 'Sec-WebSocket-Key': 'short' }, 400],
    [{ 'Sec-WebSocket-Key': `${SAMPLE}\r\nSec-WebSocket-Key: ${SAMPLE}` }, 400],
    [{ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' }, 400],
    [{ 'Sec-WebSocket-Protocol': 'a b' }, 400],
    [{ 'Sec-WebSocket-Protocol': 'a, a' }, 400],
    [{ Origin: 'http://a\r\nOrigin: http://b' }, 400],
  ]
  for (const [changes, status, line] of rows)
    t.match(
      readRequest(request(changes, line)),
      { status, why: /./ },
      JSON.stringify([changes, line]),
    )
  t.match(readRequest(request({ 'Sec-WebSocket-Version': '8' })), {
    headers: { 'Sec-WebSocket-Version': '13' },
  })
})

t.test('the 101 has exactly three fields, and what was chosen', async t => {
  const plain = { key: SAMPLE, protocol: '', extensions: '', headers: {} }
  t.equal(
    writeAcceptance(plain),
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
  )
  const more = writeAcceptance({
    ...plain,
    protocol: 'a',
    extensions: 'e',
    headers: { 'X-A': 'b' },
  })
  t.match(more, /Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Extensions: e\r\nX-A: b\r\n\r\n$/)
})

t.test('a refusal', async t => {
  t.equal(
    writeRefusal(403, { 'X-A': 'b' }, 'nö\n'),
    'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      'Content-Length: 4\r\nX-A: b\r\n\r\nnö\n',
  )
  t.match(
    writeRefusal(426, { Upgrade: 'websocket' }, ''),
    /^HTTP\/1.1 426 .*\r\nConnection: Upgrade, close/,
  )
  t.match(writeRefusal(418, { 'content-type': 'text/html' }, ''), /^HTTP\/1.1 418 \r\n/)
  t.notMatch(writeRefusal(418, { 'content-type': 'text/html' }, ''), /text\/plain/)
})

/** A response with some fields changed. */
function response(
  changes: Record<string, string | undefined> = {},
  line = 'HTTP/1.1 101 Switching Protocols',
): Head {
  const fields: Record<string, string | undefined> = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': acceptOf(SAMPLE),
    'Sec-WebSocket-Protocol': 'a',
    ...changes,
  }
  const lines = Object.entries(fields).map(([name, value]) =>
    value === undefined ? '' : `${name}: ${value}\r\n`,
  )
  return head(`${line}\r\n${lines.join('')}\r\n`)
}

t.test('responses that real servers send', async t => {
  const rows: [Record<string, string | undefined>, string?][] = [
    [{}],
    [{ Upgrade: 'WebSocket', Connection: 'keep-alive, upgrade' }],
    [{ 'Content-Length': '0', Date: 'today', 'Content-Type': 'text/plain' }],
    [{}, 'HTTP/1.1 101 '],
    [{}, 'HTTP/1.1 101'],
  ]
  for (const [changes, line] of rows)
    t.same(readResponse(response(changes, line), WISH), {
      kind: 'agreed',
      protocol: 'a',
      extensions: '',
    })
  const withExtensions = { ...WISH, extensions: 'x', protocols: [] }
  t.same(
    readResponse(
      response({ 'Sec-WebSocket-Protocol': undefined, 'Sec-WebSocket-Extensions': 'x' }),
      withExtensions,
    ),
    { kind: 'agreed', protocol: '', extensions: 'x' },
  )
})

t.test('responses that are wrong', async t => {
  const rows: [Record<string, string | undefined>, RegExp, string?][] = [
    [{}, /no HTTP/, 'HTTP/1.0 101 Switching Protocols'],
    [{}, /no HTTP/, 'SSH-2.0-OpenSSH'],
    [{ Upgrade: undefined }, /Upgrade must/],
    [{ Upgrade: 'h2c' }, /Upgrade must/],
    [{ Connection: 'close' }, /Connection must/],
    [{ 'Sec-WebSocket-Accept': undefined }, /Accept/],
    [{ 'Sec-WebSocket-Accept': acceptOf(SAMPLE).toLowerCase() }, /Accept/],
    [{ 'Sec-WebSocket-Protocol': undefined }, /none of the subprotocols b, a/],
    [{ 'Sec-WebSocket-Protocol': 'c' }, /nobody asked for/],
    [{ 'Sec-WebSocket-Protocol': '' }, /nobody asked for/],
    [{ 'Sec-WebSocket-Protocol': 'a\r\nSec-WebSocket-Protocol: a' }, /nobody asked for/],
    [{ 'Sec-WebSocket-Extensions': 'x' }, /nobody offered/],
    [{ 'Sec-WebSocket-Extensions': '' }, /nobody offered/],
  ]
  for (const [changes, why, line] of rows)
    t.match(readResponse(response(changes, line), WISH), { kind: 'wrong', why })
})

t.test('a response that is no upgrade', async t => {
  for (const status of [100, 103, 199])
    t.same(readResponse(response({}, `HTTP/1.1 ${status} x`), WISH), { kind: 'skip' })
  for (const status of [200, 302, 401, 503])
    t.same(readResponse(response({}, `HTTP/1.1 ${status} x`), WISH), { kind: 'refused', status })
  t.same(readResponse(response({}, 'HTTP/1.1 099 x'), WISH), { kind: 'refused', status: 99 })
})
