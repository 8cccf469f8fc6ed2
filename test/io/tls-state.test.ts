/** What both ends have agreed upon, as it is kept. */

import type { Buffer } from 'node:buffer'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import { stateAtOnce, TlsState } from '../../src/io/tls-state.ts'

t.test('what Node says by false, null and an empty object is undefined', async t => {
  const session = {} as Buffer
  let certificate: object | null = {}
  const socket = {
    alpnProtocol: false,
    servername: null,
    authorized: false,
    authorizationError: null,
    getProtocol: () => 'TLSv1.3',
    getCipher: () => ({ standardName: 'TLS_AES_256_GCM_SHA384' }),
    getPeerCertificate: () => certificate,
    isSessionReused: () => true,
  } as unknown as TLSSocket
  const state = new TlsState(socket, undefined)
  state.keep(session)
  t.match(state, {
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    alpn: undefined,
    servername: undefined,
    authorized: false,
    authorization_error: undefined,
    reused: true,
    session,
    peer_certificate: undefined,
  })
  t.equal(stateAtOnce(socket, session, {}), undefined)
  t.equal(stateAtOnce(socket, session, { bun: '1.4.5' })?.session, session)
  certificate = null
  t.equal(state.peer_certificate, undefined, 'after the connection has closed')
  certificate = { raw: session }
  t.equal(state.peer_certificate, certificate)
})
