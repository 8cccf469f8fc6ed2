/**
 * Layer 10. Copies messages from one channel to another.
 */

import { type Addr, Control, type Message, type MessageFields } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'

/**
 * From now on, sends to `to` the data that `from` receives, in order. While `to` has no room,
 * `from` waits if it can. Returns the function that ends this.
 */
export function copy(from: MessageChannel, to: MessageChannel): () => void {
  const target = new Target(to)
  const listener = (message: Message): Promise<void> | undefined => target.post(message)
  from.callback_add(listener, 'data')
  return () => {
    from.callback_del(listener)
    target.release()
  }
}

/**
 * A channel that messages are sent to. All peers of a server get each message. A post that finds no
 * room waits.
 */
export class Target {
  readonly #channel: MessageChannel
  readonly #isServer: boolean
  readonly #peers = new Set<Addr>()
  /** Settles when nothing waits for room; each post that waits comes after the one before. */
  #last: Promise<void> | undefined

  constructor(channel: MessageChannel) {
    this.#channel = channel
    this.#isServer = channel.params.text('mode', '') === 'server'
    channel.callback_add(this.#watch, ['data', 'control'])
  }

  /** Stops watching the channel. */
  release(): void {
    this.#channel.callback_del(this.#watch)
  }

  /**
   * Sends a message. If there is no room, it waits, and the promise resolves when it was sent. If
   * there is no peer, the message is dropped.
   */
  post(message: MessageFields): Promise<void> | undefined {
    const addrs = this.#isServer ? [...this.#peers] : [undefined]
    for (const addr of addrs) this.#postTo({ ...message, addr })
    return this.#last
  }

  #postTo(message: MessageFields): void {
    if (this.#last === undefined && this.#tryPost(message)) return
    const mine: Promise<void> = (this.#last ?? Promise.resolve())
      .then(() => this.#wait(message))
      .finally(() => {
        if (this.#last === mine) this.#last = undefined
      })
    this.#last = mine
  }

  async #wait(message: MessageFields): Promise<void> {
    while (!this.#tryPost(message))
      await this.#channel.recv({ type: ['control', 'state'] }).catch(() => {})
  }

  /** Returns true if it was sent, or if waiting is no use: the channel or the peer has gone. */
  #tryPost(message: MessageFields): boolean {
    const { addr } = message
    if (this.#channel.state !== 'active' || (addr !== undefined && !this.#peers.has(addr)))
      return true
    return this.#channel.post(message)
  }

  readonly #watch = ({ type, msgid, addr }: Message): void => {
    if (addr === undefined) return
    if (type === 'control' && msgid === Control.Disconnect) this.#peers.delete(addr)
    else if (typeof addr === 'number') this.#peers.add(addr)
    // Each packet brings a new address object; answers go to the sender of the last one.
    else this.#onlyPeer(addr)
  }

  #onlyPeer(addr: Addr): void {
    this.#peers.clear()
    this.#peers.add(addr)
  }
}
