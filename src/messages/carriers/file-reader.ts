/**
 * Layer 8. `file://NAME;dir=r`: the messages of a file, from the first one, or from `seq=` on.
 *
 *   mode=seq (default) from the first message whose seq is not below `seq`, or from the beginning
 *   mode=last, mode=end the last message, and what is appended; only what is appended autoclose=yes
 *   closes at the end of the file. no: waits there, and looks every `interval=100ms` whether it has
 *   grown
 *
 * At the end it says control EndOfData, once for every opening or seek. Posting control Seek goes
 * on with the first message not below its seq.
 */

import { InvalidArgumentError } from '../../errors.ts'
import type { Bytes, Cancel, Milliseconds } from '../../types.ts'
import { type Frame, FRAMES } from './frames.ts'
import type { Init } from '../init.ts'
import { Control, Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'
import { Records } from './records.ts'

/**
 * So many messages are passed over in one process, to be found by seq: a turn has 64 of them at the
 * most, and is to be short.
 */
const SKIPS = 64

const MODES = ['seq', 'last', 'end'] as const

/** Source: TLL `file`, reader. */
export class FileReader extends MessageChannel {
  static override readonly protocol: string = 'file-reader'
  static override readonly caps = ['in'] as const

  readonly #frame: Frame
  readonly #limit: Bytes
  readonly #closesAtEnd: boolean
  readonly #interval: Milliseconds
  #records: Records | undefined
  /** Messages below it are passed over; undefined: none are. */
  #from: bigint | undefined
  /** Passing over all there are; of 'last' the last one is given. */
  #mode: (typeof MODES)[number] = 'seq'
  #last: Message | undefined
  #seq = -1n
  #hasEnded = false
  #cancel: Cancel = () => {}

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#frame = FRAMES.get(params.choice('frame', [...FRAMES.keys()], 'std')) as Frame
    this.#limit = params.size('buffer-size', 65_536, 1)
    this.#closesAtEnd = params.boolean('autoclose', true)
    this.#interval = params.duration('interval', 100)
  }

  /** The seq of the message that was given last; -1 before the first. */
  override get info(): Readonly<Record<string, unknown>> {
    return { seq: this.#seq }
  }

  /** `seq` and `mode` of the opening come before those of the URL. */
  override do_open(params: Params): 'opening' {
    const given = [params, this.params].find(each => each.has('seq'))
    this.#from = given?.seq('seq')
    this.#mode = params.choice('mode', MODES, this.params.choice('mode', MODES, 'seq'))
    this.#seq = -1n
    this.#begin()
    return 'opening'
  }

  #begin(): void {
    this.#records?.close()
    this.#cancel()
    this.#last = undefined
    this.#hasEnded = false
    this.#records = new Records(this.params.url.host, this.#frame, this.#limit, () =>
      this.update_dcaps(['pending']),
    )
    this.update_dcaps(['pending'])
  }

  override do_close(): void {
    this.#cancel()
    this.#records?.close()
    this.#records = undefined
  }

  override do_post({ type, msgid, seq }: Message): void {
    if (type !== 'control' || msgid !== Control.Seek)
      throw new InvalidArgumentError(
        'post: message',
        'control Seek: a file that is read takes no data; dir=w writes',
        type,
      )
    this.#from = seq
    this.#mode = 'seq'
    this.#begin()
  }

  override do_process(): false | void {
    for (let skips = 0; skips < SKIPS; skips++) {
      const message = (this.#records as Records).next()
      if (message === 'starved') {
        this.update_dcaps([], ['pending'])
        return false
      }
      this.become_active()
      if (message === 'end') return this.#atEnd()
      if (!this.#isSkipped(message)) return this.#give(message)
    }
  }

  #isSkipped(message: Message): boolean {
    if (this.#mode === 'seq') return this.#from !== undefined && message.seq < this.#from
    this.#last = message
    return true
  }

  #give(message: Message): void {
    this.#seq = message.seq
    this.emit(message)
  }

  #atEnd(): void {
    const { state } = this
    const rest = this.#closesAtEnd ? this.#records?.rest() : undefined
    if (rest !== undefined && !this.#isSkipped(rest)) return this.#give(rest)
    this.update_dcaps([], ['pending'])
    if (this.#mode === 'last' && this.#last !== undefined) this.#give(this.#last)
    this.#mode = 'seq'
    if (!this.#hasEnded) {
      this.#hasEnded = true
      this.emit(new Message({ type: 'control', msgid: Control.EndOfData }))
    }
    // A callback may have closed it, or gone somewhere else.
    if (state !== this.state || this.dcaps.has('pending')) return
    if (this.#closesAtEnd) return this.close()
    this.#cancel = this.engine.defer(this.#interval, () => {
      this.#records?.again()
      this.update_dcaps(['pending'])
    })
  }
}
