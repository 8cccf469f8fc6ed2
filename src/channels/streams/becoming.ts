/**
 * Layer 5. What `become` of a stream does.
 */

import { checkDelimiter, type ReadDelimiter } from '../../core/delimiters.ts'
import { checkOptions } from '../../core/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { Encoding, State } from '../../types.ts'
import { LIFE, type Life } from '../life.ts'
import { linkOf } from './link-of.ts'
import { notConnected, protocolOnly } from './stream-misuse.ts'
import { checkEncoding } from './stream-settings.ts'

/** The options of `become`. */
export interface BecomeOptions {
  /**
   * Text or bytes, from the next read on; as the setting `encoding`.
   *
   * @default as it is
   */
  readonly encoding?: Encoding | null | undefined
}

/** The stream, as far as it is changed. */
export interface Becoming {
  readonly [LIFE]: Life
  readonly state: State
  read_delimiter: ReadDelimiter
  encoding: Encoding | null
}

/** First everything is checked: if one argument is invalid, nothing has changed. */
export function become(
  stream: Becoming,
  delimiter: ReadDelimiter,
  hook: ((...data: any[]) => unknown) | undefined,
  options: BecomeOptions,
): void {
  checkDelimiter(delimiter)
  if (hook !== undefined && typeof hook !== 'function')
    throw new InvalidArgumentError('become: hook', 'a function, or left out for on_read', hook)
  checkOptions('become', options, ['encoding'])
  const { encoding = stream.encoding } = options
  checkEncoding('become: encoding', encoding)
  const link = linkOf(stream)
  if (link.protocol !== undefined) throw protocolOnly('become()')
  if (stream.state === 'closed') {
    if (link.wasAttached) return
    throw notConnected('become()')
  }
  stream.encoding = encoding
  stream.read_delimiter = delimiter
  link.reading.succeed(hook && { on_read: (...data) => hook.apply(stream, data) })
}
