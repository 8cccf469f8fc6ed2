/**
 * Layer 9. Batches: several messages of one type in one message.
 *
 * | type | payload |
 * |---|---|
 * | `s.batch` | `t`, and the payload of each message |
 * | `s.batch2` | `t`, the names of the fields, the values of each message, what is common to all |
 *
 * A batch has the trace id and the state of its first message.
 */

import { checkText, instanceOf, listOf } from '../../core/checks.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { EnvelopeData } from '../envelope-schema.ts'
import { Message } from '../message.ts'
import { message } from '../runnable.ts'
import { list } from '../schema/list.ts'
import { text } from '../schema/scalars.ts'
import { optional } from '../schema/schema.ts'
import { anything, shape } from '../schema/shape.ts'

const checkMessage = instanceOf(Message)
const checkNames = listOf(checkText, 'names')

type Payload = EnvelopeData['p']

/** Throws InvalidArgumentError unless the message may be part of the batch. */
function checkPart(
  batch: Message & { readonly data: { readonly t: string } },
  part: Message,
): void {
  checkMessage('append: message', part)
  const { t } = batch.data
  if (part.type_name !== t)
    throw new InvalidArgumentError('append: message', `of the type ${t}`, part.type_name)
}

/** `s.batch`: the payloads of messages of one type. */
export class Batch extends message('s.batch', shape({ t: text, payloads: list(anything) })) {
  static override readonly allow_batch: boolean = false

  /** A batch of one message. Throws InvalidArgumentError. */
  static start(first: Message): Batch {
    checkMessage('start: first', first)
    const { type_name: t, mm } = first
    return new this({ data: { t, payloads: [first.data] }, mm })
  }

  /** Adds a message. Throws InvalidArgumentError if it is of another type. */
  append(message: Message): void {
    checkPart(this, message)
    this.data.payloads.push(message.data)
  }

  /** The payloads, as if each had come by itself. */
  get parts(): unknown[] {
    return this.data.payloads
  }
}

const table = shape({
  t: text,
  common: optional(anything),
  keys: list(text),
  values: list(list(anything)),
})

/** `s.batch2`: the same as a table, which is shorter if there are many messages. */
export class Batch2 extends message('s.batch2', table) {
  static override readonly allow_batch: boolean = false

  /**
   * A batch of one message. The fields `common` have the same values in all its messages. Throws
   * InvalidArgumentError.
   */
  static start(first: Message, common: readonly string[] = []): Batch2 {
    checkMessage('start: first', first)
    checkNames('start: common', common)
    const { type_name: t, mm } = first
    const data = (first.data ?? {}) as Record<string, unknown>
    const keys = Object.keys(data).filter(key => !common.includes(key))
    const shared =
      common.length === 0 ? null : Object.fromEntries(common.map(key => [key, data[key] ?? null]))
    const values = [keys.map(key => data[key])]
    return new this({ data: { t, common: shared, keys, values }, mm })
  }

  /**
   * Adds a message. Throws InvalidArgumentError if it is of another type, if it has a field that
   * the first one does not have, or if a common field has another value.
   */
  append(message: Message): void {
    checkPart(this, message)
    const data = (message.data ?? {}) as Record<string, unknown>
    const { keys, common, values } = this.data
    const shared = (common ?? {}) as Record<string, unknown>
    const extra = Object.keys(data).find(key => !keys.includes(key) && data[key] !== shared[key])
    if (extra !== undefined)
      throw new InvalidArgumentError('append: message', 'with the fields of the first one', extra)
    values.push(keys.map(key => data[key] ?? null))
  }

  /** The payloads, as if each had come by itself. */
  get parts(): Payload[] {
    const { common, keys, values } = this.data
    const shared = typeof common === 'object' ? common : null
    return values.map(row => ({
      ...shared,
      ...Object.fromEntries(keys.map((key, index) => [key, row[index] ?? null])),
    }))
  }
}
