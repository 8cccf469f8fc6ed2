/**
 * Layer 7. NatsJetStream: what a program sees of JetStream, the part of a server that keeps
 * messages. All of it is requests to certain subjects: the client knows nothing of it.
 */

import { Buffer } from 'node:buffer'
import {
  checkDuration,
  checkName,
  checkRecord,
  type Checks,
  instanceOf,
  wholeFrom,
} from '../../../core/checks.ts'
import { checkOptions } from '../../../core/options.ts'
import { InvalidArgumentError } from '../../../errors.ts'
import type { Data, Milliseconds } from '../../../types.ts'
import { NatsClient } from '../client.ts'
import { NatsError } from '../errors.ts'
import { type NatsHeaders, readHeader } from '../headers.ts'
import { checkPattern } from '../subjects.ts'
import { type Answer, Api, NO_MESSAGE, quietly, readAnswer } from './api.ts'
import {
  checkStreamName,
  type NatsConsumerConfig,
  type NatsStreamConfig,
  type NatsStreamInfo,
  packConsumer,
  packStream,
  unpack,
} from './config.ts'
import { NatsConsumer } from './consumer.ts'

/** The options of NatsJetStream. */
export interface NatsJetStreamOptions {
  /** The domain of JetStream, if it is not that of the server. @default none */
  readonly domain?: string | undefined
  /** How long an answer may take, in milliseconds. @default the client's `request_timeout` */
  readonly timeout?: Milliseconds | undefined
}

/** How a message is stored. */
export interface NatsStoreOptions {
  /** Its header. */
  readonly headers?: NatsHeaders | undefined
  /** A name of your own: a second message with the same one is not stored. */
  readonly id?: string | undefined
  /** It is stored only by this stream. */
  readonly expect_stream?: string | undefined
  /** It is stored only if the last message of the stream has this number. */
  readonly expect_last_seq?: number | undefined
  /** The same for the last message to this subject; 0: there is none. */
  readonly expect_last_subject_seq?: number | undefined
}

/** What became of a message that was published to a stream. */
export interface NatsStored {
  /** The name of the stream. */
  readonly stream: string
  /** Its number in the stream. */
  readonly seq: number
  /** It was there already: `seq` is that of the first one with its `id`. */
  readonly duplicate: boolean
}

/** One message of a stream, see `message`. */
export interface NatsRecord {
  /** The subject that it was published to. */
  readonly subject: string
  /** Its number in the stream. */
  readonly seq: number
  /** The payload. */
  readonly data: Buffer
  /** The fields of its header. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** When it was stored, by the server's clock: milliseconds since 1970. */
  readonly time: Milliseconds
}

/** Which message of a stream. */
export type NatsWhich =
  | { readonly seq: number }
  | { readonly last_of: string }
  | { readonly next_of: string; readonly seq: number }

/** What `purge_stream` leaves. */
export interface NatsPurgeOptions {
  /** Only messages to this subject. @default all */
  readonly subject?: string | undefined
  /** So many of them are kept. @default 0 */
  readonly keep?: number | undefined
  /** Only messages before this number. @default all */
  readonly seq?: number | undefined
}

const OPTIONS: Checks<NatsJetStreamOptions> = {
  domain: (name, value) => value === '' || checkStreamName(name, value),
  timeout: checkDuration,
}

const checkSeq = wholeFrom(0)

const STORE: Checks<NatsStoreOptions> = {
  headers: checkRecord,
  id: checkName,
  expect_stream: checkStreamName,
  expect_last_seq: checkSeq,
  expect_last_subject_seq: checkSeq,
}

const WHICH: Checks<{ seq: number; last_of: string; next_of: string }> = {
  seq: checkSeq,
  last_of: checkPattern,
  next_of: checkPattern,
}

const PURGE: Checks<NatsPurgeOptions> = { subject: checkPattern, keep: checkSeq, seq: checkSeq }

/**
 * The streams of a server: messages that are kept, and delivered again until they are acknowledged.
 *
 * Every promise is rejected with InvalidArgumentError if an argument is wrong, with a NatsError
 * (ERR_NATS_JETSTREAM, with `err_code` and `said`) if the server has no JetStream or refuses, and
 * otherwise as that of `client.request`. None becomes an unhandled rejection.
 *
 * @example
 * const streams = new NatsJetStream(client)
 * await streams.create_stream({ name: 'ORDERS', subjects: ['orders.*'] })
 * const { seq } = await streams.publish('orders.new', 'tea', { id: 'order 1' })
 */
export class NatsJetStream {
  readonly #api: Api
  readonly #timeout: Milliseconds | undefined

  /** Throws InvalidArgumentError. */
  constructor(client: NatsClient, options: NatsJetStreamOptions = {}) {
    instanceOf(NatsClient)('new NatsJetStream: client', client)
    checkOptions('new NatsJetStream', options, OPTIONS)
    const { domain = '', timeout } = options
    this.#api = new Api(client, domain, timeout)
    this.#timeout = timeout
  }

  // ---- messages ---------------------------------------------------------------------------------

