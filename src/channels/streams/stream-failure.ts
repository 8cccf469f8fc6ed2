/**
 * Layer 5. Which hook is told of a failure that a stream's transport reports.
 */

import {
  codeOf,
  ConnectError,
  ReadError,
  TlsError,
  TlsHandshakeError,
  WriteError,
} from '../../errors.ts'
import type { SystemError } from '../../transport.ts'
import type { Life } from '../life.ts'

/** `ending`: how far closing politely has come. */
export function failStream(life: Life, error: SystemError, ending: string): void {
  if (failTls(life, error)) return
  const code = error.code ?? 'ERR_UNKNOWN'
  if (life.state === 'opening' || ending === 'connecting')
    life.fail('on_connect_error', new ConnectError(code, error.message, error))
  // Everything was sent, and the peer knows that we have ended: how it goes away is its own affair.
  else if (ending === 'sent') return
  else if (ending === 'sending' || error.syscall === 'write' || error.syscall === 'shutdown')
    life.fail('on_write_error', new WriteError(code, error.message, error))
  else life.fail('on_read_error', new ReadError(code, error.message, error))
}

/** Returns false if the error is not one of TLS. */
function failTls(life: Life, error: SystemError): boolean {
  const { syscall, message } = error
  if (syscall === 'handshake')
    life.fail('on_tls_handshake_error', new TlsHandshakeError(codeOf(error), message, error))
  else if (syscall === 'tls') life.fail('on_tls_error', new TlsError(codeOf(error), message, error))
  else return false
  return true
}
