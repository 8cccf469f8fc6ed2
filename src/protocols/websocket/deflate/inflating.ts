/**
 * Layer 7. Inflating: the messages of one peer, made large again.
 *
 * What the peer may refer to is kept as bytes, and given to zlib with each message. So an idle
 * connection keeps no stream of zlib in memory, only the end of what it has received.
 *
 * Rules:
 * 1. It stops in the middle of a message that becomes too long.
 * 2. A message may end zlib's stream (BFINAL) and go on after that: then a new stream begins, with
 *    the same memory.
 * 3. Small messages are inflated at once, which costs less than a thread; large ones off the loop.
 * 4. Deno's zlib passes over `dictionary` (2.9.6). There the window goes in as a block of its own,
 *    in front of the message, and what comes of it is dropped.
 */

import { Buffer } from 'node:buffer'
import { constants, deflateRawSync, inflateRaw, inflateRawSync, type ZlibOptions } from 'node:zlib'
import { codeOf } from '../../../errors.ts'
import type { Bytes } from '../../../types.ts'
import { Fault } from '../incoming.ts'

/** What is left out at the end of each message: the end of an empty block. */
const TAIL = Buffer.from([0, 0, 0xff, 0xff])

/**
 * Up to this size a message is inflated at once. It takes about as long as handing it to a thread
 * and coming back: 50 us.
 */
export const AT_ONCE: Bytes = 8192

/** One run of zlib: what it made, and how many bytes it took. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: Bytes }
}

/** What zlib is given in one run. The first `lead` bytes of what it makes are the window. */
interface Run {
  readonly input: Buffer
  readonly lead: Bytes
  readonly options: ZlibOptions
}

const NOTHING = Buffer.alloc(0)

/** The farthest that any peer can look back. */
const WINDOW: Bytes = 32 * 1024

/** Does zlib look at `dictionary`, see rule 4? It is asked once. */
let hasDictionary: boolean | undefined

function looksAtDictionary(): boolean {
  const bytes = Buffer.from('all that it needs is a look back')
  hasDictionary ??= deflateRawSync(bytes, { dictionary: bytes }).length < bytes.length / 2
  return hasDictionary
}

export class Inflating {
  /** Does the peer refer to earlier messages? Then the most bytes that it looks back. */
  readonly #reach: Bytes
  readonly #max: Bytes
  readonly #hasDictionary: boolean
  #window: Buffer = NOTHING

  /** `max`: the most bytes of a message. `hasDictionary`: see rule 4. */
  constructor(forgets: boolean, bits: number, max: Bytes, hasDictionary = looksAtDictionary()) {
    this.#reach = forgets ? 0 : 2 ** bits
    this.#max = max
    this.#hasDictionary = hasDictionary
  }

  /** Returns the message or what is wrong with it; a promise if the message is large. */
  inflate(bytes: Buffer): Buffer | Fault | Promise<Buffer | Fault> {
    const input = Buffer.concat([bytes, TAIL])
    return bytes.length <= AT_ONCE ? this.#atOnce(input) : this.#later(input)
  }

  #atOnce(input: Buffer): Buffer | Fault {
    const parts: Buffer[] = []
    try {
      for (let left: Buffer | undefined = input; left !== undefined;) {
        const run = this.#run(left, parts)
        left = this.#took(run, parts, inflateRawSync(run.input, run.options) as never)
      }
    } catch (error) {
      return this.#faultOf(error)
    }
    return this.#done(parts)
  }

  async #later(input: Buffer): Promise<Buffer | Fault> {
    const parts: Buffer[] = []
    try {
      for (let left: Buffer | undefined = input; left !== undefined;) {
        const run = this.#run(left, parts)
        left = this.#took(run, parts, await inThread(run))
      }
    } catch (error) {
      return this.#faultOf(error)
    }
    return this.#done(parts)
  }

  #run(input: Buffer, parts: readonly Buffer[]): Run {
    const size = parts.reduce((sum, { length }) => sum + length, 0)
    const window = parts.length === 0 ? this.#window : this.#end(parts, WINDOW)
    const options = {
      finishFlush: constants.Z_SYNC_FLUSH,
      info: true,
      // Zlib allows no 0: one byte too many is found at the end.
      maxOutputLength: Math.max(1, Math.min(this.#max - size, 2 ** 31 - 1)),
    }
    const lead = window.length
    if (lead === 0) return { input, lead, options }
    if (this.#hasDictionary) return { input, lead: 0, options: { ...options, dictionary: window } }
    const maxOutputLength = options.maxOutputLength + lead
    return { input: asBlock(window, input), lead, options: { ...options, maxOutputLength } }
  }

  /** Keeps what was made. Returns what is left if zlib's stream has ended before it. */
  #took({ input, lead }: Run, parts: Buffer[], { buffer, engine }: Inflated): Buffer | undefined {
    parts.push(buffer.subarray(lead))
    const left = input.subarray(engine.bytesWritten)
    return left.length > TAIL.length && engine.bytesWritten > 0 ? left : undefined
  }

  #done(parts: Buffer[]): Buffer | Fault {
    if (this.#reach > 0) this.#window = this.#end(parts, this.#reach)
    const message = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    return message.length > this.#max ? this.#tooLong() : message
  }

  /** A copy of the last bytes of everything so far. It does not hold the rest in memory. */
  #end(parts: readonly Buffer[], size: Bytes): Buffer {
    const all = Buffer.concat([this.#window, ...parts])
    return Buffer.from(all.subarray(Math.max(0, all.length - size)))
  }

  #faultOf(error: unknown): Fault {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') return this.#tooLong()
    return new Fault(1007, 'a compressed message must be valid')
  }

  #tooLong(): Fault {
    return new Fault(1009, `a message has at most ${this.#max} bytes`)
  }
}

/** `window` as a stored block (RFC 1951, 3.2.4), and what follows it. */
function asBlock(window: Buffer, input: Buffer): Buffer {
  const head = Buffer.from([0, 0, 0, 0, 0])
  head.writeUInt16LE(window.length, 1)
  head.writeUInt16LE(~window.length & 0xffff, 3)
  return Buffer.concat([head, window, input])
}

function inThread({ input, options }: Run): Promise<Inflated> {
  return new Promise((resolve, reject) =>
    inflateRaw(input, options, (error, result) =>
      error === null ? resolve(result as unknown as Inflated) : reject(error),
    ),
  )
}
