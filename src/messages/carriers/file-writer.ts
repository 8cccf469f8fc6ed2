/**
 * Layer 8. `file://NAME;dir=w`: appends messages to a file.
 *
 * | parameter | meaning |
 * |---|---|
 * | `frame=std` | how the messages are written, see frames.ts; `line` makes a text file |
 * | `autoseq=no` | yes: numbers the messages, after the last seq of the file |
 * | `buffer-size=64kb` | the largest message, with its frame |
 * | `send-buffer-size=1mb` | at this many queued bytes `post` returns false |
 *
 * Opening reads the file to find the last seq. An incomplete message at the end, which a crash may
 * leave, is cut off. If the frame has a seq, it must grow from message to message. `close()` first
 * writes what was posted.
 */

import { LIFE } from '../../channels/life.ts'
import { codeOf, InvalidArgumentError } from '../../errors.ts'
import type { FileSink } from '../../transport.ts'
import type { Bytes } from '../../types.ts'
import { type Frame, FRAMES } from './frames.ts'
import type { Carries } from '../caps.ts'
import type { Init } from '../init.ts'
import { Control, Message } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'
import { FileRecords } from './file-records.ts'

/** The frames that have a seq. */
const NUMBERED: readonly string[] = ['std', 'short', 'tiny']

/** The channel of `file://;dir=w`. */
// Source: TLL `file`, writer. Differs: TLL has a format of its own; these are tcp's frames.
export class FileWriter extends MessageChannel {
  static override readonly protocol: string = 'file-writer'
  static override readonly caps = ['out', 'long_close'] as const

  readonly #frame: Frame
  readonly #limit: Bytes
  readonly #highWater: Bytes
  readonly #numbers: boolean
  #sink: FileSink | undefined
  #records: FileRecords | undefined
  #first = -1n
  #seq = -1n
  #isFull = false

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#frame = FRAMES.get(params.choice('frame', [...FRAMES.keys()], 'std')) as Frame
    this.#limit = params.size('buffer-size', 65_536, 1)
    this.#highWater = params.size('send-buffer-size', 2 ** 20, 1)
    this.#numbers = params.boolean('autoseq', false)
  }

  override get carries(): Carries {
    return this.#frame.carries
  }

  /** `seq-begin` and `seq`: those of the first and the last message; -1 while there is none. */
  override get info(): Readonly<Record<string, unknown>> {
    return { 'seq-begin': this.#first, seq: this.#seq }
  }

  override do_open(): 'opening' {
    this.#first = this.#seq = -1n
    this.#isFull = false
    this.#records = new FileRecords(
      this[LIFE].drive.files,
      this.params.url.host,
      this.#frame,
      this.#limit,
      () => this.update_dcaps(['pending']),
    )
    this.update_dcaps(['pending'])
    return 'opening'
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
    this.#records = undefined
    this.#append(records.position)
  }

  #next(records: FileRecords): Message | 'starved' | 'end' {
    try {
      return records.next()
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 'end'
      throw error
    }
  }

  #append(position: Bytes): void {
    const sink = this[LIFE].drive.files.write(this.params.url.host, position, {
      opened: () => this.become_active(),
      drained: () => this.#drained(),
      failed: error => {
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

  override do_close(force: boolean): void {
    this.#records?.close()
    this.#records = undefined
    if (this.#sink === undefined) return this.finish_close()
    this.#sink.close(force)
    if (force) this.#sink = undefined
  }

  override do_post(message: Message): boolean {
    if (message.type !== 'data') return true
    if (this.#isFull) return false
    const numbered = this.#numbers ? new Message({ ...message, seq: this.#seq + 1n }) : message
    const { seq, data } = numbered
    this.#check(seq, data.length)
    const head = this.#frame.head(numbered)
    const sink = this.#sink as FileSink
    if (head !== undefined) sink.write(head)
    sink.write(data)
    if (this.#frame.tail !== '') sink.write(new TextEncoder().encode(this.#frame.tail))
    if (this.#first === -1n) this.#first = seq
    this.#seq = seq
    if (sink.bytes_queued >= this.#highWater) {
      this.#isFull = true
      this.emit(new Message({ type: 'control', msgid: Control.WriteFull }))
    }
    return true
  }

  #check(seq: bigint, length: Bytes): void {
    if (NUMBERED.includes(this.#frame.name) && seq <= this.#seq) {
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
