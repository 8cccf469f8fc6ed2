/**
 * Layer 1. textBytes: the bytes of a text in an encoding, for what is written.
 *
 * Hex and base64 show bytes as text, so not every text is one of them. Node decodes such a text up
 * to the first wrong character, or leaves wrong characters out: `'0a\n'` in hex loses its line end.
 * Here it is refused.
 */

import { Buffer } from 'node:buffer'
import { InvalidArgumentError } from '../../errors.ts'
import type { Encoding } from '../../types.ts'

const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/

/** What a text must be in the encodings that do not take every text. */
const VALID: Readonly<Partial<Record<Encoding, RegExp>>> = {
  hex: /^(?:[\da-f]{2})*$/i,
  base64: BASE64,
  base64url: BASE64,
}

/** `what`: what the text is given as. Throws InvalidArgumentError if it is not of that encoding. */
export function textBytes(what: string, text: string, encoding: Encoding): Buffer {
  const valid = VALID[encoding]
  if (valid !== undefined && !valid.test(text))
    throw new InvalidArgumentError(
      what,
      `text in ${encoding} (the channel's encoding) or bytes`,
      text,
    )
  return Buffer.from(text, encoding)
}
