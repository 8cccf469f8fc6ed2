/**
 * Layer 9. Error messages that every consumer may send.
 */

import { error_message } from '../error-message.ts'
import { list } from '../schema/list.ts'
import { text } from '../schema/scalars.ts'
import { optional } from '../schema/schema.ts'
import { anything, shape } from '../schema/shape.ts'

const explained = shape({ msg: optional(text) })

/** The fields of `error.not_found`. */
const notFound = shape({ model: text, key: optional(text, 'pk'), value: anything })

/** `error.generic`: something failed. */
export class GenericError extends error_message('error.generic', explained) {}

/** `error.bad_request`: the message makes no sense at this moment. */
export class BadRequestError extends error_message('error.bad_request', explained) {}

/** `error.job`: a job that a message has caused failed. */
export class JobError extends error_message('error.job', explained) {}

/** `error.validation`: a message was invalid; `errors` says where. */
export class ValidationErrorMessage extends error_message(
  'error.validation',
  shape({ msg: optional(text), errors: list(anything) }),
) {}

/** `error.msg_type`: no message of that type is registered. */
export class MessageTypeError extends error_message(
  'error.msg_type',
  shape({ msg: optional(text), type_name: text, envelope: text }),
) {}

/** `error.not_found`: there is no such object. */
export class NotFoundError extends error_message('error.not_found', notFound) {}

/** `error.unauthorized`: the user may not do that with that object. */
export class UnauthorizedError extends error_message(
  'error.unauthorized',
  shape({ ...notFound.fields, permission: optional(text) }),
) {}

/** `error.subscribe`: the user may not subscribe to that channel. */
export class SubscribeError extends error_message(
  'error.subscribe',
  shape({ channel_name: text }),
) {}
