/**
 * Layer 8. `file://NAME`, `file://NAME;dir=r`: reads the messages of a file.
 *
 * | parameter | meaning |
 * |---|---|
 * | `frame=std` | how the messages are written, see frames.ts |
 * | `seq` | begins with the first message whose seq is at least this; default: the first one |
 * | `mode=seq` | reads all messages, or those whose seq is at least `seq` |
 * | `mode=last` | reads the last message, and what is appended later |
 * | `mode=end` | reads only what is appended later |
 * | `autoclose=yes` | closes at the end of the file; no: waits there for more |
 * | `interval=100ms` | with `autoclose=no`: how often it looks whether the file has grown |
 * | `buffer-size=64kb` | the largest message, with its frame |
 *
 * | `end-of-data=once` | when control EndOfData says that everything has been read: once for each
 *   opening or seek; many: each time; before-close: only if the channel closes then |
 *
 * Post control Seek to go on with the first message whose seq is at least that of the posted one.
 *
 * A file that is followed (`autoclose=no`) may be renamed, removed, replaced and cut off: reading
 * goes on at the beginning of the new one. What is left of an incomplete message is told to
 * on_error. The last line of a file that was renamed is a message, though it has no line end.
 */

import { LIFE } from '../../channels/life.ts'
import { noop } from '../../core/noop.ts'
import { InvalidArgumentError, ReadError } from '../../errors.ts'
import type { Bytes, Cancel, Milliseconds } from '../../types.ts'
import type { Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import { Control, Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'
import { fileName } from './file-name.ts'
import { type Ended, FileRecords } from './file-records.ts'
import { type Frame, FRAMES } from './frames.ts'

/**
 * The most messages that one `process` skips, when it looks for a seq. A turn has at most 64 calls
 * of `process`, and must be short.
 */
const SKIPS = 64

const MODES = ['seq', 'last', 'end'] as const

const ENDS = ['once', 'many', 'before-close'] as const

/** The channel of `file://`. */
// Source: TLL `file`, reader.
export class FileReader extends MessageChannel {
  static override readonly protocol: string = 'file-reader'
  static override readonly caps = ['in'] as const
  static override readonly parameters = ['host']

  readonly #frame: Frame
  readonly #limit: Bytes
  readonly #closesAtEnd: boolean
  readonly #interval: Milliseconds
  readonly #end: (typeof ENDS)[number]
  #path = ''
  #records: FileRecords | undefined
  /** Messages with a lower seq are skipped. Undefined: none are. */
  #from: bigint | undefined
  /** 'last' and 'end' skip all messages up to the end; 'last' then gives the last one. */
  #mode: (typeof MODES)[number] = 'seq'
  #last: Message | undefined
  #seq = -1n
  /** What was read before the channel was active. */
  #kept: Message | Ended | undefined
  #hasEnded = false
  #cancel: Cancel = noop

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#frame = FRAMES.get(params.choice('frame', [...FRAMES.keys()], 'std')) as Frame
    this.#limit = params.size('buffer-size', 65_536, Math.max(1, this.#frame.overhead))
    this.#closesAtEnd = params.boolean('autoclose', true)
    this.#interval = params.duration('interval', 100)
    if (!(this.#interval > 0)) throw params.fault('interval', 'longer than 0')
    this.#end = params.choice('end-of-data', ENDS, 'once')
    if (params.has('seq')) params.seq('seq')
    params.choice('mode', MODES, 'seq')
  }

  override get carries(): Carries {
    return this.#frame.carries
  }

  /** `seq`: that of the message given last; -1 before the first. */
  override get info(): Readonly<Record<string, unknown>> {
    return { seq: this.#seq }
  }

  /** `seq` and `mode` of the opening take precedence over those of the URL. */
  override do_open(params: Params): 'opening' {
    const given = [params, this.params].find(each => each.has('seq'))
    this.#from = given?.seq('seq')
    this.#mode = params.choice('mode', MODES, this.params.choice('mode', MODES, 'seq'))
    this.#seq = -1n
    this.#path = fileName(this.params, params)
    this.#begin()
    return 'opening'
  }

  #begin(): void {
    this.#records?.close()
    this.#cancel()
    this.#last = this.#kept = undefined
    this.#hasEnded = false
    this.#records = new FileRecords(
      this[LIFE].drive.files,
      this.#path,
      this.#frame,
      this.#limit,
      () => this.update_dcaps(['pending']),
      !this.#closesAtEnd,
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
        'control Seek: this file is read; dir=w opens it for writing',
        type,
      )
    this.#from = seq
    this.#mode = 'seq'
    this.#begin()
  }

  override do_process(): false | void {
    for (let skips = 0; skips < SKIPS; skips++) {
      const message = this.#kept ?? (this.#records as FileRecords).next()
      this.#kept = undefined
      if (message === 'starved') {
        this.update_dcaps([], ['pending'])
        return false
      }
      // What is read first waits: a hook may close the channel, or suspend it.
      if (this.state === 'opening') {
        this.#kept = message
        return this.become_active()
      }
      if (message === 'end') return this.#atEnd()
      if (typeof message === 'string') return this.#replaced(message)
      if (!this.#isSkipped(message)) return this.#give(message)
    }
  }

  #tellsEnd(): boolean {
    if (this.#end === 'before-close') return this.#closesAtEnd
    const before = this.#hasEnded
    this.#hasEnded = true
    return !before
  }

  #isSkipped(message: Message): boolean {
    if (this.#mode === 'seq') return this.#from !== undefined && message.seq < this.#from
    this.#last = message
    return true
  }

  #give(message: Message): void {
    this.#seq = message.seq
    if (this.#end === 'many') this.#hasEnded = false
    this.emit(message)
  }

  /** Another file begins, or the same one anew. */
  #replaced(how: 'renamed' | 'truncated'): void {
    const records = this.#records as FileRecords
    this.#from = undefined
    const rest = how === 'renamed' ? records.rest() : undefined
    const lost = records.drop()
    if (rest !== undefined) return this.#give(rest)
    if (lost > 0)
      this[LIFE].call(
        'on_error',
        new ReadError(
          'ERR_FILE_CUT',
          `${this.#path} was ${how}: ${lost} bytes at its end were no whole message`,
        ),
      )
  }

  #atEnd(): void {
    const { state } = this
    const rest = this.#closesAtEnd ? this.#records?.rest() : undefined
    if (rest !== undefined && !this.#isSkipped(rest)) return this.#give(rest)
    this.update_dcaps([], ['pending'])
    if (this.#mode === 'last' && this.#last !== undefined) this.#give(this.#last)
    this.#mode = 'seq'
    if (this.#tellsEnd()) this.emit(new Message({ type: 'control', msgid: Control.EndOfData }))
    // A callback may have closed the channel, or posted Seek.
    if (state !== this.state || this.dcaps.has('pending')) return
    if (this.#closesAtEnd) return this.close()
    this.#cancel = this.engine.defer(this.#interval, () => {
      this.#records?.again()
      this.update_dcaps(['pending'])
    })
  }
}
