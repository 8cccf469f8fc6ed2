/**
 * Layer 9. Port: what a consumer sends through, and is closed by.
 */

import { Control } from '../../messages/message.ts'
import type { Addr } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import { postText } from '../../messages/texts.ts'

/** One peer, as a consumer has it. */
export interface Port {
  /** Sends a text. Returns false if there is no room: nothing was sent then. */
  post(text: string): boolean
  /** Closes the connection to the peer; with a code if the channel has codes. */
  close(code: number): void
  /** Can the channel wait for a promise without disturbing another peer? */
  readonly canWait: boolean
}

/** The peer of a channel that has only one. */
export class ChannelPort implements Port {
  readonly canWait = true
  readonly #channel: MessageChannel

  constructor(channel: MessageChannel) {
    this.#channel = channel
  }

  post(text: string): boolean {
    return postText(this.#channel, text)
  }

  close(): void {
    this.#channel.close()
  }
}

/** One peer of a server. */
export class PeerPort implements Port {
  readonly canWait = false
  readonly #channel: MessageChannel
  readonly #addr: Addr

  constructor(channel: MessageChannel, addr: Addr) {
    this.#channel = channel
    this.#addr = addr
  }

  post(text: string): boolean {
    return postText(this.#channel, text, this.#addr)
  }

  close(code: number): void {
    if (this.#channel.state !== 'active') return
    const seq = BigInt(code)
    this.#channel.post({ type: 'control', msgid: Control.Disconnect, addr: this.#addr, seq })
  }
}
