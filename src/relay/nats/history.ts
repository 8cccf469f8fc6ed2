/**
 * Layer 8. History: what is appended, in one stream of JetStream for all topics, a subject each.
 * The server drops what is too much or too old.
 *
 * The way of an entry: its topic's queue → the stream, if nobody was faster → published again by
 * the server (`republish`), in the order in which it was stored → the subscribers.
 *
 * A stream counts its messages, and a topic must count its own. So an entry carries its seq, and is
 * stored only if the last entry of its topic is still the one that it was counted from. Whoever was
 * slower asks for the last one and tries again. A stream for each topic, which would count by
 * itself, was refused: nothing would ever delete it.
 *
 * Rules:
 * 1. One entry of a topic is under way at a time. What is published meanwhile on its topic waits
 *    for it.
 * 2. An entry whose fate is not known is not sent again.
 * 3. What waits in all topics together has a bound.
 */

import { type Deferred, deferred } from '../../core/deferred.ts'
import { quiet } from '../../core/promises.ts'
import { NatsError } from '../../protocols/nats/errors.ts'
import { WRONG_LAST_SEQUENCE } from '../../protocols/nats/jetstream/api.ts'
import type { NatsStreamConfig } from '../../protocols/nats/jetstream/config.ts'
import type { NatsConsumer } from '../../protocols/nats/jetstream/consumer.ts'
import type { NatsRecord } from '../../protocols/nats/jetstream/jetstream.ts'
import type { NatsMessage } from '../../protocols/nats/message.ts'
import type { Bytes, Milliseconds } from '../../types.ts'
import { firstSeq, type RelayEntry, type RelayHistory } from '../relay.ts'
import { ENTRY, fullError, WAITING } from '../relay-line.ts'
import { tokenOf } from './names.ts'
import type { NatsLine } from './nats-line.ts'

/** The header with the seq of an entry. */
const SEQ = 'Sluice-Seq'

/** How many of a read come at a time. */
const PORTION = 256

/** A consumer that we could not delete goes by itself. */
const UNUSED: Milliseconds = 10_000

/** For how many topics the last entry is remembered. */
const KNOWN = 10_000

/** An entry: its number in the stream, and its seq. */
interface Place {
  readonly at: number
  readonly seq: number
}

const NOTHING: Place = { at: 0, seq: 0 }

/** What waits in a topic: an entry has a promise. */
interface Waiting {
  readonly bytes: Buffer
  readonly stored: Deferred<number> | undefined
}

export class History {
  readonly #line: NatsLine
  readonly #prefix: string
  readonly #config: NatsStreamConfig
  /** The topics that have an entry under way, each with what waits for it. */
  readonly #queues = new Map<string, Waiting[]>()
  /** What is under way and what waits, in all topics. */
  #waiting: Bytes = 0
  /** The last entry of each topic, by its token. */
  readonly #known = new Map<string, Place>()

