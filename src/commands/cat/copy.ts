/**
 * Layer 10. Target: a channel that messages are sent to, one after the other, and the count of
 * those that it did not take.
 */

import { noop } from '../../core/noop.ts'
import { type Addr, Control, type Message, type MessageFields } from '../../messages/message.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import type { Bytes } from '../../types.ts'

/**
 * From now on, sends to `target` the data that `from` receives, in order. While there is no room,
 * `from` waits if it can.
 */
export function copy(from: MessageChannel, target: Target): void {
  from.callback_add((message: Message) => target.post(message), 'data')
}

/** A message that is to be sent to some peers, or to the only one: undefined. */
interface Job {
  readonly message: MessageFields
  readonly size: Bytes
  /** Who has not got it. */
  left: Set<Addr | undefined>
  /** Has anybody got it? */
  isTaken: boolean
}

/**
 * All peers of a server get each message. As long as there is none, or no room, a message waits.
 * What cannot be sent (the channel has gone, or refuses it) counts as lost.
 */
export class Target {
  readonly #channel: MessageChannel
  readonly #isServer: boolean
  #refused: (error: unknown) => void
  readonly #peers = new Set<Addr>()
  /** Settles when nothing waits; each message that waits comes after the one before. */
  #last: Promise<void> | undefined
  #wake: () => void = noop
  #messages = 0
  #bytes: Bytes = 0

  /** `refused` is called with the error of the first message that the channel does not take. */
  constructor(channel: MessageChannel, refused: (error: unknown) => void = noop) {
    this.#channel = channel
    this.#isServer = channel.params.text('mode', '') === 'server'
    this.#refused = refused
    channel.callback_add(this.#watch, ['data', 'control', 'state'])
  }

  /** What nobody has taken: what was lost, and what still waits. */
  get lost(): { readonly messages: number; readonly bytes: Bytes } {
    return { messages: this.#messages, bytes: this.#bytes }
  }

  /** Resolves when nothing waits. */
  get idle(): Promise<void> {
    return this.#last ?? Promise.resolve()
  }

  /** Sends a message. If it has to wait, the promise resolves when it was sent, or is lost. */
  post(message: MessageFields): Promise<void> | undefined {
    const size = message.data?.length ?? 0
    const job: Job = { message, size, left: new Set(), isTaken: false }
    this.#messages++
    this.#bytes += size
    if (this.#last === undefined && this.#isOpen && this.#send(job)) return undefined
    const mine: Promise<void> = this.idle
      .then(() => this.#wait(job))
      .finally(() => {
        if (this.#last === mine) this.#last = undefined
      })
    this.#last = mine
    return mine
  }

  get #isOpen(): boolean {
    const { state } = this.#channel
    return state === 'active' || state === 'opening'
  }

  async #wait(job: Job): Promise<void> {
    while (this.#isOpen && !this.#send(job)) await new Promise<void>(go => (this.#wake = go))
  }

  /** Returns true if nobody is left who could get it. */
  #send(job: Job): boolean {
    const { left } = job
    if (left.size === 0)
      for (const addr of this.#isServer ? this.#peers : [undefined]) left.add(addr)
    for (const addr of left) {
      const isGone = addr !== undefined && !this.#peers.has(addr)
      const result = isGone ? 'gone' : this.#post({ ...job.message, addr })
      if (result === 'refused') return true
      if (result !== 'full') left.delete(addr)
      if (result === 'taken') this.#taken(job)
    }
    return left.size === 0 && job.isTaken
  }

  #taken(job: Job): void {
    if (job.isTaken) return
    job.isTaken = true
    this.#messages--
    this.#bytes -= job.size
  }

  #post(message: MessageFields): 'taken' | 'full' | 'refused' {
    try {
      if (this.#channel.state === 'opening') return 'full'
      return this.#channel.post(message) ? 'taken' : 'full'
    } catch (error) {
      this.#refused(error)
      this.#refused = noop
      return 'refused'
    }
  }

  readonly #watch = ({ type, msgid, addr }: Message): void => {
    const isGone = type === 'control' && msgid === Control.Disconnect
    // Without an addr: a server below reopen+ has gone, and all its peers with it. And each packet
    // brings a new address object: answers go to the sender of the last one.
    if (isGone && addr !== undefined) this.#peers.delete(addr)
    else if (isGone || Array.isArray(addr)) this.#peers.clear()
    if (!isGone && addr !== undefined) this.#peers.add(addr)
    this.#wake()
  }
}
