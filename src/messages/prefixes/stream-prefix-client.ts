/**
 * Layer 8. `stream+child://`: a subscriber that gets what it has missed, and then what is posted
 * from now on, each message once and in order.
 *
 *     stream+pub+tcp://host:5555;request=tcp://host:5556
 *
 * | parameter of the URL | meaning |
 * |---|---|
 * | `request` | the URL at which the server is asked for history |
 * | `size=128kb` | what is kept of new messages while history comes |
 *
 * | parameter of the opening | meaning |
 * |---|---|
 * | `mode` | `online`: no history. `seq`: begins with `seq`. `seq-data`: begins after `seq` |
 * | | `continue`: after the last message that this channel has had; the first time after `seq` |
 * | `seq` | a number of 0 or more |
 *
 * The states of an opening: the child opens → its messages are kept, from the one after `#goal` on
 * → a request → history comes, up to `#goal` → control Online → what was kept → the child's
 * messages go straight on. Without history it goes from the first to the last at once.
 *
 * If there is no room for what is kept, the oldest is dropped, and the goal is raised: it is part
 * of the history by then.
 */

import { InvalidStateError } from '../../errors.ts'
import type { Bytes } from '../../types.ts'
import type { Init } from '../init.ts'
import { Control, Message } from '../message.ts'
import type { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'
import { Prefix } from './prefix.ts'
import {
  checkChild,
  checkPart,
  done,
  invalid,
  readErrorText,
  readReply,
  request,
  Say,
} from './stream-wire.ts'

const MODES = ['online', 'seq', 'seq-data', 'continue'] as const

/** The subscriber: `stream+child://`. */
// Source: TLL `stream`, client. Differs: `mode=continue`; there is no `mode=block`.
export class StreamPrefixClient extends Prefix {
  static override readonly protocol = 'stream-client+'

  readonly #request: MessageChannel
  readonly #size: Bytes
  /** The first seq that is wanted; undefined: no history. */
  #from: bigint | undefined
  /** History is complete with this seq. */
  #goal = -1n
  /** The seq of the last message that was delivered, or is not wanted. */
  #last = -1n
  #isOnline = false
  #hasReply = false
  #kept: Message[] = []
  #keptSize: Bytes = 0
  /** While what was kept is delivered, and a hook holds it. */
  #draining: Promise<void> | undefined

  constructor(init: Init) {
    super(init)
    const { params } = init
    checkChild(params)
    this.#size = params.size('size', 131_072, 1)
    const url = params.embedded('request')
    const { context, engine, name } = this
    this.#request = context.init(url, { name: `${name}/request`, engine, is_internal: true })
    this.add_child(this.#request)
    checkPart(params, 'request', this.#request)
    this.#request.callback_add(message => this.#requestSays(message), ['data', 'state'])
  }

  /** `seq`: that of the last message. `online`: is history complete? */
  override get info(): Readonly<Record<string, unknown>> {
    return { ...super.info, seq: this.#last, online: this.#isOnline }
  }

  // ---- opening ----------------------------------------------------------------------------------

  override do_open(params: Params): 'opening' {
    const mode = params.choice('mode', MODES)
    this.#from = this.#begin(mode, params)
    this.#last = (this.#from ?? 0n) - 1n
    this.#isOnline = this.#hasReply = false
    this.#forget()
    const { mode: _mode, seq: _seq, ...rest } = params.values
    this.child.open(rest)
    return 'opening'
  }

  #begin(mode: (typeof MODES)[number], params: Params): bigint | undefined {
    if (mode === 'online') return undefined
    const seq = params.seq('seq')
    if (mode === 'seq') return seq
    return (mode === 'continue' && this.#last >= seq ? this.#last : seq) + 1n
  }

  #forget(): void {
    this.#kept = []
    this.#keptSize = 0
    this.#draining = undefined
  }

  override child_active(): Promise<void> | undefined {
    this.#goal = this.child.info['seq'] as bigint
    if (this.#from !== undefined) this.#request.open()
    else {
      this.become_active()
      return this.#goOnline()
    }
    return undefined
  }

  // ---- history ----------------------------------------------------------------------------------

  #requestSays(message: Message): Promise<void> | undefined {
    if (this.#isOnline || this.state === 'closing') return undefined
    try {
      return message.type === 'state' ? this.#requestState() : this.#answered(message)
    } catch (error) {
      this.fail(error)
      return undefined
    }
  }

  #requestState(): undefined {
    const { state, error } = this.#request
    if (state === 'active')
      this.#request.post({ msgid: Say.Request, data: request(this.#from as bigint) })
    else if (state === 'error') throw error as Error
    else if (state === 'closed') throw invalid('the server has closed the request connection')
  }

  #answered(message: Message): Promise<void> | undefined {
    if (this.#hasReply) return this.#history(message)
    const { msgid, data } = message
    if (msgid === Say.Error) throw invalid(`the server says: ${readErrorText(data)}`)
    if (msgid !== Say.Reply) throw invalid(`msgid ${msgid} came, and no reply`)
    readReply(data)
    this.#hasReply = true
    this.become_active()
    // A hook may have closed it.
    return this.state === 'active' && (this.#from as bigint) > this.#goal
      ? this.#goOnline()
      : undefined
  }

  #history(message: Message): Promise<void> | undefined {
    if (message.seq <= this.#last) throw invalid(`seq ${message.seq} came after seq ${this.#last}`)
    this.#last = message.seq
    const result = this.emit(message)
    if (this.#last < this.#goal || this.state !== 'active') return result
    return result === undefined ? this.#goOnline() : result.then(() => this.#goOnline())
  }

  #goOnline(): Promise<void> | undefined {
    if (this.state !== 'active') return undefined
    this.#isOnline = true
    if (this.#hasReply) {
      this.#request.post({ msgid: Say.Done, data: done(this.#last) })
      this.#request.close()
    }
    this.emit({ type: 'control', msgid: Control.Online, seq: this.#goal })
    return this.#drain()
  }

  // ---- what is posted from now on ---------------------------------------------------------------

  override child_data(message: Message): Promise<void> | undefined {
    if (this.#isOnline && this.#draining === undefined && this.#kept.length === 0)
      return this.#deliver(message)
    this.#keep(message)
    return this.#draining
  }

  #deliver(message: Message): Promise<void> | undefined {
    if (message.seq <= this.#last) return undefined
    this.#last = message.seq
    return this.emit(message)
  }

  #keep(message: Message): void {
    this.#kept.push(message)
    this.#keptSize += message.data.length
    while (!this.#isOnline && this.#keptSize > this.#size) {
      const dropped = this.#kept.shift() as Message
      this.#keptSize -= dropped.data.length
      this.#goal = dropped.seq
    }
  }

  /** Delivers what was kept, as fast as the hooks take it. */
  #drain(): Promise<void> | undefined {
    this.#draining = undefined
    while (this.#kept.length > 0 && this.state === 'active') {
      const held = this.#deliver(this.#kept.shift() as Message)
      if (held !== undefined) return (this.#draining = held.then(() => this.#drain()))
    }
    this.#keptSize = 0
    return undefined
  }

  override do_post(message: Message): boolean {
    if (message.type !== 'data') return super.do_post(message)
    throw new InvalidStateError('post()', 'a subscriber only receives', 'post to the server')
  }

  // ---- closing ----------------------------------------------------------------------------------

  override do_close(force: boolean): void {
    this.#request.close(force)
    this.#forget()
    super.do_close(force)
  }
}
