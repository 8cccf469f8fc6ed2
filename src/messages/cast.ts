/**
 * Layer 8. channel_cast: finds the channel of a class below prefixes.
 */

import type { MessageChannel } from './message-channel.ts'

/**
 * Returns the channel itself if it is an instance of the class, otherwise the first instance below
 * it. It looks below channels that have 'proxy' among their caps only. Returns undefined if there
 * is none.
 */
// Source: TLL `channel_cast`.
export function channel_cast<Kind extends MessageChannel>(
  channel: MessageChannel,
  ChannelClass: abstract new (...args: never[]) => Kind,
): Kind | undefined {
  for (
    let each: MessageChannel | undefined = channel;
    each !== undefined;
    each = each.caps.has('proxy') ? [...each.children][0] : undefined
  ) {
    if (each instanceof ChannelClass) return each
  }
  return undefined
}
