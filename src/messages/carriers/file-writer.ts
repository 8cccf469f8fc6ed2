/**
 * Layer 8. `file://NAME;dir=w`: appends messages to a file.
 *
 * | parameter | meaning |
 * |---|---|
 * | `frame=std` | how the messages are written, see frames.ts; `line` makes a text file |
 * | `autoseq=no` | yes: numbers the messages, after the last seq of the file |
 * | `overwrite=no` | yes: empties the file when it opens |
 * | `repair=no` | yes: cuts off an incomplete message at the end, which a crash may leave |
 * | `buffer-size=64kb` | the largest message, with its frame; `none` has no limit |
 * | `send-buffer-size=1mb` | at this many queued bytes `post` returns false |
 *
 * With a frame that has a seq, a size or a document, opening reads the file: to find the last seq,
 * which must grow from message to message, and to see that the file is one of this frame. If it is
 * not, or if it ends with an incomplete message, opening fails and changes nothing. `close()` first
 * writes what was posted.
 *
 * Rules:
 * 1. Nothing that was there is changed, unless the URL asks for it. A last line without a line end
 *    gets one with the first message.
 * 2. Each message goes to the end of the file in one write, wherever that is by then: another
 *    program may write to the file, cut it off, or rename it (then it is written on under its new
 *    name).
 */

