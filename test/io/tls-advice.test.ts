/** Errors of TLS in words. */

import t from 'tap'
import { tlsError } from '../../src/io/tls-advice.ts'

t.test('says which check failed, and what to do', async t => {
  const cases: [error: object, syscall: 'handshake' | 'tls', said: string, code: string][] = [
    [
      { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      'handshake',
      'handshake: the certificate of example.org is self-signed; ' +
        'to trust it, give tls: { ca: the certificate itself }',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    ],
    [
      { code: 'ERR_TLS_CERT_ALTNAME_INVALID', reason: 'it is for other.test: ' },
      'handshake',
      'handshake: the certificate is not one of example.org: it is for other.test; ' +
        'connect to a name that it contains, or give tls: { servername }',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    [
      { code: 'ECONNRESET', message: 'socket hang up' },
      'handshake',
      'handshake: the peer closed the connection in the middle of the handshake',
      'ECONNRESET',
    ],
    [
      {
        code: 'ERR_SSL_NEW',
        reason: 'something new',
        message: 'C0:error:0A:SSL routines::something new:../ssl.c:354',
      },
      'tls',
      'tls: something new',
      'ERR_SSL_NEW',
    ],
    ...['SSLV3', 'SSL/TLS'].map((name): [object, 'tls', string, string] => [
      { code: `ERR_SSL_${name}_ALERT_CERTIFICATE_EXPIRED` },
      'tls',
      'tls: the peer refused our certificate: it has expired',
      `ERR_SSL_${name}_ALERT_CERTIFICATE_EXPIRED`,
    ]),
    // Node's code, and that of Bun.
    ...['V13', 'V1'].map((version): [object, 'tls', string, string] => [
      { code: `ERR_SSL_TLS${version}_ALERT_CERTIFICATE_REQUIRED` },
      'tls',
      'tls: the server asks for a certificate; give tls: { key, cert }',
      `ERR_SSL_TLS${version}_ALERT_CERTIFICATE_REQUIRED`,
    ]),
    [
      { code: 'ERR_SSL_NO_APPLICATION_PROTOCOL', reason: 'NO_APPLICATION_PROTOCOL' },
      'handshake',
      'handshake: the ALPNProtocols of both sides have no protocol in common',
      'ERR_SSL_NO_APPLICATION_PROTOCOL',
    ],
    [{ message: 'whatever' }, 'tls', 'tls: whatever', 'ERR_TLS'],
  ]
  for (const [fields, syscall, said, code] of cases) {
    const cause = Object.assign(new Error(), fields)
    const error = tlsError(cause, syscall, 'example.org')
    t.match(error, { message: said, code, syscall, cause })
  }
})
