/**
 * Layer 8. Mock: a channel under test, between channels that the test holds the other ends of.
 *
 *     const mock = new Mock({ mock: { in: 'direct://', out: 'direct://' }, channel: 'my://;input=in;output=out' })
 *     mock.open()
 *     mock.io('in').post('hello')
 *     mock.received('out') // what the channel has sent there
 *     mock.destroy()
 *
 * For each name there is a `direct://` master, which the test has, and a slave of that name, which
 * the channel under test finds by it.
 */

import { InvalidArgumentError } from '../../errors.ts'
import { Context } from '../context.ts'
import type { Message } from '../message.ts'
import type { MessageChannel } from '../message-channel.ts'
import { Url } from '../url.ts'

/** What a Mock is made of. */
export interface MockOptions {
  /**
   * A URL for each name that the channel looks for: `direct://` with parameters of the slave, or
   * `null://` for one that nobody looks at.
   */
  readonly mock: Readonly<Record<string, string>>
  /** The URL of the channel under test. */
  readonly channel: string
  /** Default: a new one. */
  readonly context?: Context
}

/**
 * One name: the end that the channel has, and the end that the test has, with what came out there.
 */
interface Pair {
  readonly inner: MessageChannel
  readonly master: MessageChannel | undefined
  readonly received: Message[]
}

/** Source: TLL `tll.channel.mock`. */
export class Mock {
  readonly context: Context
  /** The channel under test. */
  readonly channel: MessageChannel
  readonly #pairs = new Map<string, Pair>()

  /** Makes all channels, and opens none. Throws what `context.init` throws. */
  constructor({ mock, channel, context = new Context() }: MockOptions) {
    this.context = context
    for (const [name, url] of Object.entries(mock)) this.#pairs.set(name, this.#pair(name, url))
    this.channel = context.init(channel)
  }

  #pair(name: string, url: string): Pair {
    const received: Message[] = []
    if (Url.parse(url).protocol === 'null')
      return { inner: this.context.init(url, { name }), master: undefined, received }
    const master = this.context.init('direct://', { name: `_mock_master_${name}` })
    master.callback_add(message => void received.push(message), ['data', 'control'])
    return { inner: this.context.init(url, { name, master }), master, received }
  }

  /**
   * The test's end of that name: what is posted there the channel receives. Throws
   * InvalidArgumentError for a name that has none.
   */
  io(name: string): MessageChannel {
    const { master } = this.#get(name)
    if (master === undefined)
      throw new InvalidArgumentError('io', 'a name whose channel is not null://', name)
    return master
  }

  /** The channel's end of that name. */
  inner(name: string): MessageChannel {
    return this.#get(name).inner
  }

  /** What the channel has posted to that name, in order. */
  received(name: string): readonly Message[] {
    return this.#get(name).received
  }

  #get(name: string): Pair {
    const pair = this.#pairs.get(name)
    if (pair === undefined)
      throw new InvalidArgumentError('mock', `one of ${[...this.#pairs.keys()].join(', ')}`, name)
    return pair
  }

  /** Opens the test's ends, then the channel's but those in `skip`, then the channel under test. */
  open(skip: readonly string[] = []): void {
    for (const { master } of this.#pairs.values()) master?.open()
    for (const [name, { inner }] of this.#pairs) if (!skip.includes(name)) inner.open()
    this.channel.open()
  }

  /** Closes and forgets everything, in reverse. */
  destroy(): void {
    this.channel.destroy()
    for (const { inner, master } of [...this.#pairs.values()].reverse()) {
      inner.destroy()
      master?.destroy()
    }
  }
}
