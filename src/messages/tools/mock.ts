/**
 * Layer 8. Mock: a channel under test, between channels whose other ends the test has.
 *
 *     const mock = new Mock({
 *       mock: { in: 'direct://', out: 'direct://' },
 *       channel: 'my://;input=in;output=out',
 *     })
 *     mock.open()
 *     mock.io('in').post('hello')
 *     mock.received('out') // what the channel has posted to it
 *     mock.destroy()
 *
 * For each name there are two `direct://` channels: a slave of that name, which the channel under
 * test finds in the context, and its master, which the test has.
 */

import {
  anyValue,
  checkRecord,
  type Checks,
  checkText,
  instanceOf,
  listOf,
} from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { Context } from '../context.ts'
import type { Message } from '../message.ts'
import type { MessageChannel } from '../message-channel.ts'
import { Url } from '../url.ts'

/** Options of `new Mock`. */
export interface MockOptions {
  /**
   * A URL for each name that the channel under test looks for: `direct://` with parameters of the
   * slave, or `null://` if the test does not use that name.
   */
  readonly mock: Readonly<Record<string, string>>
  /** The URL of the channel under test. */
  readonly channel: string
  /** The context that makes the channels. @default a new context */
  readonly context?: Context | undefined
}

/** `context.init` checks the URLs. */
const CHECKS: Checks<MockOptions> = {
  mock: checkRecord,
  channel: anyValue,
  context: instanceOf(Context),
}

const checkNames = listOf(checkText, 'names')

/** The two channels of one name. */
interface Pair {
  /** The end of the channel under test. */
  readonly inner: MessageChannel
  /** The end of the test; none if the URL is `null://`. */
  readonly master: MessageChannel | undefined
  /** What arrived at the end of the test. */
  readonly received: Message[]
}

/** Makes a channel and the channels around it, for a test. */
// Source: TLL `tll.channel.mock`.
export class Mock {
  /** The context that has made the channels. */
  readonly context: Context
  /** The channel under test. */
  readonly channel: MessageChannel
  readonly #pairs = new Map<string, Pair>()

  /**
   * Makes all channels and opens none. Throws InvalidArgumentError, and what `context.init` throws.
   */
  constructor(options: MockOptions) {
    checkOptions('new Mock', options, CHECKS, ['mock'])
    const { mock, channel, context = new Context() } = options
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
   * The test's end of that name. The channel under test receives what is posted to it. Throws
   * InvalidArgumentError for an unknown name, or one whose URL is `null://`.
   */
  io(name: string): MessageChannel {
    const { master } = this.#get(name)
    if (master === undefined)
      throw new InvalidArgumentError('io', 'a name whose channel is not null://', name)
    return master
  }

  /** The other end: that of the channel under test. Throws InvalidArgumentError. */
  inner(name: string): MessageChannel {
    return this.#get(name).inner
  }

  /** What the channel under test has posted to that name, in order. Throws InvalidArgumentError. */
  received(name: string): readonly Message[] {
    return this.#get(name).received
  }

  #get(name: string): Pair {
    const pair = this.#pairs.get(name)
    if (pair === undefined)
      throw new InvalidArgumentError('mock', `one of ${[...this.#pairs.keys()].join(', ')}`, name)
    return pair
  }

  /**
   * Opens the test's ends, then the other ends except those named in `skip`, then the channel under
   * test. Throws InvalidArgumentError.
   */
  open(skip: readonly string[] = []): void {
    checkNames('open: skip', skip)
    for (const { master } of this.#pairs.values()) master?.open()
    for (const [name, { inner }] of this.#pairs) if (!skip.includes(name)) inner.open()
    this.channel.open()
  }

  /** Destroys all channels, in reverse order. */
  destroy(): void {
    this.channel.destroy()
    for (const { inner, master } of [...this.#pairs.values()].reverse()) {
      inner.destroy()
      master?.destroy()
    }
  }
}
