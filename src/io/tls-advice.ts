/**
 * Layer 2. The codes of Node and OpenSSL in words: which check failed, and what to do.
 */

import { codeOf } from '../errors.ts'
import type { SystemError } from '../transport.ts'

const UNTRUSTED_ISSUER =
  'was issued by an authority that is not trusted here; ' +
  'give tls: { ca }, or let its owner send the whole chain'

/** Errors of a certificate. The sentence begins with its owner. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'is self-signed; to trust it, give tls: { ca: the certificate itself }',
  SELF_SIGNED_CERT_IN_CHAIN:
    'leads to a root that is not trusted here; ' +
    'to trust it, give tls: { ca: the certificate of that root }',
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED_ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED_ISSUER,
  CERT_HAS_EXPIRED: 'has expired; its owner has to renew it',
  CERT_NOT_YET_VALID: 'is not valid yet; look at the clocks of both machines',
  CERT_REVOKED: 'was revoked; do not trust it',
  INVALID_PURPOSE:
    'was not issued for this purpose (a client needs one for clients, a server one for servers)',
}

const BROKEN_OFF = 'the peer closed the connection in the middle of the handshake'

const NO_COMMON_VERSION =
  'no version of TLS is allowed on both sides; see minVersion and maxVersion'

const NO_COMMON_PROTOCOL = 'the ALPNProtocols of both sides have no protocol in common'

const ASKS_FOR_CERTIFICATE = 'the server asks for a certificate; give tls: { key, cert }'

/** All other errors. */
const HANDSHAKE: Readonly<Record<string, string>> = {
  ECONNRESET: BROKEN_OFF,
  EPIPE: BROKEN_OFF,
  ERR_SSL_WRONG_VERSION_NUMBER:
    'what came is not TLS, or a version that is not allowed here; ' +
    'does the peer speak TLS from the first byte on this port?',
  ERR_SSL_HTTP_REQUEST: 'what came is not TLS but HTTP',
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_VERSION,
  ERR_SSL_NO_SHARED_CIPHER:
    'no cipher is allowed on both sides; does the server have a certificate for this name?',
  ERR_SSL_NO_APPLICATION_PROTOCOL: NO_COMMON_PROTOCOL,
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: NO_COMMON_PROTOCOL,
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    'the client gave no certificate, and requestCert asks for one',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: ASKS_FOR_CERTIFICATE,
  // Bun's name of it.
  ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED: ASKS_FOR_CERTIFICATE,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    'the peer does not trust the issuer of our certificate (alert "unknown ca")',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'the peer refused (alert "handshake failure"): a certificate, a cipher or a version is missing',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the peer refused our certificate (alert "bad certificate")',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the peer refused our certificate: it has expired',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    'the peer refused our certificate (alert "certificate unknown")',
}

/** Alerts older than TLS 1.0 have another name since OpenSSL 3.5, which Node 26 has. */
const RENAMED = ['_SSL/TLS_ALERT_', '_SSLV3_ALERT_'] as const

/** The error as the seam reports it. `peer` is the name of the other side in the sentence. */
export function tlsError(
  error: SystemError & { reason?: string },
  syscall: 'handshake' | 'tls',
  peer: string,
): SystemError {
  const code = codeOf(error)
  return Object.assign(new Error(`${syscall}: ${sentence(error, code, peer)}`, { cause: error }), {
    code: code || 'ERR_TLS',
    syscall,
  })
}

function sentence(error: Error & { reason?: string }, code: string, peer: string): string {
  const fault = CERTIFICATE[code]
  if (fault !== undefined) return `the certificate of ${peer} ${fault}`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    // Node's reason ends with a list of addresses, which may be empty.
    return (
      `the certificate is not one of ${peer}: ${error.reason?.replace(/: $/, '')}; ` +
      'connect to a name that it contains, or give tls: { servername }'
    )
  }
  // OpenSSL's message has addresses and line numbers of its source. Its reason is readable.
  return HANDSHAKE[code.replace(...RENAMED)] ?? error.reason ?? error.message
}
