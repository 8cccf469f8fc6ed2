/** TLS contexts: which options are invalid, and which certificates are refused. */

import { Buffer } from 'node:buffer'
import { Server } from 'node:net'
import * as tls from 'node:tls'
import t from 'tap'
import { TicketSeed } from '../../src/io/ticket-keys.ts'
import { tlsContext } from '../../src/io/tls.ts'
import type { TlsOptions } from '../../src/transport.ts'
import { thrown } from '../kit.ts'
import {
  ca,
  clear,
  expired,
  inMemory,
  other,
  OURS,
  pair,
  selfSigned,
  stranger,
  THEIRS,
  Watched,
} from './tls-kit.ts'

t.test('options: what is invalid is thrown', async t => {
  t.not(tlsContext('server', THEIRS), tlsContext('client', THEIRS))
  for (const options of [null, 'x', undefined])
    t.equal(
      thrown(() => tlsContext('client', options as unknown as TlsOptions)),
      'ERR_INVALID_ARGUMENT',
    )
  t.throws(() => tlsContext('server', {}), { message: /a certificate: key and cert, or pfx/ })
  t.throws(() => tlsContext('server', { key: 'x', cert: 'no PEM' }), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /^tls must be what node:tls takes; it says: /,
  })
  t.throws(() => tlsContext('client', { requestCerts: true } as TlsOptions), {
    message: 'tls: there is no option "requestCerts"; did you mean requestCert?',
  })
  const compressed = { certificateCompression: ['zlib'] } as TlsOptions
  const canCompress = 'getCertificateCompressionAlgorithms' in tls
  t.equal(
    thrown(() => void tlsContext('client', compressed)),
    canCompress ? 'nothing' : 'ERR_UNSUPPORTED_OPTION',
  )
})

// Node judges it when a client connects. What it threw there ended the process.
t.test('an option that Node refuses late costs its connection', async t => {
  const [near, far] = await pair(t, { ...OURS, minDHSize: -1, session: null as never })
  await Promise.all([near.saw('closed'), far.saw('closed')])
  t.same(
    [near.log, far.log],
    [
      ['failed', 'closed'],
      ['failed', 'closed'],
    ],
  )
  t.match(near.error, { syscall: 'handshake', message: /minDHSize/ })
})

t.test('nobody asked the client for a certificate', async t => {
  const [near, far] = await pair(t, OURS, THEIRS, '127.0.0.1')
  await Promise.all([near.saw('opened'), far.saw('opened')])
  t.same(
    [near.transport.tls?.alpn, near.transport.tls?.servername],
    [undefined, undefined],
    'an address is no name to ask for',
  )
  t.match(far.transport.tls, {
    authorized: false,
    authorization_error: undefined,
    peer_certificate: undefined,
    servername: undefined,
  })
})

