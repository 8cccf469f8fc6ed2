/**
 * Layer 8. The subjects of a NatsRelay. A topic is any text of a kilobyte; a token of a subject is
 * not. So a plain word stands as it is, to be read by people, and everything else as its digest.
 *
 *     PREFIX.live.<topic>                      what is published, and again what was appended
 *     PREFIX.history.<topic>                   what is appended
 *     PREFIX.members.<topic>.<member>.<relay>  who is present
 */

import { createHash } from 'node:crypto'
import { PLAIN } from '../relay-checks.ts'

/** The token for any text. A plain word has no `=`, with which a digest begins. */
export function tokenOf(text: string): string {
  if (PLAIN.test(text)) return text
  return `=${createHash('sha256').update(text).digest('base64url')}`
}