  /**
   * Publishes a message. Resolves when the stream of its subject has stored it.
   *
   * If that is rejected with ERR_NATS_TIMEOUT or ERR_NATS_DISCONNECTED, nobody knows whether it was
   * stored. With an `id` you may publish it again: within the stream's `duplicate_window` it is
   * stored once. ERR_NATS_NO_RESPONDERS means that no stream has this subject.
   */
  publish(subject: string, data: Data = '', options: NatsStoreOptions = {}): Promise<NatsStored> {
    return quietly(async () => {
      const headers = storeHeaders(options)
      const { client } = this.#api
      const answer = await client.request(subject, data, { headers, timeout: this.#timeout })
      const { stream, seq, duplicate = false }: Answer = readAnswer(answer.text)
      return { stream, seq, duplicate }
    })
  }

  /**
   * One message of a stream: that with a number, the last one to a subject, or the first one to a
   * subject from a number on (since 2.9). `undefined` if there is none.
   */
  message(stream: string, which: NatsWhich): Promise<NatsRecord | undefined> {
    return quietly(async () => {
      checkStreamName('message: stream', stream)
      checkOptions('message', which, WHICH)
      const { seq, last_of, next_of } = which as {
        seq?: number
        last_of?: string
        next_of?: string
      }
      if (seq === undefined && last_of === undefined)
        throw new InvalidArgumentError(
          'message: which',
          '{ seq }, { last_of } or { next_of, seq }',
          which,
        )
      const body = { seq, last_by_subj: last_of, next_by_subj: next_of }
      try {
        return toRecord((await this.#api.call(`STREAM.MSG.GET.${stream}`, body)).message)
      } catch (error) {
        if ((error as NatsError).err_code === NO_MESSAGE) return undefined
        throw error
      }
    })
  }

  // ---- streams ----------------------------------------------------------------------------------

  /** Makes a stream. If there is one with the same configuration, that is all right. */
  create_stream(config: NatsStreamConfig): Promise<NatsStreamInfo> {
    return quietly(() => this.#configure('CREATE', 'create_stream', config))
  }

  /** Gives a stream another configuration. */
  update_stream(config: NatsStreamConfig): Promise<NatsStreamInfo> {
    return quietly(() => this.#configure('UPDATE', 'update_stream', config))
  }

  async #configure(verb: string, call: string, config: NatsStreamConfig): Promise<NatsStreamInfo> {
    const body = packStream(call, config)
    return toStreamInfo(await this.#api.call(`STREAM.${verb}.${config.name}`, body))
  }

  /** What a stream is, and what it holds. */
  stream_info(name: string): Promise<NatsStreamInfo> {
    return quietly(async () => {
      checkStreamName('stream_info: name', name)
      return toStreamInfo(await this.#api.call(`STREAM.INFO.${name}`))
    })
  }

  /** Deletes a stream with everything in it. */
  delete_stream(name: string): Promise<void> {
    return quietly(async () => {
      checkStreamName('delete_stream: name', name)
      await this.#api.call(`STREAM.DELETE.${name}`)
    })
  }

  /** Drops messages of a stream. Resolves to how many. */
  purge_stream(name: string, options: NatsPurgeOptions = {}): Promise<number> {
    return quietly(async () => {
      checkStreamName('purge_stream: name', name)
      checkOptions('purge_stream', options, PURGE)
      const { subject, keep, seq } = options
      const answer = await this.#api.call(`STREAM.PURGE.${name}`, { filter: subject, keep, seq })
      return answer.purged
    })
  }

  // ---- consumers --------------------------------------------------------------------------------

  /**
   * Makes a consumer. If it has a `durable_name`, and there is one of that name with the same
   * configuration, that is all right.
   */
  create_consumer(stream: string, config: NatsConsumerConfig = {}): Promise<NatsConsumer> {
    return quietly(async () => {
      checkStreamName('create_consumer: stream', stream)
      const packed = packConsumer('create_consumer', config)
      const { durable_name } = config
      const kind = durable_name === undefined ? '' : 'DURABLE.'
      const at = durable_name === undefined ? stream : `${stream}.${durable_name}`
      const body = { stream_name: stream, config: packed }
      const { name } = await this.#api.call(`CONSUMER.${kind}CREATE.${at}`, body)
      return new NatsConsumer(this.#api, stream, name)
    })
  }

  /** The consumer of that name. Rejected if there is none. */
  consumer(stream: string, name: string): Promise<NatsConsumer> {
    return quietly(async () => {
      checkStreamName('consumer: stream', stream)
      const consumer = new NatsConsumer(this.#api, stream, checkStreamName('consumer: name', name))
      await consumer.info()
      return consumer
    })
  }
}

function storeHeaders(options: NatsStoreOptions): NatsHeaders | undefined {
  checkOptions('publish', options, STORE)
  const { headers, id, expect_stream, expect_last_seq, expect_last_subject_seq } = options
  const ours: Record<string, string> = {}
  if (id !== undefined) ours['Nats-Msg-Id'] = id
  if (expect_stream !== undefined) ours['Nats-Expected-Stream'] = expect_stream
  if (expect_last_seq !== undefined) ours['Nats-Expected-Last-Sequence'] = `${expect_last_seq}`
  if (expect_last_subject_seq !== undefined)
    ours['Nats-Expected-Last-Subject-Sequence'] = `${expect_last_subject_seq}`
  // Ours come first: nats-server 2.9 does not find a name that an earlier line contains.
  const all = { ...ours, ...headers, ...ours }
  return Object.keys(all).length === 0 ? undefined : all
}

function toRecord({ subject, seq, data = '', hdrs = '', time }: Answer): NatsRecord {
  return {
    subject,
    seq,
    data: Buffer.from(data, 'base64'),
    headers: readHeader(Buffer.from(hdrs, 'base64').toString()).fields,
    time: Date.parse(time),
  }
}

function toStreamInfo({ config, state }: Answer): NatsStreamInfo {
  return { config: unpack(config), state }
}