t.test('certificates that are refused, and the errors', async t => {
  const cases: [
    far: { key: string; cert: string },
    near: TlsOptions,
    code: string,
    said: RegExp,
  ][] = [
    [
      selfSigned,
      {},
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      /the certificate of localhost is self-signed; to trust it, give tls: \{ ca/,
    ],
    [expired, OURS, 'CERT_HAS_EXPIRED', /the certificate of localhost has expired/],
    [
      stranger,
      OURS,
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      /was issued by an authority that is not trusted here/,
    ],
    [
      other,
      OURS,
      'ERR_TLS_CERT_ALTNAME_INVALID',
      /the certificate is not one of localhost: .*other\.test/,
    ],
  ]
  for (const [{ key, cert }, options, code, said] of cases) {
    const [near, far] = await pair(t, options, { key, cert })
    await Promise.all([near.saw('closed'), far.saw('closed')])
    t.same(near.log, ['failed', 'closed'])
    t.match(near.error, { code, syscall: 'handshake', message: said })
    t.same(near.transport.tls, undefined)
  }
  const [near] = await pair(
    t,
    { rejectUnauthorized: false },
    { key: selfSigned.key, cert: selfSigned.cert },
  )
  await near.saw('opened')
  t.match(near.transport.tls, {
    authorized: false,
    authorization_error: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  })
  const [named] = await pair(
    t,
    { ...OURS, servername: 'other.test' },
    { key: other.key, cert: other.cert },
  )
  await named.saw('opened')
  t.equal(named.transport.tls?.authorized, true, 'the name that was given is the one that counts')
})

// Over a Duplex Node has forgotten by then what is below the socket: the connection closed, and
// nobody was told why. (On a network in memory, or a socket that was adopted.)
t.test('a client whose certificate is refused, over no socket', async t => {
  const asking = { ...THEIRS, requestCert: true, ca: ca.cert }
  const theirs = { ...OURS, key: selfSigned.key, cert: selfSigned.cert }
  const [near, far] = await inMemory(theirs, asking)
  await far.saw('closed')
  t.same(far.log, ['failed', 'closed'])
  t.equal(far.error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT')
  near.transport.destroy()
})

// In Node, an exception of checkServerIdentity ends the process in the middle of a handshake. A
// certificate of the peer without what the function looks at was enough.
t.test('a check of the name that throws', async t => {
  for (const [thrown, message] of [
    [new TypeError('no CN'), 'handshake: no CN'],
    ['no Error', 'handshake: checkServerIdentity threw "no Error"'],
  ] as const) {
    const [near, far] = await pair(t, {
      ...OURS,
      checkServerIdentity() {
        throw thrown
      },
    })
    await Promise.all([near.saw('closed'), far.saw('closed')])
    t.same(near.log, ['failed', 'closed'])
    t.equal(near.error.message, message)
  }
})

// `true` and a promise are refusals to Node, and the error was `true`, or the promise. If that was
// rejected, the process ended.
t.test('a check of the name that answers something else', async t => {
  for (const [answer, said] of [
    [() => true, 'true'],
    [async () => {}, 'an object \\(Promise\\)'],
    [() => Promise.reject(new Error('late')), 'an object \\(Promise\\)'],
  ] as const) {
    const check = answer as () => any
    const [near, far] = await pair(t, { ...OURS, checkServerIdentity: check })
    await Promise.all([near.saw('closed'), far.saw('closed')])
    t.match(
      near.error.message,
      RegExp(`checkServerIdentity must return undefined or an Error; it returned ${said}$`),
    )
  }
})

// Node ignores what it returns: the peer waited for the timeout, and the rejection of an async
// callback ended the process.
t.test('callbacks that return promises', async t => {
  const sni = (answer: () => unknown): TlsOptions => ({
    ...THEIRS,
    SNICallback: async () => answer(),
  })
  const context = tls.createSecureContext({ key: other.key, cert: other.cert })
  const [near, far] = await pair(
    t,
    { ...OURS, servername: 'other.test' },
    sni(() => context),
  )
  await Promise.all([near.saw('opened'), far.saw('opened')])
  const refused = await pair(
    t,
    OURS,
    sni(() => {
      throw new Error('no such name')
    }),
  )
  await Promise.all(refused.map(each => each.saw('closed')))
  t.equal(refused[1].error.message, 'handshake: no such name')
  // A name that has no context of its own was waited for until handshake_timeout.
  const contexts = new Map([['other.test', context]])
  for (const SNICallback of [
    (name: string): any => contexts.get(name),
    async (name: string) => contexts.get(name),
  ]) {
    const [one, other] = [
      await pair(t, OURS, { ...THEIRS, SNICallback }),
      await pair(t, { ...OURS, servername: 'other.test' }, { ...THEIRS, SNICallback }),
    ]
    await Promise.all([...one, ...other].map(each => each.saw('opened')))
    t.same(
      [one, other].map(([{ transport }]) => transport.tls!.peer_certificate!.subject.CN),
      ['server', 'other'],
    )
  }
  const late = (): any => Promise.reject(new Error('late'))
  const [asking, choosing] = await pair(
    t,
    { ...OURS, ALPNProtocols: ['a'] },
    { ...THEIRS, ALPNCallback: late, pskCallback: late },
  )
  await Promise.all([asking.saw('closed'), choosing.saw('closed')])
  t.equal(choosing.error.code, 'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT')

  // That of a client ended the process.
  const psk = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const
  const [client] = await pair(
    t,
    { ...psk, pskCallback: late },
    { ...psk, pskCallback: () => Buffer.from('secret') },
  )
  await client.saw('closed')
  t.ok(client.error)
})

t.test('callbacks of the options are called as by a server of Node', async t => {
  const names: string[] = []
  const [near, far] = await pair(
    t,
    { ...OURS, maxVersion: 'TLSv1.2' },
    {
      ...THEIRS,
      SNICallback: (name, done) => {
        names.push(name)
        done(null)
      },
    },
  )
  await Promise.all([near.saw('opened'), far.saw('opened')])
  t.same([names, near.transport.tls?.protocol], [['localhost'], 'TLSv1.2'])
})

/** The session of a connection in which an answer has come: certainly after the session. */
async function sessionOf([near, far]: [near: Watched, far: Watched]): Promise<Buffer> {
  far.on.opened = () => far.transport.resume()
  far.on.received = () => far.transport.write('answer', 'utf8')
  near.on.opened = () => near.transport.write('question', 'utf8')
  await near.saw('opened')
  near.transport.resume()
  await near.saw('received')
  return near.transport.tls?.session as Buffer
}

// After a resumed one it was undefined, as Node reports no session then: a program that keeps the
// session of the last connection had a full handshake every second time.
t.test('REGRESSION: the session of each connection resumes the next one', async t => {
  const ticketKeys = Buffer.alloc(48, 'k')
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const ours = { ...OURS, maxVersion }
    let session: Buffer | undefined
    for (const isResumed of [false, true, true, true]) {
      // Other servers with the same keys take it, too.
      const theirs = { ...THEIRS, ticketKeys }
      const both = await pair(t, { ...ours, ...(session && { session }) }, theirs)
      session = await sessionOf(both)
      t.ok(session.length > 0)
      t.equal(both[0].transport.tls?.reused, isResumed, maxVersion)
      t.equal(both[1].transport.tls?.session, undefined, 'a server keeps none')
    }
  }
})

t.test('in a worker of a cluster: handshakes with the ticket keys of all workers', async t => {
  const server = new Server() as Server & Record<string, (data?: unknown) => unknown>
  const seed = new TicketSeed(server)
  server._setServerData!(server._getServerData!())
  const context = tlsContext('server', THEIRS)
  const own = tlsContext('server', { ...THEIRS, ticketKeys: Buffer.alloc(48) })
  for (const each of [context, context, own]) {
    const [near, far] = await clear(t)
    seed.note(far)
    const client = new Watched(tlsContext('client', OURS).secure(near, 'localhost'))
    await Promise.all([client.saw('opened'), new Watched(each.secure(far, '')).saw('opened')])
    t.equal(client.log[0], 'opened')
  }
})
