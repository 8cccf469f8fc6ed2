/**
 * Layer 9. ChannelStats: how a channel is doing.
 */

/** How a channel of a run, or of an agent, is doing. */
export interface ChannelStats {
  /** The id of the channel. */
  readonly channel_id: string
  /** Is it connected? */
  readonly is_alive: boolean
  /** Packets that wait, or are not confirmed yet. */
  readonly queued: number
  /** Packets that were handed to the channel. One that is sent again counts again. */
  readonly sent: number
  /** Packets that have arrived. */
  readonly received: number
  /** Packets that were dropped: they came faster than their handlers took them. */
  readonly lost: number
  /** How often the channel did not take a packet, which then waited. */
  readonly retries: number
  /** How often the channel has become alive. */
  readonly opened: number
  /**
   * Does the router pass on confirmations?
   * - 'asking': it has not said so yet
   * - 'plain': no
   * - 'confirming': yes
   */
  readonly mode: 'asking' | 'plain' | 'confirming'
}