  constructor(line: NatsLine, prefix: string, count: number, age: Milliseconds) {
    this.#line = line
    this.#prefix = prefix
    this.#config = {
      name: `${prefix}_history`,
      subjects: [`${prefix}.history.*`],
      max_msgs_per_subject: count,
      max_age: age,
      republish: { src: `${prefix}.history.*`, dest: `${prefix}.live.{{wildcard(1)}}` },
    }
  }

  // ---- out --------------------------------------------------------------------------------------

  /** Stores it, after what waits in its topic. Throws RelayError if too much waits. */
  append(topic: string, bytes: Buffer): Promise<number> {
    if (this.#isFull(bytes)) throw fullError()
    const stored = deferred<number>()
    quiet(stored.promise)
    this.#add(tokenOf(topic), { bytes, stored })
    return stored.promise
  }

  /**
   * Publishes it, after the entries of its topic that are under way. Returns false if too much
   * waits.
   */
  publish(topic: string, bytes: Buffer): boolean {
    const token = tokenOf(topic)
    const queue = this.#queues.get(token)
    if (queue === undefined) this.#publish(token, bytes)
    else if (this.#isFull(bytes)) return false
    else this.#add(token, { bytes, stored: undefined })
    return true
  }

  #isFull(bytes: Buffer): boolean {
    return this.#waiting + bytes.length + ENTRY > WAITING
  }

  #publish(token: string, bytes: Buffer): void {
    this.#line.client.publish(`${this.#prefix}.live.${token}`, bytes)
  }

  #add(token: string, item: Waiting): void {
    this.#waiting += item.bytes.length + ENTRY
    const queue = this.#queues.get(token)
    if (queue !== undefined) return void queue.push(item)
    const begun = [item]
    this.#queues.set(token, begun)
    void this.#run(token, begun)
  }

  async #run(token: string, queue: Waiting[]): Promise<void> {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const { bytes, stored } = item
      try {
        if (stored !== undefined) stored.resolve(await this.#store(token, bytes))
        else if (this.#line.state === 'standing') this.#publish(token, bytes)
      } catch (error) {
        if (stored !== undefined) stored.reject(error)
        else this.#line.tell(error as Error)
      }
      this.#waiting -= bytes.length + ENTRY
    }
    this.#queues.delete(token)
  }

  #store(token: string, bytes: Buffer): Promise<number> {
    return this.#line.attempt(async () => {
      await this.#line.ensure(this.#config)
      let last = this.#known.get(token) ?? (await this.#last(token))
      for (;;) {
        const seq = last.seq === 0 ? firstSeq() : last.seq + 1
        const at = await this.#tryToStore(token, bytes, seq, last.at)
        if (at !== undefined) {
          this.#know(token, { at, seq })
          return seq
        }
        last = await this.#last(token)
      }
    })
  }

  /** Returns its number in the stream; undefined if somebody was faster. */
  async #tryToStore(
    token: string,
    bytes: Buffer,
    seq: number,
    last: number,
  ): Promise<number | undefined> {
    const { streams } = this.#line
    try {
      const { seq: at } = await streams.publish(`${this.#prefix}.history.${token}`, bytes, {
        headers: { [SEQ]: `${seq}` },
        expect_stream: this.#config.name,
        expect_last_subject_seq: last,
      })
      return at
    } catch (error) {
      this.#known.delete(token)
      if ((error as NatsError).err_code === WRONG_LAST_SEQUENCE) return undefined
      if ((error as NatsError).code !== 'ERR_NATS_NO_RESPONDERS') throw error
      // Somebody has deleted the stream.
      this.#line.forget(this.#config.name)
      await this.#line.ensure(this.#config)
      return undefined
    }
  }

  async #last(token: string): Promise<Place> {
    const subject = `${this.#prefix}.history.${token}`
    return placeOf(await this.#line.streams.message(this.#config.name, { last_of: subject }))
  }

  // ---- what is known ----------------------------------------------------------------------------

  /** The seq of a message that has come; undefined if it was not appended. */
  heard(topic: string, message: NatsMessage): number | undefined {
    const seq = message.header(SEQ)
    if (seq === undefined) return undefined
    this.#know(tokenOf(topic), { at: Number(message.header('Nats-Sequence')), seq: Number(seq) })
    return Number(seq)
  }

  #know(token: string, place: Place): void {
    if ((this.#known.get(token)?.seq ?? 0) >= place.seq) return
    this.#known.delete(token)
    this.#known.set(token, place)
    if (this.#known.size > KNOWN) this.#known.delete(this.#known.keys().next().value as string)
  }

  /** Another connection: the server may have another history. */
  forget(): void {
    this.#known.clear()
  }

  // ---- in ---------------------------------------------------------------------------------------

  async read(topic: string, seq: number, limit: number): Promise<RelayHistory> {
    await this.#line.ensure(this.#config)
    const { streams } = this.#line
    const { name } = this.#config
    const subject = `${this.#prefix}.history.${tokenOf(topic)}`
    const [first, last] = (
      await Promise.all([
        streams.message(name, { next_of: subject, seq: 1 }),
        streams.message(name, { last_of: subject }),
      ])
    ).map(placeOf) as [Place, Place]
    if (last.at === 0) return { entries: [], first: 1, last: 0 }
    // The last one was dropped a moment ago.
    if (first.at === 0) return { entries: [], first: last.seq + 1, last: last.seq }
    const count = Math.min(limit, last.seq - seq)
    // An entry takes one number of the stream, at least.
    const from = first.at + Math.max(0, seq + 1 - first.seq)
    const entries = count > 0 ? await this.#entries(subject, from, seq, count) : []
    return { entries, first: firstOf(first.seq, seq, entries), last: last.seq }
  }

  /** The first `count` entries after `seq`, which are not before `from` in the stream. */
  async #entries(subject: string, from: number, seq: number, count: number): Promise<RelayEntry[]> {
    const consumer = await this.#line.streams.create_consumer(this.#config.name, {
      filter_subject: subject,
      deliver_policy: 'by_start_sequence',
      opt_start_seq: from,
      ack_policy: 'none',
      mem_storage: true,
      inactive_threshold: UNUSED,
    })
    try {
      return await take(consumer, seq, count)
    } finally {
      void consumer.delete()
    }
  }
}

async function take(consumer: NatsConsumer, seq: number, count: number): Promise<RelayEntry[]> {
  const entries: RelayEntry[] = []
  while (entries.length < count) {
    const portion = await consumer.fetch(PORTION, { wait: 0 })
    for (const { message } of portion) {
      const entry = { seq: Number(message.header(SEQ)), bytes: message.data }
      if (entry.seq > seq && entries.length < count) entries.push(entry)
    }
    if (portion.length === 0 || portion.at(-1)!.pending === 0) break
  }
  return entries
}

/** Between the question for the first entry and the read, entries may have been dropped. */
function firstOf(first: number, seq: number, entries: readonly RelayEntry[]): number {
  const read = entries[0]?.seq ?? 0
  return read > seq + 1 ? Math.max(first, read) : first
}

function placeOf(record: NatsRecord | undefined): Place {
  if (record === undefined) return NOTHING
  return { at: record.seq, seq: Number(record.headers.get(SEQ)?.[0] ?? 0) }
}
