/**
 * Layer 8. `stream+child://;mode=server`: what is posted is stored, and goes to all subscribers. A
 * subscriber gets what it has missed first.
 *
 *     stream+pub+tcp://*:5555;mode=server;request=tcp://*:5556;storage=file://data
 *
 * | parameter | meaning |
 * |---|---|
 * | `request` | the URL at which subscribers ask for history; `mode=server` may be left out |
 * | `storage` | the URL of the file; `dir` is left out |
 * | `autoseq=no` | yes: numbers the messages, after the last one of the storage |
 *
 * The way of a message: `post` → storage → child. The way of history: a request → a reader of the
 * same storage, opened at that seq → the peer, until it says that it is done. The reader follows
 * the file, so what is posted meanwhile comes, too.
 *
 * Rules:
 * 1. It opens the storage first: the child begins with the last seq in it.
 * 2. A peer that takes nothing holds its own reader, and nobody else.
 * 3. A peer whose request is invalid is told why, and disconnected.
 */

import { LIFE } from '../../channels/life.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { asError, InvalidStateError, messageOf, WriteError } from '../../errors.ts'
import type { Init } from '../init.ts'
import { type Addr, Control, Message } from '../message.ts'
import type { MessageChannel } from '../message-channel.ts'
import { MESSAGE_LIFE } from '../message-life.ts'
import { Params } from '../params.ts'
import { Url } from '../url.ts'
import { checkUnlimited } from './below.ts'
import { Prefix } from './prefix.ts'
import {
  checkChild,
  checkPart,
  errorText,
  invalid,
  readRequest,
  reply,
  Say,
} from './stream-wire.ts'

/** A subscriber that reads history. */
interface Reading {
  readonly reader: MessageChannel
  /** While the peer takes nothing. */
  held: Deferred<void> | undefined
}

/** The server: `stream+child://;mode=server`. */
// Source: TLL `stream`, server. Differs: without `blocks`, and without a message to begin with.
export class StreamPrefixServer extends Prefix {
  static override readonly protocol = 'stream-server+'

  readonly #numbers: boolean
  readonly #storageUrl: string
  readonly #storage: MessageChannel
  readonly #request: MessageChannel
  readonly #readings = new Map<Addr, Reading>()
  #parameters: Readonly<Record<string, string>> = {}

  constructor(init: Init) {
    super(init)
    const { params } = init
    checkChild(params)
    checkUnlimited(this)
    this.#numbers = params.boolean('autoseq', false)
    this.#storageUrl = without(params.embedded('storage'), 'dir', 'w')
    this.#storage = this.#below(`${this.#storageUrl};dir=w`, 'storage')
    this.#request = this.#below(
      `${without(params.embedded('request'), 'mode', 'server')};mode=server`,
      'request',
    )
    checkPart(params, 'storage', this.#storage)
    checkPart(params, 'request', this.#request)
    this.#storage.callback_add(message => this.#storageSays(message), ['state', 'control'])
    this.#request.callback_add(message => this.#requestSays(message), ['data', 'state', 'control'])
  }

  /** The master of this channel is that of its child. */
  #below(url: string, suffix: string): MessageChannel {
    const { context, engine, name } = this
    const child = context.init(url, { name: `${name}/${suffix}`, engine, is_internal: true })
    this.add_child(child)
    // What it failed with is reported with its state.
    child[MESSAGE_LIFE].errorsTo = error => {
      if (error !== child.error) this[LIFE].report(error)
    }
    return child
  }

  override get client_url(): string | undefined {
    const [online, request] = [super.client_url, this.#request.client_url]
    if (online === undefined || request === undefined) return undefined
    const { protocol, host, entries } = Url.parse(request)
    const rest = [...entries].map(([key, { value }]) => `;request.${key}=${value}`).join('')
    return `stream+${online};request.url=${protocol}://${host}${rest}`
  }

  /** `seq-begin` and `seq`: those of the first and the last message of the storage; -1: none. */
  override get info(): Readonly<Record<string, unknown>> {
    return { ...super.info, ...this.#storage.info, readers: this.#readings.size }
  }

  get #last(): bigint {
    return this.#storage.info['seq'] as bigint
  }

  // ---- opening ----------------------------------------------------------------------------------

  override do_open(params: Params): 'opening' {
    this.#parameters = params.values
    this.#storage.open()
    return 'opening'
  }

  #storageSays({ type, msgid }: Message): void {
    if (type === 'control') {
      if (msgid === Control.WriteFull || msgid === Control.WriteReady)
        this.emit({ type: 'control', msgid })
      return
    }
    const { state } = this.#storage
    if (state === 'active' && this.state === 'opening') this.#request.open()
    this.#follow(this.#storage)
  }

  override child_active(): void {
    this.become_active()
  }

