/**
 * Layer 7. The errors of WebSocket. Both are failures of the world: each is told to one hook.
 */

import { ChannelError } from '../../errors.ts'

/**
 * The opening handshake failed. Reported to `on_connect_error`, on both sides. Code
 * ERR_WEBSOCKET_HANDSHAKE.
 */
export class HandshakeError extends ChannelError {
  /** The status of the response; 0 if there was none. */
  readonly status: number
  /** The header fields of the response, by their names in lower case. Empty on a server. */
  readonly headers: Readonly<Record<string, string>>
  /** The first bytes of the body of the response, up to 4 KiB. Empty on a server. */
  readonly body: string

  constructor(message: string, status = 0, headers: Record<string, string> = {}, body = '') {
    super('ERR_WEBSOCKET_HANDSHAKE', message)
    this.status = status
    this.headers = headers
    this.body = body
  }
}

/**
 * The peer has broken the protocol. Reported to `on_read_error`; then the connection closes. Code
 * ERR_WEBSOCKET_PROTOCOL.
 */
export class ProtocolError extends ChannelError {
  /** The code of the close frame that the peer gets. */
  readonly close_code: number

  constructor(message: string, closeCode: number) {
    super('ERR_WEBSOCKET_PROTOCOL', message)
    this.close_code = closeCode
  }
}
