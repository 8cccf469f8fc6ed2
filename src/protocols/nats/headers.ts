/**
 * Layer 7. Headers of messages: `NATS/1.0`, perhaps a status, and fields as of HTTP.
 *
 * Rules:
 * 1. What we send is checked: a line end in a value would begin another field.
 * 2. What comes is read leniently: a line that is no field is passed over. It is the message of
 *    some other program, and no reason to close a connection that carries a thousand others.
 */

import { Buffer } from 'node:buffer'
import { checkRecord } from '../../core/checks.ts'
import { InvalidArgumentError } from '../../errors.ts'

/** The header of a message that is sent: a value or several values for each name. */
export type NatsHeaders = Readonly<Record<string, string | readonly string[]>>

/** The header of a message that has come. */
export interface Header {
  /** A number as of HTTP; 0 if there is none. */
  readonly status: number
  /** The text after the status. */
  readonly description: string
  /** The values of each name. */
  readonly fields: ReadonlyMap<string, readonly string[]>
}

export const NO_HEADER: Header = { status: 0, description: '', fields: new Map() }

const VERSION = 'NATS/1.0'

/** A name has visible characters of ASCII, and no colon. */
const NAME = /^[!-9;-~]+$/

/** The bytes of a header, with the empty line at its end. Throws InvalidArgumentError. */
export function packHeader(headers: NatsHeaders): Buffer {
  checkRecord('headers', headers)
  let text = `${VERSION}\r\n`
  for (const [name, values] of Object.entries(headers)) {
    if (!NAME.test(name))
      throw new InvalidArgumentError('headers: a name', 'visible ASCII without a colon', name)
    for (const value of typeof values === 'string' ? [values] : checkValues(name, values))
      text += `${name}: ${checkValue(name, value)}\r\n`
  }
  return Buffer.from(`${text}\r\n`)
}

function checkValues(name: string, values: unknown): readonly unknown[] {
  if (Array.isArray(values)) return values
  throw new InvalidArgumentError(`headers: ${name}`, 'a string or an array of strings', values)
}

function checkValue(name: string, value: unknown): string {
  if (typeof value === 'string' && !/[\r\n]/.test(value)) return value
  throw new InvalidArgumentError(`headers: ${name}`, 'a string without line ends', value)
}

/** Reads a header. */
export function readHeader(text: string): Header {
  const [first = '', ...lines] = text.split('\r\n')
  if (!first.startsWith(VERSION)) return NO_HEADER
  const [, status = '0', description = ''] = /^ +(\d{3})(?: +(.*))?$/.exec(first.slice(8)) ?? []
  const fields = new Map<string, string[]>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    const values = fields.get(name)
    if (values === undefined) fields.set(name, [value])
    else values.push(value)
  }
  return { status: Number(status), description, fields }
}
