/**
 * Layer 2. What a code of Node's or OpenSSL's means, in words that say which check failed and what
 * to do.
 */

import { codeOf } from '../errors.ts'
import type { SystemError } from '../transport.ts'

/** Of a peer's certificate; what the sentence begins with is whose it is. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'is self-signed; to trust it, give tls: { ca: the certificate itself }',
  SELF_SIGNED_CERT_IN_CHAIN:
    'leads to a root that is not trusted here; to trust it, give tls: { ca: the certificate of that root }',
  UNABLE_TO_GET_ISSUER_CERT:
    'was issued by nobody who is trusted here; give tls: { ca }, or let its owner send the whole chain',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'was issued by nobody who is trusted here; give tls: { ca }, or let its owner send the whole chain',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'was issued by nobody who is trusted here; give tls: { ca }, or let its owner send the whole chain',
  CERT_HAS_EXPIRED: 'has expired; its owner has to renew it',
  CERT_NOT_YET_VALID: 'is not valid yet; look at the clocks of both machines',
  CERT_REVOKED: 'was revoked; do not trust it',
  INVALID_PURPOSE:
    'was not issued for this purpose (a client needs one for clients, a server one for servers)',
}

/** Of everything else. */
const HANDSHAKE: Readonly<Record<string, string>> = {
  ECONNRESET: 'the peer closed the connection in the middle of the handshake',
  EPIPE: 'the peer closed the connection in the middle of the handshake',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'what came is not TLS, or a version that is not allowed here; does the peer speak TLS from the first byte on this port?',
  ERR_SSL_HTTP_REQUEST: 'what came is not TLS but HTTP',
  ERR_SSL_UNSUPPORTED_PROTOCOL:
    'the versions of TLS that both sides allow have none in common; see minVersion and maxVersion',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION:
    'the versions of TLS that both sides allow have none in common; see minVersion and maxVersion',
  ERR_SSL_NO_SHARED_CIPHER:
    'no cipher that both sides allow; has the server a certificate for this name?',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
    'both sides have no protocol of their ALPNProtocols in common',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    'the client gave no certificate, and requestCert asks for one',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'the server asks for a certificate; give tls: { key, cert }',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    'the peer does not trust who issued our certificate (alert "unknown ca")',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the peer refused our certificate (alert "bad certificate")',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the peer refused our certificate: it has expired',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    'the peer refused our certificate (alert "certificate unknown")',
}

/** The error for the sink. `peer`: who is at the other end, as the sentence names it. */
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
    return `the certificate is not one of ${peer}: ${error.reason}; connect to a name that stands in it, or give tls: { servername }`
  }
  // OpenSSL's message has the addresses and lines of its own source; its reason is what can be
  // read.
  return HANDSHAKE[code] ?? error.reason ?? error.message
}
