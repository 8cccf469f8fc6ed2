/**
 * Layer 8. Looking through prefixes.
 */

import type { MessageChannel } from './message-channel.ts'

/**
 * The channel itself if it is of that class, else the first one below it that is, through channels
 * with 'proxy' among their caps; undefined where there is none. Source: TLL `channel_cast`.
 */
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
