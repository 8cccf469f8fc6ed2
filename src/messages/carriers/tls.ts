/**
 * Layer 8. The TLS of `tls+tcp://`, as parameters of a URL: certificates and keys are files (PEM),
 * read each time the channel opens.
 *
 * | parameter | what |
 * |---|---|
 * | `cert`, `key` | who we are: of a server always, of a client where the server asks |
 * | `ca` | who vouches for the peer. Of a client, default: those the system knows. Of a server: then clients need a certificate, too |
 * | `servername` | of a client: the name that the certificate must have, default the host |
 * | `verify=no` | whoever it is |
 */

import { textOf } from '../../engine.ts'
import { messageOf } from '../../errors.ts'
import type { TlsOptions } from '../../transport.ts'
import type { Params } from '../params.ts'

/**
 * Undefined for a URL of another protocol. Throws UrlError for a file that cannot be read, or one
 * that is missing.
 */
export function tlsOptions(params: Params, side: 'client' | 'server'): TlsOptions | undefined {
  if (params.url.protocol !== 'tls+tcp') return undefined
  const isServer = side === 'server'
  const file = (key: string): string | undefined =>
    params.has(key) || (isServer && key !== 'ca') ? read(params, key) : undefined
  const [cert, key, ca] = [file('cert'), file('key'), file('ca')]
  return {
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(ca !== undefined && { ca, ...(isServer && { requestCert: true }) }),
    ...(!isServer && params.has('servername') && { servername: params.text('servername') }),
    rejectUnauthorized: params.boolean('verify', true),
  }
}

function read(params: Params, key: string): string {
  const path = params.text(key)
  try {
    return textOf(path)
  } catch (error) {
    throw params.fault(key, `a file that can be read (${messageOf(error)})`)
  }
}
