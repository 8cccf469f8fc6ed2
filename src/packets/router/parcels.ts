/**
 * Layer 9. Parcels: what one router says to another by the relay. What the server of the relay does
 * not take at once goes in parts (NATS has a longest message, of 1 MiB by default).
 *
 * Of a parcel: its head in JSON, a line end, its text. The head of a part also has the number of
 * the parcel, the index of the part, and how many there are.
 *
 * Rules:
 * 1. The parts of a parcel follow one another on its topic. Whoever hears one that does not
 *    continue what came before has lost something, and drops the parcel.
 * 2. How much the server takes is not known: a part is made smaller when it is refused.
 */

import { Buffer } from 'node:buffer'
import { isRefused, type Relay, RelayError } from '../../relay/relay.ts'
import type { Bytes } from '../../types.ts'

/** Router, sender, receiver. */
type Head = readonly [router: string, from: string, to: string]

/** Where a part belongs. */
type Place = [number: number, index: number, count: number]

/** At first a part is half of what NATS takes by default: heads and prefixes need room, too. */
const PART: Bytes = 512 * 1024

/** A part is not made smaller than this: something else is refused. */
const LEAST: Bytes = 2048

/** The largest parcel, so that nobody fills the memory of the others. */
const MOST: Bytes = 64 * 1024 * 1024

/** The way out. */
export class ParcelSender {
  readonly #relay: Relay
  #part = PART
  #number = 0

  constructor(relay: Relay) {
    this.#relay = relay
  }

  /** Returns false if the server is away. Throws RelayError if it does not take it at all. */
  send(topic: string, head: Head, text: string): boolean {
    // A character has at most three bytes.
    if (text.length * 3 > LEAST) return this.#send(topic, head, Buffer.from(text))
    return this.#relay.publish(topic, `${JSON.stringify(head)}\n${text}`)
  }

  #send(topic: string, head: Head, bytes: Buffer): boolean {
    if (bytes.length > MOST)
      throw new RelayError('ERR_RELAY_REFUSED', `${bytes.length} bytes are more than ${MOST}`)
    for (;;) {
      try {
        return this.#sendParts(topic, head, bytes)
      } catch (error) {
        if (!isRefused(error) || Math.min(this.#part, bytes.length) <= LEAST) throw error
        this.#part = Math.max(LEAST, Math.min(this.#part, bytes.length) >> 1)
      }
    }
  }

  #sendParts(topic: string, head: Head, bytes: Buffer): boolean {
    const post = (head: readonly unknown[], part: Buffer): boolean =>
      this.#relay.publish(topic, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), part]))
    if (bytes.length <= this.#part) return post(head, bytes)
    const number = ++this.#number
    for (let at = 0; at < bytes.length; at += this.#part) {
      const place = [number, at / this.#part, Math.ceil(bytes.length / this.#part)]
      if (!post([...head, ...place], bytes.subarray(at, at + this.#part))) return false
    }
    return true
  }
}

/** A parcel of which parts are to come. */
interface Open {
  readonly number: number
  readonly parts: Buffer[]
  size: Bytes
}

/** What has come by the relay. */
interface Parcel {
  readonly head: Head
  readonly text: string
}

/** The way in, of one topic. */
export class ParcelReader {
  /** Whose own parcels are passed over. */
  readonly #own: string
  readonly #open = new Map<string, Open>()

  constructor(own: string) {
    this.#own = own
  }

  /** Returns undefined if parts are to come, or are missing; null if it is no parcel. */
  read(bytes: Buffer): Parcel | undefined | null {
    const end = bytes.indexOf('\n')
    const read = headOf(bytes.toString('utf8', 0, Math.max(0, end)))
    if (read === undefined) return null
    const [router, from, to, ...place] = read
    if (router === this.#own) return undefined
    const part = bytes.subarray(end + 1)
    const whole = place.length === 0 ? part : this.#join(router, place as Place, part)
    return whole && { head: [router, from, to], text: whole.toString() }
  }

  #join(router: string, [number, index, count]: Place, part: Buffer): Buffer | undefined {
    const open = index === 0 ? { number, parts: [], size: 0 } : this.#open.get(router)
    this.#open.delete(router)
    const isNext = open?.number === number && open.parts.length === index
    if (!isNext || open.size + part.length > MOST) return undefined
    open.parts.push(part)
    open.size += part.length
    if (index === count - 1) return Buffer.concat(open.parts)
    this.#open.set(router, open)
    return undefined
  }

  /** That router has gone. */
  forget(router: string): void {
    this.#open.delete(router)
  }
}

function headOf(text: string): [...Head, ...place: number[]] | undefined {
  try {
    const head: unknown = JSON.parse(text)
    if (!Array.isArray(head) || (head.length !== 3 && head.length !== 6)) return undefined
    const isValid = head.every((each, at) => typeof each === (at < 3 ? 'string' : 'number'))
    return isValid ? (head as [...Head, ...number[]]) : undefined
  } catch {
    return undefined
  }
}
