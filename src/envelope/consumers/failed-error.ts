/**
 * Layer 9. FailedError: the answer to a request is not the one that the program has asked for.
 */

import { ChannelError } from '../../errors.ts'
import type { Message } from '../message.ts'

/**
 * A request failed: its answer says so, or is of another type than was expected. Its promise
 * rejects with it. (If the answer is an error message, the promise rejects with that.) Code
 * ERR_FAILED.
 */
export class FailedError extends ChannelError {
  /** The answer. */
  readonly answer: Message

  /** `what`: the message. */
  constructor(what: string, answer: Message) {
    super('ERR_FAILED', what)
    this.answer = answer
  }
}
