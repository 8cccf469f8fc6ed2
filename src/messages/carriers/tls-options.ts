/**
 * Layer 8. The TLS options of `tls+tcp://`, from the parameters of the URL. Certificates and keys
 * are PEM files. They are read each time the channel opens.
 *
 * - `cert`, `key`: the certificate of this side and its key. A server must have them. A client
 *   needs them if the server asks for a certificate.
 * - `ca`: the authorities that may sign the peer's certificate. A client's default is those that
 *   Node knows. A server with `ca` asks its clients for a certificate; by default it does not.
 * - `servername`: for a client, the name that the server's certificate must have. The default is
 *   the host.
 * - `verify=yes`: no accepts any certificate.
 */

import { messageOf } from '../../errors.ts'
import type { Files, TlsOptions, TlsSide } from '../../transport.ts'
import type { Params } from '../params.ts'

/**
 * Returns undefined for a URL of another protocol. Throws UrlError if a parameter is missing, or if
 * a file cannot be read.
 */
export function tlsOptions(files: Files, params: Params, side: TlsSide): TlsOptions | undefined {
  if (params.url.protocol !== 'tls+tcp') return undefined
  const isServer = side === 'server'
  const file = (key: string): string | undefined =>
    params.has(key) || (isServer && key !== 'ca') ? read(files, params, key) : undefined
  const [cert, key, ca] = [file('cert'), file('key'), file('ca')]
  return {
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(ca !== undefined && { ca, ...(isServer && { requestCert: true }) }),
    ...(!isServer && params.has('servername') && { servername: params.text('servername') }),
    rejectUnauthorized: params.boolean('verify', true),
  }
}

function read(files: Files, params: Params, key: string): string {
  const path = params.text(key)
  try {
    return files.load_text(path)
  } catch (error) {
    throw params.fault(key, `a file that can be read (${messageOf(error)})`)
  }
}