import { Buffer } from 'node:buffer'
import { LIFE } from '../../channels/life.ts'
import { InvalidArgumentError, ReadError } from '../../errors.ts'
import type { FileEnds, FileSink } from '../../transport.ts'
import type { Bytes } from '../../types.ts'
import type { Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import { Control, Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import type { Params } from '../params.ts'
import { fileName } from './file-name.ts'
import { checkKind, FileRecords } from './file-records.ts'
import { type Frame, FRAMES } from './frames.ts'

const LINE_END = 10
const NOTHING = Buffer.alloc(0)

/** The channel of `file://;dir=w`. */
// Source: TLL `file`, writer. Differs: TLL has a format of its own; these are tcp's frames.
export class FileWriter extends MessageChannel {
  static override readonly protocol: string = 'file-writer'
  static override readonly caps = ['out', 'long_close'] as const
  static override readonly parameters = ['host']

  readonly #frame: Frame
  readonly #limit: Bytes
  readonly #highWater: Bytes
  readonly #numbers: boolean
  readonly #overwrites: boolean
  readonly #repairs: boolean
  #path = ''
  #sink: FileSink | undefined
  #records: FileRecords | undefined
  /** What has to go before the next message: the end of a line of somebody else. */
  #before = ''
  #first = -1n
  #seq = -1n
  #isFull = false
  /** Has the file been read, and repaired? */
  #isKnown = false
  #unsent: Bytes = 0

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#frame = FRAMES.get(params.choice('frame', [...FRAMES.keys()], 'std')) as Frame
    this.#limit = params.size('buffer-size', 65_536, Math.max(1, this.#frame.overhead))
    this.#highWater = params.size('send-buffer-size', 2 ** 20, 1)
    this.#numbers = params.boolean('autoseq', false)
    this.#overwrites = params.boolean('overwrite', false)
    this.#repairs = params.boolean('repair', false)
    if (this.#numbers && !this.#frame.carries.seq)
      throw params.fault('autoseq', `no: frame=${this.#frame.name} carries no seq`)
  }

  override get carries(): Carries {
    return this.#frame.carries
  }

  /**
   * `seq-begin` and `seq`: those of the first and the last message; -1 while there is none.
   * `unsent`: the bytes that were posted and not written; after a failure, those that were lost.
   */
  override get info(): Readonly<Record<string, unknown>> {
    const unsent = this.#sink?.bytes_queued ?? this.#unsent
    return { 'seq-begin': this.#first, seq: this.#seq, unsent }
  }

  override do_open(opening: Params): 'opening' {
    this.#path = fileName(this.params, opening)
    this.#first = this.#seq = -1n
    this.#isFull = this.#isKnown = false
    this.#before = ''
    this.#unsent = 0
    this.#openSink(this.#overwrites ? 0 : Infinity)
    return 'opening'
  }

  /** Cuts the file off at `offset` first. */
  #openSink(offset: Bytes): void {
    const sink = this[LIFE].drive.files.write(this.#path, offset, {
      opened: ends => this.#opened(ends),
      drained: () => this.#drained(),
      failed: error => {
        this.#unsent = sink.bytes_queued
        this.#sink = undefined
        this.fail(error)
      },
      closed: () => {
        this.#sink = undefined
        this.finish_close()
      },
    })
    this.#sink = sink
  }

  /** Text is appended to whatever is there, anything else only to a file of its frame. */
  #opened(ends: FileEnds | undefined): void {
    // It may be closing by now.
    if (this.state !== 'opening') return
    const { data } = this.#frame.carries
    if (ends !== undefined) checkKind(this.#path, this.#frame, ends.first)
    if (data === 'line' && ends !== undefined && ends.last_byte !== LINE_END) this.#before = '\n'
    if (ends === undefined || data === 'line' || data === 'stream' || this.#isKnown)
      return this.become_active()
    this.#records = new FileRecords(
      this[LIFE].drive.files,
      this.#path,
      this.#frame,
      this.#limit,
      () => this.update_dcaps(['pending']),
    )
    this.update_dcaps(['pending'])
  }

  /** While the channel is opening: reads the file. */
  override do_process(): false | void {
    const records = this.#records
    const message = records === undefined ? 'starved' : this.#next(records)
    if (message instanceof Message) {
      if (this.#first === -1n) this.#first = message.seq
      this.#seq = message.seq
      return
    }
    this.update_dcaps([], ['pending'])
    if (records === undefined || message === 'starved') return false
    this.#stopReading()
    if (records.incomplete === 0) return this.become_active()
    this.#dropSink()
    if (!this.#repairs) throw this.#notOurs(records.incomplete)
    this.#isKnown = true
    this.#openSink(records.position)
  }

  /** A file that is refused is free for others. */
  #next(records: FileRecords): ReturnType<FileRecords['next']> {
    try {
      return records.next()
    } catch (error) {
      this.#stopReading()
      this.#dropSink()
      throw error
    }
  }

  #notOurs(bytes: Bytes): ReadError {
    return new ReadError(
      'ERR_FILE_CUT',
      `${this.#path} ends with ${bytes} bytes that are no message (frame=${this.#frame.name}): ` +
        'it is another kind of file, or a crash has cut it off (then repair=yes cuts off the rest)',
    )
  }

  #stopReading(): void {
    this.#records?.close()
    this.#records = undefined
  }

  #dropSink(): void {
    const sink = this.#sink
    this.#sink = undefined
    this.#unsent = sink?.bytes_queued ?? this.#unsent
    sink?.close(true)
  }

  override do_close(force: boolean): void {
    this.#stopReading()
    if (force) this.#dropSink()
    if (this.#sink === undefined) this.finish_close()
    else this.#sink.close()
  }

  override do_post(message: Message): boolean {
    if (message.type !== 'data') return true
    if (this.#isFull) return false
    const numbered = this.#numbers ? new Message({ ...message, seq: this.#seq + 1n }) : message
    const { seq, data } = numbered
    this.#check(seq, data.length)
    const head = this.#frame.head(numbered)
    const sink = this.#sink as FileSink
    const { tail } = this.#frame
    // In one piece, which is written whole or not at all.
    const parts = [Buffer.from(this.#before), head ?? NOTHING, data, Buffer.from(tail)]
    this.#before = ''
    sink.write(head === undefined && tail === '' ? data : Buffer.concat(parts))
    if (this.#first === -1n) this.#first = seq
    this.#seq = seq
    if (sink.bytes_queued >= this.#highWater) {
      this.#isFull = true
      this.emit(new Message({ type: 'control', msgid: Control.WriteFull }))
    }
    return true
  }

  #check(seq: bigint, length: Bytes): void {
    if (this.#frame.carries.seq && seq <= this.#seq) {
      throw new InvalidArgumentError(
        'post: seq',
        `greater than the seq of the last message, ${this.#seq}`,
        seq,
      )
    }
    const most = this.#limit - this.#frame.overhead
    // Without frames nobody looks for the end of a message.
    if (length > most && this.#frame.carries.data !== 'stream')
      throw new InvalidArgumentError(
        'post: data',
        `at most ${most} bytes long (buffer-size)`,
        length,
      )
  }

  #drained(): void {
    if (!this.#isFull) return
    this.#isFull = false
    this.emit(new Message({ type: 'control', msgid: Control.WriteReady }))
  }
}
