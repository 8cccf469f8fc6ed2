/**
 * Layer 10. Copying messages from one channel to another: what the command `sluice-cat` is made of.
 *
 * The command is in main.ts (the process), command.ts (what it does), options.ts (what it is told)
 * and progress.ts (the line on a terminal).
 */

import { type Addr, Control, type Message, type MessageFields } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'

/**
 * From now on `to` is sent what `from` receives, in order. While `to` has no room `from` waits,
 * where it can. Returns what ends it.
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
 * A channel that is sent to: the peers of a server all get what is for one, and posts that find no
 * room wait.
 */
export class Target {
  readonly #channel: MessageChannel
  readonly #isServer: boolean
  readonly #peers = new Set<Addr>()
  /** What waits for room; each post goes behind the one before. */
  #last: Promise<void> | undefined

  constructor(channel: MessageChannel) {
    this.#channel = channel
    this.#isServer = channel.params.text('mode', '') === 'server'
    channel.callback_add(this.#watch, ['data', 'control'])
  }

  /** Forgets the channel. */
  release(): void {
    this.#channel.callback_del(this.#watch)
  }

  /**
   * Sends, or waits until there is room; the promise says when. Where nobody is there to be sent
   * to, it is dropped.
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

  /** True also where there is no use in waiting: the channel has closed, or the peer has gone. */
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
    // Packets: addresses are made anew for each, and who sent last is who is answered.
    else this.#onlyPeer(addr)
  }

  #onlyPeer(addr: Addr): void {
    this.#peers.clear()
    this.#peers.add(addr)
  }
}
