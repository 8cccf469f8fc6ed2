/**
 * Layer 9. Signal: an event that any part of a program may listen to.
 *
 * Rules:
 * 1. Receivers are called one after the other, in the order in which they were connected. If one
 *    returns a promise, the next one waits for it.
 * 2. `send` stops at the first receiver that throws, and rejects with what it threw. `send_robust`
 *    calls all of them.
 * 3. Connecting or disconnecting a receiver while the signal is sent takes effect the next time.
 */

import {
  anyValue,
  checkBoolean,
  checkFunction,
  type Checks,
  checkText,
  listOf,
} from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { isPromiseLike } from '../../core/promises.ts'
import { InvalidArgumentError } from '../../errors.ts'

/** What a receiver gets: the sender, the signal, and what the sender has named. */
export type Named<Arguments> = Arguments & {
  /** What has sent the signal: for messages, their class. */
  readonly sender: unknown
  /** The signal. */
  readonly signal: Signal<any>
}

/** Is called for a signal. */
export type Receiver<Arguments> = (named: Named<Arguments>) => unknown

/** Options of `connect`. */
export interface ConnectReceiverOptions {
  /**
   * The sender whose signals the receiver gets.
   * @default undefined: all senders
   */
  readonly sender?: unknown
  /**
   * true: the signal does not keep the receiver alive. The program must hold it itself.
   * @default false
   */
  readonly weak?: boolean | undefined
  /**
   * The identity of the receiver: connecting another one with the same id and sender does nothing.
   * @default the receiver itself
   */
  readonly dispatch_uid?: unknown
}

const checkReceivers = listOf(checkFunction, 'functions')

const CHECKS: Checks<ConnectReceiverOptions> = {
  sender: anyValue,
  weak: checkBoolean,
  dispatch_uid: anyValue,
}

/** The message of that sender, if it is a class of messages. */
export type Sent<Sender, Arguments> = Sender extends abstract new (...args: any) => infer Of
  ? Omit<Arguments, 'message'> & { readonly message: Of }
  : Arguments

type Responses<Arguments> = [receiver: Receiver<Arguments>, response: unknown][]

interface Slot<Arguments> {
  /** What it is known by, if it is not the receiver itself. */
  readonly key: unknown
  readonly sender: unknown
  /** undefined: it was held weakly, and has gone. */
  readonly receiver: () => Receiver<Arguments> | undefined
  /** Does it want the signals of that sender? undefined: of each. */
  readonly wants?: ((sender: unknown) => boolean) | undefined
}

function isSame(slot: Slot<any>, key: unknown, sender: unknown): boolean {
  if (slot.sender !== sender || key === undefined) return false
  return slot.key === undefined ? slot.receiver() === key : slot.key === key
}

/** An event with its receivers. `Arguments` is what the sender names. */
// Source: Django `dispatch.Signal`.
export class Signal<Arguments = Record<string, unknown>> {
  /** The name, for people. */
  readonly name: string
  #slots: readonly Slot<Arguments>[] = []
  /** The receivers for each sender; thrown away with each change. */
  #bySender = new Map<unknown, readonly Slot<Arguments>[]>()

  /**
   * `receivers` are connected from the beginning, for all senders. With `wants` they are so only
   * for the senders for which it returns true. It is called once for each sender.
   */
  constructor(
    name = '',
    receivers: readonly Receiver<Arguments>[] = [],
    wants?: (sender: unknown) => boolean,
  ) {
    this.name = checkText('new Signal: name', name)
    checkReceivers('new Signal: receivers', receivers)
    for (const receiver of receivers) this.connect(receiver)
    this.#slots = this.#slots.map(each => ({ ...each, wants }))
  }

