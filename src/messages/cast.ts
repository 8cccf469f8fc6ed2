/**
 * Layer 8. channel_cast: finds the channel of a class below prefixes.
 */

import { InvalidArgumentError } from '../errors.ts'
import { MessageChannel } from './message-channel.ts'

/**
 * Returns the channel itself if it is an instance of the class, otherwise the first instance below
 * it. It looks below channels that have 'proxy' among their caps only. Returns undefined if there
 * is none. Throws InvalidArgumentError if it is no channel, or no class.
 */
// Source: TLL `channel_cast`.
export function channel_cast<Kind extends MessageChannel>(
  channel: MessageChannel,
  ChannelClass: abstract new (...args: never[]) => Kind,
): Kind | undefined {
  if (!(channel instanceof MessageChannel))
    throw new InvalidArgumentError('channel_cast: channel', 'a message channel', channel)
  if (typeof ChannelClass?.prototype !== 'object')
    throw new InvalidArgumentError('channel_cast: ChannelClass', 'a class', ChannelClass)
  for (
    let each: MessageChannel | undefined = channel;
    each !== undefined;
    each = each.caps.has('proxy') ? [...each.children][0] : undefined
  ) {
    if (each instanceof ChannelClass) return each
  }
  return undefined
}
