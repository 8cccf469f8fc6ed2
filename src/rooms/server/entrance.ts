/**
 * Layer 9. Entrance: a way in for members. There is one for each channel and each WebSocketServer
 * that a room server listens with; see channel-entrance.ts and websocket-entrance.ts.
 *
 * A link is what an entrance knows a member by: the `addr` of a message channel, or a connection.
 */

/** What an entrance knows a member by. */
export type Link = unknown

/** A way in, and the way out to the members that came by it. */
export interface Entrance {
  /**
   * Sends texts, one message each and packed once, to each of the links. Returns the links that did
   * not take all of them because their queues are full.
   */
  post(texts: readonly string[], links: Iterable<Link>): Link[]
  /** Says goodbye, and ends the connection when that has gone. */
  part(link: Link, code: number, reason: string): void
  /** Lets no member in any more. `force`: what is not sent yet is dropped. */
  shut(force: boolean): void
}
