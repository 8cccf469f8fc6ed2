/**
 * One connection under TLS. The conformance suite holds it to the seam. Here are the handshake, and
 * what is special to TLS afterwards.
 */

import { Buffer } from 'node:buffer'
import { EventEmitter, once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

import { connect as startTls, type TLSSocket } from 'node:tls'
import t from 'tap'
import { TcpTransport } from '../../src/io/tcp.ts'
import { tlsContext } from '../../src/io/tls.ts'
import { TlsTransport } from '../../src/io/tls-transport.ts'
import { turn, until } from '../kit.ts'
import {
  ca,
  clear,
  client,
  expired,
  inMemory,
  OURS,
  pair,
  selfSigned,
  THEIRS,
  Watched,
} from './tls-kit.ts'

// A server on Deno, over anything but a socket, closed without a word when what came was not TLS.
t.test('REGRESSION: a handshake that ends without an error has failed all the same', async t => {
  const [one] = await clear(t)
  const near = new Watched(new TlsTransport(one, 'the peer', below => below.destroy()))
  await near.saw('closed')
  t.same(near.log, ['failed', 'closed'])
  t.match(near.error, {
    message: 'handshake: it ended, and nothing says why',
    code: 'ERR_TLS',
    syscall: 'handshake',
  })
})

t.test('both ends know what they agreed upon, also afterwards', async t => {
  const [near, far] = await pair(
    t,
    { ...OURS, ALPNProtocols: ['x', 'y'], key: client.key, cert: client.cert },
    { ...THEIRS, ALPNProtocols: ['y'], requestCert: true, ca: ca.cert },
  )
  t.equal(near.transport.tls, undefined)
  t.same(
    [
      near.transport.write('too early', 'utf8'),
      near.transport.bytes_queued,
      far.transport.bytes_queued,
      far.transport.bytes_written,
    ],
    [true, 0, 0, 0],
  )
  for (const { transport } of [near, far]) {
    transport.cork()
    transport.uncork()
    transport.pause()
    transport.resume()
    transport.end()
  }
  await Promise.all([near.saw('opened'), far.saw('opened')])
  t.match(near.transport.tls, {
    protocol: 'TLSv1.3',
    cipher: /^TLS_/,
    alpn: 'y',
    servername: 'localhost',
    authorized: true,
    authorization_error: undefined,
    reused: false,
  })
  t.match(far.transport.tls, {
    protocol: 'TLSv1.3',
    alpn: 'y',
    servername: 'localhost',
    authorized: true,
    session: undefined,
  })
  t.equal(near.transport.tls?.peer_certificate?.subject.CN, 'server')
  t.equal(far.transport.tls?.peer_certificate?.subject.CN, 'alice')
  t.equal(near.transport.fileno! > 2, true)
  near.transport.set_no_delay(false)
  near.transport.set_keep_alive(1000)
  const addresses = [near.transport.local_address, near.transport.remote_address]
  t.same(addresses, [far.transport.remote_address, far.transport.local_address])
  near.transport.destroy()
  await near.saw('closed')
  t.same(
    [
      near.transport.tls?.cipher !== '',
      near.transport.tls?.peer_certificate,
      near.transport.local_address,
    ],
    [true, undefined, addresses[0]],
  )
})

// With TLS 1.3 a client is done before the server is, and Node sends the client's last message
// after it has said so. A client that closed at once left a server that logged a failed handshake.
t.test('REGRESSION: a client that closes as soon as it is open', async t => {
  for (const close of [
    (end: Watched) => end.transport.destroy(),
    (end: Watched) => queueMicrotask(() => end.transport.destroy()),
  ]) {
    const [near, far] = await pair(t)
    near.on.opened = () => {
      near.transport.resume()
      close(near)
    }
    far.on.opened = () => far.transport.resume()
    await Promise.all([near.saw('closed'), far.saw('ended')])
    t.same(
      [near.log, far.log],
      [
        ['opened', 'closed'],
        ['opened', 'ended'],
      ],
    )
  }
})

t.test('a session is resumed', async t => {
  const options = { ...OURS }
  const [near, far] = await pair(t, options)
  // Node's server is done before it sends the session. An answer certainly comes after it.
  far.on.opened = () => far.transport.resume()
  far.on.received = () => far.transport.write('answer', 'utf8')
  near.on.opened = () => near.transport.write('question', 'utf8')
  await near.saw('opened')
  near.transport.resume()
  await near.saw('received')
  const session = near.transport.tls?.session as Buffer
  t.ok(session?.length > 0, 'there is one')
  const [again] = await pair(t, { ...options, session })
  await again.saw('opened')
  t.equal(again.transport.tls?.reused, true)
})

t.test('counts what went in clear before', async t => {
  const [one, two] = await clear(t)
  new Watched(two)
  one.write('clear', 'utf8')
  two.resume()
  while (two.bytes_read < 5) await turn()
  const near = new Watched(tlsContext('client', OURS).secure(one, 'localhost'))
  const far = new Watched(tlsContext('server', THEIRS).secure(two, ''))
  await Promise.all([near.saw('opened'), far.saw('opened')])
  far.transport.resume()
  t.equal(near.transport.write('secret', 'utf8'), false, 'not yet taken, as Node says that later')
  t.equal(near.transport.write('', 'utf8'), true)
  await Promise.all([near.saw('drained'), far.saw('received')])
  t.same(
    [near.transport.bytes_written, far.transport.bytes_read, far.text, near.log],
    [11, 11, 'secret', ['opened', 'drained']],
  )
})

// Of 40 MB written at once nothing was seen before the last byte had gone. A peer that was taking
// them, but not within write_timeout, was closed.
t.test('progress of a long write is seen', async t => {
  const [near, far] = await pair(t)
  await Promise.all([near.saw('opened'), far.saw('opened')])
  far.transport.write(Buffer.alloc(40_000_000), 'utf8')
  const seen = new Set<number>()
  near.on.received = () =>
    void (far.transport.bytes_written === 0 && seen.add(far.transport.bytes_gone as number))
  near.transport.resume()
  await far.saw('drained')
  near.on.received = () => {}
  t.ok(seen.size > 1, `${seen.size} steps before it counts as written`)
  t.equal(far.transport.bytes_written, 40_000_000)
})

// Bun and Deno do not tell how much of a write has gone; see pieces.ts.
t.test('a long write is cut where its progress is not told', async t => {
  const [one, two] = await clear(t)
  const far = new Watched(tlsContext('server', THEIRS).secure(two, ''))
  const near = new Watched(
    new TlsTransport(one, 'localhost', (below, sink) => {
      const socket = startTls({ ...OURS, socket: below, host: 'localhost' })
      sink.known(socket)
      socket.once('secureConnect', () => {
        const { _handle } = socket as unknown as { _handle: object }
        Object.defineProperty(_handle, 'writeQueueSize', { value: undefined })
        sink.secured(socket)
      })
    }),
  )
  await Promise.all([near.saw('opened'), far.saw('opened')])
  near.transport.write(Buffer.alloc(8 << 20), 'utf8')
  const { bytes_written } = near.transport
  far.transport.resume()
  await until(() => near.transport.bytes_written > bytes_written)
  t.ok(near.transport.bytes_written < 8 << 20)
  await near.saw('drained')
  t.equal(near.transport.bytes_written, 8 << 20)
})

t.test("clients' certificates", async t => {
  const asking = { ...THEIRS, requestCert: true, ca: ca.cert }
  const [none, first] = await pair(t, OURS, asking)
  await Promise.all([none.saw('closed'), first.saw('closed')])
  t.match(first.error, {
    code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
    message: 'handshake: the client gave no certificate, and requestCert asks for one',
  })
  t.same(
    none.log,
    ['opened', 'failed', 'closed'],
    'with TLS 1.3 the client hears of it only when its own side is done',
  )
  t.match(none.error, {
    code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    syscall: 'tls',
    message: 'tls: the server asks for a certificate; give tls: { key, cert }',
  })

  const [, second] = await pair(t, { ...OURS, key: selfSigned.key, cert: selfSigned.cert }, asking)
  await second.saw('closed')
  t.same(second.log, ['failed', 'closed'])
  t.match(second.error, {
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    message: /the certificate of the client is self-signed/,
  })
})

// What node:tls throws for an option that it judges now was an exception of nobody.
t.test('a handshake that does not begin', async t => {
  const [one] = await clear(t)
  const begin = (): never => {
    throw Object.assign(new TypeError('it is a number'), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  const near = new Watched(new TlsTransport(one, 'localhost', begin))
  await near.saw('closed')
  t.same(near.log, ['failed', 'closed'])
  t.match(near.error, { code: 'ERR_INVALID_ARG_TYPE', message: 'handshake: it is a number' })
})

t.test('a peer that does not speak TLS, says nothing, or breaks off', async t => {
  const cases: [what: string, code: string][] = [
    ['GET / HTTP/1.1\r\n\r\n', 'ERR_SSL_HTTP_REQUEST'],
    ['\x16\x03\x01', 'ECONNRESET'],
    ['', 'ECONNRESET'],
    ['x'.repeat(5000), 'ERR_SSL_'],
  ]
  for (const [what, code] of cases) {
    const server = createServer({ pauseOnConnect: true }).listen(0)
    const peer = connect((server.address() as { port: number }).port).on('error', () => {})
    const [socket] = (await once(server, 'connection')) as [Socket]
    const far = new Watched(tlsContext('server', THEIRS).secure(new TcpTransport(socket), ''))
    peer.end(what)
    await far.saw('closed')
    t.same(far.log, ['failed', 'closed'])
    t.ok(far.error.code?.startsWith(code), `${far.error.code} ${far.error.message}`)
    server.close()
  }
})

t.test('destroyed in the middle of a handshake, or in its last moment', async t => {
  for (const which of [0, 1] as const) {
    const ends = await pair(t)
    ends[which].transport.destroy()
    await Promise.all(ends.map(end => end.saw('closed')))
    t.same(ends[which].log, ['closed'])
    const late = ends[which].transport
    const told = new Watched(late)
    await told.saw('closed')
  }
  // The server's handshake is done after it was destroyed. Node reports it all the same.
  const [one, two] = await clear(t)
  const near = new Watched(tlsContext('client', OURS).secure(one, 'localhost'))
  const far: Watched = new Watched(
    tlsContext('server', {
      ...THEIRS,
      SNICallback: (_name, done) => {
        far.transport.destroy()
        done(null)
      },
    }).secure(two, ''),
  )
  await Promise.all([near.saw('closed'), far.saw('closed')])
  t.same(far.log, ['closed'])
  // And that of a client, which has no cipher then: the TypeError ended the process.
  const checkServerIdentity = (): undefined => asking.transport.destroy() as undefined
  const [asking, answering] = await pair(t, { ...OURS, checkServerIdentity })
  await Promise.all([asking.saw('closed'), answering.saw('closed')])
  t.same(asking.log, ['closed'])
})

// It was never told that it had closed: a channel waited for its handshake_timeout.
t.test('over a transport that is destroyed, or has closed', async t => {
  for (const isClosed of [false, true]) {
    const [one] = await clear(t)
    const before = new Watched(one)
    one.destroy()
    if (isClosed) await before.saw('closed')
    const near = new Watched(tlsContext('client', OURS).secure(one, 'localhost'))
    await near.saw('closed')
    t.same(near.log, ['failed', 'closed'])
  }
})

// Bun closes the socket below when the peer has ended; what is written afterwards still goes out.
t.test('a socket that outlives what is below it', async t => {
  const [one] = await clear(t)
  const socket = Object.assign(new EventEmitter(), { readableEnded: true, bytesWritten: 0 })
  const near = new Watched(
    new TlsTransport(one, 'peer', (below, sink) => {
      sink.known(socket as unknown as TLSSocket)
      below.destroy()
      below.once('close', () => setImmediate(() => setImmediate(() => near.log.push('below'))))
    }),
  )
  await until(() => near.log.length > 0)
  socket.emit('close')
  await near.saw('closed')
  t.same(near.log, ['below', 'failed', 'closed'])
})

t.test('an established session that breaks', async t => {
  const [one, two, socket] = await clear(t)
  const near = new Watched(tlsContext('client', OURS).secure(one, 'localhost'))
  const far = new Watched(tlsContext('server', THEIRS).secure(two, ''))
  await Promise.all([near.saw('opened'), far.saw('opened')])
  near.transport.resume()
  // Bypassing TLS, as an attacker on the way could.
  ;(
    socket as unknown as { _handle: { writeLatin1String(request: object, text: string): number } }
  )._handle.writeLatin1String({ oncomplete() {} }, 'garbage garbage garbage')
  await near.saw('closed')
  t.same(near.log.slice(-2), ['failed', 'closed'])
  t.match(near.error, { syscall: 'tls', code: /^ERR_SSL_/ })
})

t.test('an end without close_notify is an end, as in Node', async t => {
  const [near, far] = await pair(t)
  await Promise.all([near.saw('opened'), far.saw('opened')])
  near.transport.resume()
  far.transport.write('half a mess', 'utf8')
  await far.saw('drained')
  await near.saw('received')
  far.transport.destroy()
  await near.saw('ended')
  t.equal(near.text, 'half a mess')
  near.transport.end()
  await near.saw('closed')
})

t.test('is silent without a sink', async t => {
  for (const far of [THEIRS, { key: expired.key, cert: expired.cert }]) {
    const [one, two] = await clear(t)
    const near = tlsContext('client', OURS).secure(one, 'localhost')
    t.equal(near.sink, undefined)
    const server = new Watched(tlsContext('server', far).secure(two, ''))
    await server.until(() => server.log.length > 0)
    near.write('x', 'utf8')
    near.resume()
    near.end()
    server.transport.resume()
    server.transport.write('y', 'utf8')
    server.transport.end()
    await server.saw('closed')
    for (let turns = 0; turns < 5; turns++) await turn()
    t.equal(near.bytes_read, near.tls === undefined ? 0 : 1)
  }
})

t.test('what comes when it is over is not reported', async t => {
  const [near, far] = await pair(t)
  await Promise.all([near.saw('opened'), far.saw('opened')])
  for (const end of [near, far]) end.transport.resume()
  near.on.received = () => near.transport.destroy()
  near.transport.write('a', 'utf8')
  far.transport.cork()
  far.transport.write('1', 'utf8')
  far.transport.write('2'.repeat(50_000), 'utf8')
  far.transport.uncork()
  await near.saw('closed')
  t.same(
    near.log.filter(report => report !== 'drained'),
    ['opened', 'received', 'closed'],
  )
  far.transport.destroy()
})

t.test('over a transport that is not a socket', async t => {
  const [near, far] = await inMemory(OURS, THEIRS)
  await Promise.all([near.saw('opened'), far.saw('opened')])
  far.transport.resume()
  near.transport.write('by hand', 'utf8')
  await far.saw('received')
  t.equal(far.text, 'by hand')
  near.transport.destroy()
  await far.saw('ended')
  far.transport.destroy()
})

// Deno 2.9 sent text that waited as UTF-8, whatever its encoding was.
t.test('text is sent in its encoding', async t => {
  const [near, far] = await pair(t)
  await Promise.all([near.saw('opened'), far.saw('opened')])
  far.transport.resume()
  for (const [text, encoding] of [
    ['fc', 'hex'],
    ['ü', 'latin1'],
    ['ü', 'utf8'],
  ] as const)
    near.transport.write(text, encoding)
  await far.until(() => far.transport.bytes_read === 4)
  t.equal(far.text, '\ufffd\ufffdü')
})

t.test('a handshake that is refused, over no socket', async t => {
  const [one] = await clear(t)
  const refused = new Watched(
    new TlsTransport(one, 'localhost', (_below, sink) =>
      queueMicrotask(() => sink.failed(new Error('no TLS here'))),
    ),
  )
  await refused.saw('closed')
  t.same(refused.log, ['failed', 'closed'])
  t.equal(refused.error.message, 'handshake: no TLS here')
})

t.test('a reset is what it is without TLS', async t => {
  const [one, two, socket] = await clear(t)
  const near = new Watched(tlsContext('client', OURS).secure(one, 'localhost'))
  const far = new Watched(tlsContext('server', THEIRS).secure(two, ''))
  await Promise.all([near.saw('opened'), far.saw('opened')])
  near.transport.resume()
  near.transport.pause()
  near.transport.resume()
  socket.resetAndDestroy()
  await near.saw('closed')
  t.match(near.error, { code: 'ECONNRESET', syscall: 'read' })
  t.same(near.log, ['opened', 'failed', 'closed'])
})

t.test('a certificate that is let through is not verified, and the reason is told', async t => {
  const [near] = await pair(
    t,
    { rejectUnauthorized: false },
    { key: selfSigned.key, cert: selfSigned.cert },
    '127.0.0.1',
  )
  await near.saw('opened')
  t.match(near.transport.tls, {
    authorized: false,
    authorization_error: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    servername: undefined,
  })
})
