/**
 * Layer 9. Receiving: the way of a message in, of one consumer.
 *
 * parse → unpack → if it is an answer, its request → when its turn comes: the signal (which calls
 * run) → on_message.
 *
 * Rules:
 * 1. Nothing that a peer sends makes the connection throw. An invalid message is dropped, and
 *    `on_refused` answers it with an error message that has the same trace id.
 * 2. An answer, or an error, is never answered with an error: two sides could go on for ever.
 * 3. Messages are worked on one after the other, in their order. An answer settles its request at
 *    once, so that a message that is being worked on may wait for one.
 */

import { isUtf8 } from 'node:buffer'
import { isPromiseLike } from '../../core/promises.ts'
import { OverflowError } from '../../errors.ts'
import { Batch, Batch2 } from '../builtin/batch.ts'
import { GenericError, ValidationErrorMessage } from '../builtin/common-errors.ts'
import type { Envelope, Origin } from '../envelope.ts'
import type { EnvelopeData } from '../envelope-schema.ts'
import { ErrorMessage } from '../error-message.ts'
import { ValidationError } from '../errors.ts'
import type { Message } from '../message.ts'
import type { MetaFields } from '../meta.ts'
import { incoming_websocket_message, type MessageArguments } from '../signals/message-signals.ts'
import type { Signal } from '../signals/signal.ts'
import type { PendingRequests } from './pending-requests.ts'
import { wallTime } from './wall-clock.ts'
import { Work } from './work.ts'

/** The part of a consumer that is used here. */
export interface Receiver extends Origin {
  readonly incoming: Envelope<any>
  readonly errors: Envelope<any>
  readonly queue_limit: number
  last_received: number
  on_message(message: any): unknown
  on_error_message(error: ErrorMessage): unknown
  on_refused(error: ErrorMessage): unknown
  send_error(error: ErrorMessage, options?: { id?: string | undefined }): unknown
  close(code?: number): void
}

/** The code for a peer that sends more than can be worked on: "try again later". */
const OVERLOADED = 1013

export class Receiving {
  readonly work = new Work()
  readonly #consumer: Receiver
  readonly #requests: PendingRequests
  /** Tells the program what went wrong. */
  readonly #tell: (thrown: unknown) => void

  constructor(consumer: Receiver, requests: PendingRequests, tell: (thrown: unknown) => void) {
    this.#consumer = consumer
    this.#requests = requests
    this.#tell = tell
  }

  /**
   * A text was received. If it returns a promise, no more should be received until that settles.
   */
  received(given: Buffer | string): Promise<void> | undefined {
    // Bytes that are not text are not JSON either: the empty text leads to that error.
    const text = typeof given === 'string' ? given : isUtf8(given) ? given.toString() : ''
    let data: EnvelopeData | undefined
    try {
      data = this.#consumer.incoming.parse(text)
      this.#unpack(data)
    } catch (error) {
      this.#invalid(error, data)
    }
    return this.work.isBusy ? this.work.full : undefined
  }

  #unpack(data: EnvelopeData): void {
    const { incoming, errors } = this.#consumer
    const isError = !incoming.registry.has(data.t) && errors.registry.has(data.t)
    const unpacked = (isError ? errors : incoming).unpack(data, { consumer: this.#consumer })
    if (isPromiseLike(unpacked)) this.#later(unpacked as PromiseLike<Message>, data)
    else this.#accept(unpacked as Message)
  }

  /** Its schema is asynchronous. The message keeps its place. */
  #later(unpacked: PromiseLike<Message>, data: EnvelopeData): void {
    const settled = Promise.resolve(unpacked).then(
      message => () => this.#dispatch(message),
      (error: unknown) => () => this.#invalid(error, data),
    )
    this.inTurn(() => settled.then(next => next()))
  }

  #accept(message: Message): void {
    if (message.mm.state !== null) this.#requests.answer(message)
    // Most are worked on at once, without a closure.
    if (this.work.isBusy) this.#wait(() => this.#dispatch(message))
    else this.work.returned(this.#dispatch(message))
  }

  /** Does a task when its turn comes: now, if nothing is being worked on. */
  inTurn(task: () => unknown): void {
    if (this.work.isBusy) this.#wait(task)
    else this.work.returned(task())
  }

