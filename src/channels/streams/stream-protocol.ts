/**
 * Layer 4. StreamProtocol: what a protocol does before the first message and after the last one,
 * if it shakes hands itself, as WebSocket does. The link of a stream has at most one.
 *
 * The calls, in the order of a life: begin → (link.opened again) → emptied … → farewell →
 * (link.parted) → over.
 */

export interface StreamProtocol {
  /**
   * The stream is connected, and TLS is up, but it is not open yet. Returns true if it may open.
   * Otherwise the protocol takes over what the transport reports, and gives it back with
   * `link.opened()`.
   */
  begin(): boolean
  /** Everything that was written has gone. */
  emptied(): void
  /**
   * The stream closes politely. The protocol may write its goodbye. Returns true if the peer has to
   * answer: then reading goes on until `link.parted()` is called, or the peer ends.
   */
  farewell(): boolean
  /** Can nothing but a goodbye be lost? Then how the peer goes away is its own affair. */
  readonly hasParted: boolean
  /** The connection is over. It may be called more than once. */
  over(): void
}
