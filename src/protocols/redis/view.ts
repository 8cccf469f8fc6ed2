/**
 * Layer 7. RedisView: what can be done with an open client, in one manner: how long a reply may
 * take, and whether strings are text or bytes.
 */

import type { Buffer } from 'node:buffer'
import { checkDuration, checkFunction, type Checks, checkText, oneOf } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { quiet } from '../../core/promises.ts'
import type { CommandOptions } from './command.ts'
import type { Connections, Manner } from './connections.ts'
import type { StreamEntry } from './shapes.ts'
import { checkStream, readStream, type StreamReadOptions } from './stream-reader.ts'
import type { MessageHandler, SubscribeOptions, SubscriptionKind } from './subscriber.ts'
import { Transaction } from './transaction.ts'
import { Commands } from './typed-commands.ts'

const MANNER_CHECKS: Checks<CommandOptions> = {
  timeout: checkDuration,
  encoding: oneOf('utf8', null),
}

const SUBSCRIBE_CHECKS: Checks<SubscribeOptions> = { on_gap: checkFunction }

/** What strings of replies are: Buffers with `encoding: null`. */
export type TextOf<Options extends CommandOptions> = Options extends { encoding: null }
  ? Buffer
  : string

/** All commands, transactions, messages and streams. */
export class RedisView<Text extends string | Buffer = string> extends Commands<Text> {
  readonly #connections: Connections
  readonly #manner: Manner

  /** Made by a client. */
  constructor(connections: Connections, manner: Manner) {
    super(words => connections.run(words, manner))
    this.#connections = connections
    this.#manner = manner
  }

  /**
   * The same client in another manner: with another `timeout`, or with Buffers instead of text.
   *
   * Throws InvalidArgumentError for an invalid option.
   *
   * @example
   * const picture = await redis.with({ encoding: null }).get('picture')
   */
  with<Options extends CommandOptions>(options: Options): RedisView<TextOf<Options>> {
    checkOptions('with', options, MANNER_CHECKS)
    const { timeout = this.#manner.timeout, encoding = this.#manner.encoding } = options
    return new RedisView(this.#connections, { timeout, encoding })
  }

  /**
   * Begins a transaction: commands that the server runs with none of anybody else's in between.
   *
   * @example
   * const transaction = redis.multi()
   * transaction.incr('visits')
   * transaction.expire('visits', 60)
   * const [visits] = await transaction.exec()
   */
  multi(): Transaction<Text> {
    const { timeout, encoding } = this.#manner
    return new Transaction(commands => this.#connections.runAll(commands, timeout), encoding)
  }

  // ---- messages ---------------------------------------------------------------------------------

  /**
   * Subscribes to a channel. `handler(message, channel)` gets each message. If it returns a
   * promise, further messages of this client wait until it settles; a server does not wait for
   * ever, see ERR_CUT_OFF. What it throws is told to `on_error`.
   *
   * Resolves when the server has confirmed it. It is subscribed again after a loss of the
   * connection, see `on_gap`; what was published meanwhile is lost. Rejects with a RedisError if
   * the server refuses it, or if the client closes. If the server refuses it later, `on_error` is
   * told.
   */
  subscribe(
    channel: string,
    handler: MessageHandler<Text>,
    options?: SubscribeOptions,
  ): Promise<void> {
    return this.#subscribe('', channel, handler, options)
  }

  /**
   * Subscribes to all channels whose names match a pattern: `news.*`. The handler gets the pattern
   * as well.
   */
  psubscribe(
    pattern: string,
    handler: MessageHandler<Text>,
    options?: SubscribeOptions,
  ): Promise<void> {
    return this.#subscribe('p', pattern, handler, options)
  }

  /** Subscribes to a shard channel, to which `spublish` publishes. Redis 7.0. */
  ssubscribe(
    channel: string,
    handler: MessageHandler<Text>,
    options?: SubscribeOptions,
  ): Promise<void> {
    return this.#subscribe('s', channel, handler, options)
  }

  #subscribe(
    kind: SubscriptionKind,
    name: string,
    handler: MessageHandler,
    options: SubscribeOptions = {},
  ): Promise<void> {
    const call = `${kind}subscribe`
    checkText(`${call}: its first argument`, name)
    checkFunction(`${call}: handler`, handler)
    checkOptions(call, options, SUBSCRIBE_CHECKS)
    const { on_gap } = options
    const { encoding } = this.#manner
    return quiet(this.#connections.subscribe(kind, name, handler, { encoding, on_gap }))
  }

  /**
   * Ends a subscription of this handler; without one, of all handlers of the channel. Resolves when
   * the server has confirmed it.
   */
  unsubscribe(channel: string, handler?: MessageHandler): Promise<void> {
    return this.#unsubscribe('', channel, handler)
  }

  /** Ends a subscription of `psubscribe`. */
  punsubscribe(pattern: string, handler?: MessageHandler): Promise<void> {
    return this.#unsubscribe('p', pattern, handler)
  }

  /** Ends a subscription of `ssubscribe`. */
  sunsubscribe(channel: string, handler?: MessageHandler): Promise<void> {
    return this.#unsubscribe('s', channel, handler)
  }

  #unsubscribe(
    kind: SubscriptionKind,
    name: string,
    handler: MessageHandler | undefined,
  ): Promise<void> {
    checkText(`${kind}unsubscribe: its first argument`, name)
    if (handler !== undefined) checkFunction(`${kind}unsubscribe: handler`, handler)
    return quiet(this.#connections.unsubscribe(kind, name, handler))
  }

  // ---- streams ----------------------------------------------------------------------------------

  /**
   * The entries of a stream, one after the other, for ever: `for await (const { id, fields } of
   * redis.stream('orders'))`. It waits for new ones, on a connection of its own. After a loss of
   * the connection it goes on where it was.
   *
   * With a `group`, entries are shared among its consumers, and each must be acknowledged by
   * `xack`.
   * Throws InvalidArgumentError. The loop throws a RedisError if the server refuses to read, or if
   * the client closes.
   */
  stream(key: string, options: StreamReadOptions = {}): AsyncGenerator<StreamEntry<Text>, void> {
    checkStream(key, options)
    return readStream<Text>(this, this.#connections, key, options)
  }
}