  #wait(task: () => unknown): void {
    const { queue_limit } = this.#consumer
    if (this.work.size < queue_limit) return this.work.wait(task)
    const what = `more than ${queue_limit} messages wait to be worked on`
    this.#tell(new OverflowError('receive', queue_limit, what))
    this.#consumer.close(OVERLOADED)
  }

  // ---- a valid message --------------------------------------------------------------------------

  /**
   * Returns a promise, which never rejects, if a hook or a receiver goes on working on the message.
   */
  #dispatch(message: Message): unknown {
    const consumer = this.#consumer
    consumer.last_received = wallTime()
    if ((message as unknown) instanceof ErrorMessage)
      return this.#guarded(message, () => consumer.on_error_message(message as never))
    const { message_signal = incoming_websocket_message } = consumer.incoming
    if (message instanceof Batch || message instanceof Batch2)
      return this.#unbatch(message, this.dispatch(message_signal, message, true))
    return this.dispatch(message_signal, message)
  }

  /** Sends the signal, and then calls on_message, unless `isAll`: the signal is all. */
  dispatch(signal: Signal<MessageArguments>, message: Message, isAll = false): unknown {
    const consumer = this.#consumer
    try {
      const told = signal.notify(message.constructor, { message, consumer })
      if (isPromiseLike(told))
        return this.#guarded(message, async () => {
          await told
          if (!isAll) await consumer.on_message(message)
        })
      if (isAll) return undefined
      const result = consumer.on_message(message)
      return isPromiseLike(result) ? this.#guarded(message, () => result) : undefined
    } catch (error) {
      return this.#threw(error, message)
    }
  }

  #guarded(message: Message, task: () => unknown): unknown {
    try {
      const result = task()
      if (!isPromiseLike(result)) return undefined
      return Promise.resolve(result).catch((error: unknown) => this.#threw(error, message))
    } catch (error) {
      return this.#threw(error, message)
    }
  }

  /** The messages of a batch come after it, as if each had come by itself. */
  #unbatch(batch: Batch | Batch2, before: unknown): unknown {
    const { t } = batch.data
    const { id: i, state: s, language: l } = batch.mm
    const parts = batch.parts as EnvelopeData['p'][]
    const goOn = (from: number): unknown => {
      for (let index = from; index < parts.length; index++) {
        const result = this.#part({ t, p: parts[index] ?? null, i, s, l })
        if (isPromiseLike(result)) return result.then(() => goOn(index + 1))
      }
      return undefined
    }
    return isPromiseLike(before) ? before.then(() => goOn(0)) : goOn(0)
  }

  #part(data: EnvelopeData): unknown {
    const invalid = (error: unknown): void => this.#invalid(error, data)
    try {
      const message = this.#consumer.incoming.unpack(data, { consumer: this.#consumer })
      return isPromiseLike(message)
        ? message.then(each => this.#dispatch(each as Message), invalid)
        : this.#dispatch(message as Message)
    } catch (error) {
      return invalid(error)
    }
  }

  // ---- what went wrong --------------------------------------------------------------------------

  /** What was received is not a valid message. */
  #invalid(error: unknown, data: EnvelopeData | undefined): void {
    const consumer = this.#consumer
    const refusal = refusalOf(error, data)
    if (refusal === undefined) return this.#tell(error)
    const isAnswer =
      data !== undefined && ((data.s ?? null) !== null || consumer.errors.registry.has(data.t))
    if (isAnswer) {
      if (!this.#requests.fail(data.i, error as Error)) this.#tell(error)
      return
    }
    this.inTurn(() => {
      try {
        const result = consumer.on_refused(refusal)
        return isPromiseLike(result) ? Promise.resolve(result).catch(this.#tell) : undefined
      } catch (fault) {
        return this.#tell(fault)
      }
    })
  }

  /** A hook or a receiver that got the message threw: the peer is told that it failed. */
  #threw(error: unknown, message: Message): void {
    const { id, state } = message.mm
    const isAnswer = state !== null || (message as unknown) instanceof ErrorMessage
    try {
      if (error instanceof ErrorMessage) this.#consumer.send_error(error, idOf(id))
      else {
        this.#tell(error)
        if (id !== null && !isAnswer) this.#consumer.send_error(new GenericError(), idOf(id))
      }
    } catch (fault) {
      this.#tell(fault)
    }
  }
}

function idOf(id: string | null): { id?: string } {
  return id === null ? {} : { id }
}

/** The error message for what unpacking threw; undefined if it is not the fault of the peer. */
function refusalOf(error: unknown, data: EnvelopeData | undefined): ErrorMessage | undefined {
  if (error instanceof ErrorMessage) return error
  if (!(error instanceof ValidationError)) return undefined
  const mm: MetaFields = { id: data?.i ?? null }
  return new ValidationErrorMessage({ data: { errors: [...error.errors] }, mm })
}
