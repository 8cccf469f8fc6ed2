/**
 * Layer 8. What cannot stand below `pub+` and `stream+`. Such a URL is refused at once: a message
 * would be lost later, and a subscriber dropped for what it did not do.
 */

import { channel_cast } from '../cast.ts'
import type { MessageChannel } from '../message-channel.ts'
import type { Prefix } from './prefix.ts'
import { Rate } from './rate.ts'

/** Packets do not say when a peer comes or goes: a list of peers would grow for ever. */
export function hasConnections({ params }: MessageChannel): boolean {
  return !/(^|\+)udp$/.test(params.url.protocol)
}

/** Throws UrlError for a limit below a server. It would refuse a message for some of its peers. */
export function checkUnlimited({ child, params }: Prefix): void {
  const { url } = params
  if (channel_cast(child, Rate) !== undefined)
    throw url.protocol_fault(`rate+ must come first: rate+${url.protocol.replace(/\brate\+/g, '')}`)
}
