/**
 * Layer 7. What the receiver makes of the bytes of a peer, one at a time: a text message is a
 * string, a binary one a Buffer. This file has the rest.
 */

import type { Buffer } from 'node:buffer'

/** What a receiver delivers. */
export type Incoming = string | Buffer | Control | Deflated | Fault

/**
 * A control frame: close, ping or pong. A ping that waits behind messages comes twice: 'ahead', to
 * be answered, and 'after', when it is its turn. Everything else comes 'now'.
 */
export class Control {
  readonly opcode: number
  readonly payload: Buffer
  readonly when: 'now' | 'ahead' | 'after'

  constructor(opcode: number, payload: Buffer, when: Control['when'] = 'now') {
    this.opcode = opcode
    this.payload = payload
    this.when = when
  }
}

/** A message that is compressed. */
export class Deflated {
  readonly isText: boolean
  readonly bytes: Buffer

  constructor(isText: boolean, bytes: Buffer) {
    this.isText = isText
    this.bytes = bytes
  }
}

/**
 * The peer has broken the protocol, or a message is too long. Nothing is delivered after it. `code`
 * is that of the close frame: 1002 (protocol), 1007 (no UTF-8), 1009 (too long).
 */
export class Fault {
  readonly code: 1002 | 1007 | 1009
  readonly reason: string

  constructor(code: Fault['code'], reason: string) {
    this.code = code
    this.reason = reason
  }
}