  /**
   * Connects a receiver. A receiver that is connected for the same sender already is not connected
   * twice. Throws InvalidArgumentError.
   */
  connect<const Options extends ConnectReceiverOptions = {}>(
    receiver: Receiver<Sent<Options['sender'], Arguments>>,
    options?: Options,
  ): void {
    checkFunction('connect: receiver', receiver)
    const given: ConnectReceiverOptions = options ?? {}
    checkOptions('connect', given, CHECKS)
    const { sender, weak = false, dispatch_uid } = given
    if (this.#slots.some(each => isSame(each, dispatch_uid ?? receiver, sender))) return
    const held = weak ? weakly(receiver) : holding(receiver)
    this.#change([...this.#slots, { key: dispatch_uid, sender, receiver: held as never }])
  }

  /** Disconnects a receiver. Returns false if it was not connected for that sender. */
  disconnect(
    receiver: ((named: any) => unknown) | undefined,
    options?: Omit<ConnectReceiverOptions, 'weak'>,
  ): boolean {
    checkOptions('disconnect', options ?? {}, CHECKS)
    const { sender, dispatch_uid } = options ?? {}
    const kept = this.#slots.filter(each => !isSame(each, dispatch_uid ?? receiver, sender))
    const isFound = kept.length < this.#slots.length
    if (isFound) this.#change(kept)
    return isFound
  }

  #change(slots: readonly Slot<Arguments>[]): void {
    this.#slots = slots
    this.#bySender = new Map()
  }

  /** Is there a receiver for that sender? Without a sender: one for all senders. */
  has_listeners(sender?: unknown): boolean {
    const slots = this.#of(sender)
    return slots.length > 0 && slots.some(({ receiver }) => receiver() !== undefined)
  }

  #of(sender: unknown): readonly Slot<Arguments>[] {
    const known = this.#bySender.get(sender)
    if (known !== undefined) return known
    const found = this.#slots.filter(
      each =>
        (each.sender === undefined || each.sender === sender) && each.wants?.(sender) !== false,
    )
    // A program may have any number of senders that are objects of a moment.
    if (this.#bySender.size >= 1000) this.#bySender.clear()
    this.#bySender.set(sender, found)
    return found
  }

  /**
   * Calls the receivers, and returns what each has returned. Rejects with what a receiver throws;
   * the receivers after it are not called then.
   */
  send(sender: unknown, named: Arguments): Promise<Responses<Arguments>> {
    return this.#call(sender, named, error => {
      throw error
    })
  }

  /** As `send`, but calls all receivers. The response of one that throws is its error. */
  send_robust(sender: unknown, named: Arguments): Promise<Responses<Arguments>> {
    return this.#call(sender, named, error => error)
  }

  async #call(
    sender: unknown,
    named: Arguments,
    failed: (error: unknown) => unknown,
  ): Promise<Responses<Arguments>> {
    const results: Responses<Arguments> = []
    for (const { receiver } of this.#of(sender)) {
      const call = receiver()
      if (call === undefined) continue
      try {
        results.push([call, await call(this.#whole(sender, named))])
      } catch (error) {
        results.push([call, failed(error)])
      }
    }
    return results
  }

  /**
   * As `send`, but at once, and without the responses: returns a promise only if a receiver has
   * returned one. Throws what a receiver throws. `named` must be a new object: the sender and the
   * signal are added to it.
   */
  notify(sender: unknown, named: Arguments): void | Promise<void> {
    const slots = this.#of(sender)
    if (slots.length === 0) return
    if (typeof named !== 'object' || named === null)
      throw new InvalidArgumentError('notify: named', 'an object', named)
    // Not a copy: making one costs more than everything else here.
    const made = named as { sender?: unknown; signal?: unknown }
    made.sender = sender
    made.signal = this
    const whole = named as Named<Arguments>
    for (let index = 0; index < slots.length; index++) {
      const result = (slots[index] as Slot<Arguments>).receiver()?.(whole)
      if (isPromiseLike(result)) return notifyRest(result, slots, index + 1, whole)
    }
  }

  #whole(sender: unknown, named: Arguments): Named<Arguments> {
    return { ...named, sender, signal: this }
  }
}

async function notifyRest<Arguments>(
  first: PromiseLike<unknown>,
  slots: readonly Slot<Arguments>[],
  from: number,
  named: Named<Arguments>,
): Promise<void> {
  await first
  for (const { receiver } of slots.slice(from)) await receiver()?.(named)
}

function holding<Held>(receiver: Held): () => Held {
  return () => receiver
}

/** A function of its own: a closure in `connect` would keep the receiver alive. */
function weakly<Held extends object>(receiver: Held): () => Held | undefined {
  const kept = new WeakRef(receiver)
  return () => kept.deref()
}
