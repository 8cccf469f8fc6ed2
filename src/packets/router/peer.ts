/**
 * Layer 9. Peer: a connection of a router, whichever way it came.
 */

/** One connection. Any number of parties may be at it. */
export interface Peer {
  /** Where it is, for logs. */
  readonly address: string
  /** Is it another router? */
  readonly isRouter?: boolean
  /** Sends a text of `from` for `to`. Returns false if that is impossible now. */
  send(text: string, from: string, to: string): boolean
  /** Closes the connection. */
  end(): void
}

/** What a router is told by its doors. */
export interface PeerOwner {
  /** A text has arrived. */
  heard(peer: Peer, text: string): void
  /** It has room again. */
  ready(peer: Peer): void
  gone(peer: Peer): void
  failed(error: Error): void
}
