// Layer 7.

/**
 * The line-oriented echo protocol: the smallest protocol there is, to start your own from. The
 * command `sluice-echo` serves it.
 *
 * @module sluice/echo
 */

import { Connection } from '../../channels/basic.ts'
import type { Encoding } from '../../types.ts'

/**
 * Sends each line back to the peer that sent it.
 *
 * A line ends with `read_delimiter` and is sent back with the same end. The default is '\r\n'; a
 * subclass or an assignment may change it. Bytes after the last line end are not a line and are not
 * sent back. A line longer than `buffer_size` closes the connection.
 *
 * @example
 * new Server(Echo).listen(4040)
 */
// Source: the first example of Pants; RFC 862.
export class Echo extends Connection<string> {
  override encoding: Encoding = 'utf8'
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    this.write(line + this.read_delimiter)
  }
}
