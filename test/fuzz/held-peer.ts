/**
 * For the random servers of the clients of Redis and NATS: a connection whose answers can be held
 * back, and that can be cut.
 */

import { Connection } from '../../src/channels/basic.ts'
import type { StreamServer } from '../../src/channels/servers/stream-server.ts'
import type { ReadDelimiter } from '../../src/core/delimiters.ts'

/** A connection, as the server sees it. */
export class HeldPeer<By extends ReadDelimiter, Home extends StreamServer<any>> extends Connection<
  By,
  Home
> {
  /** What it says later. */
  held: string[] | undefined
  /** Is something of what was said to it lost? */
  isCut = false

  say(text: string): void {
    if (this.held !== undefined) this.held.push(text)
    else if (!this.isCut) this.write(text)
  }

  release(): void {
    const { held = [] } = this
    this.held = undefined
    for (const text of held) if (!this.isCut) this.write(text)
  }

  cut(): void {
    this.isCut = true
    this.end()
  }

  override on_error(): void {
    this.close()
  }

  override on_close(): void {
    this.isCut = true
  }
}
