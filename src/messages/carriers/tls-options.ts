/**
 * Layer 8. The TLS options of `tls+tcp://` and `wss://`, from the parameters of the URL.
 * Certificates and keys are PEM files. They are read each time the channel opens.
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

/** The protocols that have them. */
const SECURE: readonly string[] = ['tls+tcp', 'wss']

/** Reads the files and returns the options. Throws UrlError if a file cannot be read. */
export type LoadTlsOptions = (files: Files) => TlsOptions

/**
 * Reads the parameters. Returns undefined for a URL of another protocol. Throws UrlError if one is
 * invalid or missing. Each side has only the parameters that it uses: `servername` of a server
 * would mean nothing.
 */
export function tlsOptions(params: Params, side: TlsSide): LoadTlsOptions | undefined {
  if (!SECURE.includes(params.url.protocol)) return undefined
  const isServer = side === 'server'
  for (const key of ['cert', 'key'])
    if (isServer || params.has(key === 'cert' ? 'key' : 'cert')) params.text(key)
  const hasCa = params.has('ca')
  const rejectUnauthorized = params.boolean('verify', true)
  const servername = isServer ? '' : params.text('servername', '')
  return files => ({
    ...(params.has('cert') && { cert: read(files, params, 'cert') }),
    ...(params.has('key') && { key: read(files, params, 'key') }),
    ...(hasCa && { ca: read(files, params, 'ca'), ...(isServer && { requestCert: true }) }),
    ...(servername !== '' && { servername }),
    rejectUnauthorized,
  })
}

function read(files: Files, params: Params, key: string): string {
  try {
    return files.load_text(params.text(key))
  } catch (error) {
    throw params.fault(key, `a file that can be read (${messageOf(error)})`)
  }
}
