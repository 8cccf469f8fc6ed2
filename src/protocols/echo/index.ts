/**
 * Layer 7. The line-oriented echo server: a protocol in its smallest form, to begin one's own from.
 *
 * The command `sluice-echo` is in main.ts (the process), command.ts (what it does) and options.ts
 * (what it is told).
 */

import { Connection } from '../../channels/basic.ts'
import type { Encoding } from '../../types.ts'

/**
 * Sends every line back to who sent it: `new Server(Echo).listen(4040)`.
 *
 * Lines end with `read_delimiter`, '\r\n' unless a subclass or an assignment says otherwise, and go
 * back with the same end. What follows the last line end is not a line: nothing comes back. A line
 * of more than `buffer_size` closes the connection.
 *
 * Origin: Pants, its first example; RFC 862.
 */
export class Echo extends Connection<string> {
  override encoding: Encoding | null = 'utf8'
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    this.write(line + this.read_delimiter)
  }
}