  /** What it stands on has failed or closed. */
  #follow(part: MessageChannel): void {
    if (part.state === 'error') this.fail(part.error as Error)
    else if (part.state === 'closed' && this.state === 'active') this.close()
    else if (part.state === 'closed' && this.state === 'closing') this.#closeNext()
  }

  // ---- posting ----------------------------------------------------------------------------------

  /** Throws InvalidArgumentError unless its seq is greater than that of the last message. */
  override do_post(message: Message): boolean {
    if (message.type !== 'data') return super.do_post(message)
    if (this.state === 'opening')
      throw new InvalidStateError('post()', 'the channel is opening', 'wait for `opened`')
    if (this.state !== 'active') return false
    const whole = this.#numbers ? new Message({ ...message, seq: this.#last + 1n }) : message
    if (!this.#storage.post(whole)) return false
    if (!this.child.post(whole))
      this[LIFE].call(
        'on_error',
        new WriteError(
          'ERR_STREAM',
          `seq ${whole.seq} is stored, but was not taken by ${this.child.name}`,
        ),
      )
    return true
  }

  // ---- history ----------------------------------------------------------------------------------

  #requestSays(message: Message): void {
    const { type, msgid, addr } = message
    if (type === 'state') this.#requestState()
    else if (type === 'data') this.#asked(message)
    else if (msgid === Control.WriteReady) this.#goOn(addr)
    else if (msgid === Control.Disconnect) this.#gone(addr as Addr, String(message.data))
  }

  #gone(addr: Addr, why: string): void {
    this.#stop(addr)
    if (why !== '') this[LIFE].report(invalid(`reader ${String(addr)}: ${why}`))
  }

  #requestState(): void {
    if (this.#request.state === 'active' && this.state === 'opening')
      this.child.open({ ...this.#parameters, 'last-seq': String(this.#last) })
    this.#follow(this.#request)
  }

  #asked(message: Message): void {
    const { msgid, data } = message
    const addr = message.addr as Addr
    try {
      if (msgid === Say.Done) this.#stop(addr)
      else if (msgid !== Say.Request || this.#readings.has(addr))
        throw invalid(`msgid ${msgid} came, and no request`)
      else this.#begin(addr, readRequest(data))
    } catch (error) {
      this.#refuse(addr, error)
    }
  }

  #begin(addr: Addr, seq: bigint): void {
    const last = this.#last
    if (seq > last + 1n) throw invalid(`seq ${seq} was asked for, but the last one is ${last}`)
    this.#request.post({ msgid: Say.Reply, data: reply(last, seq), addr })
    if (last === -1n) return
    const reader = this.#below(`${this.#storageUrl};dir=r;autoclose=no`, `history-${String(addr)}`)
    const reading: Reading = { reader, held: undefined }
    this.#readings.set(addr, reading)
    reader.callback_add(message => this.#pass(addr, reading, message), 'data')
    reader.on_error = error => this.#refuse(addr, error)
    reader.open({ seq: String(seq < 0n ? 0n : seq) })
  }

  #pass(addr: Addr, reading: Reading, message: Message): Promise<void> | void {
    if (this.#request.post(new Message({ ...message, addr }))) return
    reading.held = deferred<void>()
    // What was refused goes first when there is room.
    return reading.held.promise.then(() => {
      if (this.#readings.get(addr) === reading) return this.#pass(addr, reading, message)
    })
  }

  /** There is room for one peer, or for all of them. */
  #goOn(addr: Addr | undefined): void {
    for (const [each, reading] of this.#readings) {
      if (addr !== undefined && each !== addr) continue
      letGo(reading)
    }
  }

  #stop(addr: Addr): void {
    const reading = this.#readings.get(addr)
    if (reading === undefined) return
    this.#readings.delete(addr)
    letGo(reading)
    reading.reader.destroy()
  }

  #refuse(addr: Addr, error: unknown): void {
    this.#stop(addr)
    this[LIFE].report(asError(error))
    this.#request.post({ msgid: Say.Error, data: errorText(messageOf(error)), addr })
    this.#request.post({ type: 'control', msgid: Control.Disconnect, addr })
  }

  // ---- closing ----------------------------------------------------------------------------------

  /** The child first, then those who read history; the storage writes what was posted. */
  override do_close(force: boolean): void {
    for (const addr of [...this.#readings.keys()]) this.#stop(addr)
    for (const part of [this.child, this.#request, this.#storage]) part.close(force)
    if (!force) this.#closeNext()
  }

  override child_closed(): void {
    this.#closeNext()
  }

  #closeNext(): void {
    const parts = [this.child, this.#request, this.#storage]
    if (parts.every(({ state }) => state === 'closed')) this.finish_close()
  }
}

/** The text of a URL without one of its parameters, which can have this value only. */
function without(url: Url, key: string, value: string): string {
  new Params(url).choice(key, [value], value)
  return String(url.with(url.protocol, each => each === key))
}

/** What a reading waits for has come, or will not come. */
function letGo(reading: Reading): void {
  const { held } = reading
  reading.held = undefined
  held?.resolve()
}
