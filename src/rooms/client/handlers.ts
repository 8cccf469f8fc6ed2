/**
 * Layer 9. Handlers: the functions of a program that a channel calls, by what they are called for.
 *
 * Rules:
 * 1. They are called in the order in which they were registered. One that is removed meanwhile is
 *    not called any more; one that is registered meanwhile is called the next time.
 * 2. What a handler throws, or its promise rejects with, goes to the handlers of 'error'. If there
 *    are none, it is logged. The other handlers are called nevertheless.
 * 3. What goes wrong in a handler of 'error' is only logged. If it were told, it would lead to the
 *    next error, and so on.
 */

import { noop } from '../../core/noop.ts'
import { onRejection } from '../../core/promises.ts'
import { ChannelError, InvalidArgumentError, show } from '../../errors.ts'
import { ROOM_NAME_MAX } from '../wire.ts'

export type Handler = (...args: any[]) => unknown

const KINDS = ['open', 'close', 'message', 'error', 'gap', 'presence', 'reconnecting'] as const
export type Kind = (typeof KINDS)[number]

export class Handlers {
  readonly #log: (error: unknown) => void
  readonly #kinds = new Map<Kind, Handler[]>(KINDS.map(kind => [kind, []]))
  readonly #rooms = new Map<string, Handler[]>()
  #isTelling = false

  constructor(log: (error: unknown) => void) {
    this.#log = log
  }

  // ---- registering ------------------------------------------------------------------------------

  add<Of extends Handler>(kind: Kind, handler: Of): Of {
    checkHandler(handler)
    this.#of(kind).push(handler)
    return handler
  }

  addRoom<Of extends Handler>(room: string, handler: Of): Of {
    checkRoom(room)
    checkHandler(handler)
    const list = this.#rooms.get(room)
    if (list === undefined) this.#rooms.set(room, [handler])
    else list.push(handler)
    return handler
  }

  /** Of each kind the first occurrence. Returns whether there was one. */
  remove(handler: Handler): boolean {
    checkHandler(handler)
    let isFound = false
    for (const list of this.#kinds.values()) isFound = take(list, handler) || isFound
    return isFound
  }

  removeRoom(room: string, handler: Handler): boolean {
    checkRoom(room)
    checkHandler(handler)
    const list = this.#rooms.get(room) ?? []
    const isFound = take(list, handler)
    if (list.length === 0) this.#rooms.delete(room)
    return isFound
  }

  clear(): void {
    for (const list of this.#kinds.values()) list.length = 0
    this.clearRooms()
  }

  clearRooms(room?: string): void {
    // Emptied, too: a message may be on its way through the list.
    for (const [name, list] of this.#rooms) {
      if (room !== undefined && name !== room) continue
      list.length = 0
      this.#rooms.delete(name)
    }
  }

  // ---- calling ----------------------------------------------------------------------------------

  call(kind: Kind, ...args: unknown[]): void {
    this.#call(this.#of(kind), args, kind === 'error' ? this.#log : this.#failed)
  }

  callRoom(room: string, message: unknown): void {
    const list = this.#rooms.get(room)
    if (list !== undefined) this.#call(list, [message], this.#failed)
  }

  /**
   * Tells the handlers of 'error'. If there are none, the error is logged, unless the program is
   * told in another way.
   */
  report(thrown: unknown, isToldAlready = false): void {
    const error =
      thrown instanceof Error
        ? thrown
        : new ChannelError('ERR_HOOK', `thrown: ${show(thrown)}`, thrown)
    if (this.#isTelling || this.#of('error').length === 0) {
      if (!isToldAlready) this.#log(error)
      return
    }
    this.#isTelling = true
    try {
      this.call('error', error)
    } finally {
      this.#isTelling = false
    }
  }

  /** The promise of a call. If the program has handlers of 'error', it need not await it. */
  told<Value>(promise: Promise<Value>): Promise<Value> {
    if (this.#of('error').length > 0) promise.catch(noop)
    return promise
  }

  #call(
    list: readonly Handler[],
    args: readonly unknown[],
    failed: (error: unknown) => void,
  ): void {
    for (const handler of [...list]) {
      if (!list.includes(handler)) continue
      try {
        onRejection(handler(...args), failed)
      } catch (error) {
        failed(error)
      }
    }
  }

  readonly #failed = (error: unknown): void => this.report(error)

  #of(kind: Kind): Handler[] {
    return this.#kinds.get(kind) as Handler[]
  }
}

function take(list: Handler[], handler: Handler): boolean {
  const at = list.indexOf(handler)
  if (at >= 0) list.splice(at, 1)
  return at >= 0
}

/** Throws unless it is a function. */
export function checkHandler(handler: unknown): void {
  if (typeof handler !== 'function')
    throw new InvalidArgumentError('handler', 'a function', handler)
}

/** Throws unless it is the name of a room. */
export function checkRoom(room: unknown): void {
  if (typeof room !== 'string' || room === '' || room.length > ROOM_NAME_MAX)
    throw new InvalidArgumentError('room', `text of 1 to ${ROOM_NAME_MAX} characters`, room)
}
