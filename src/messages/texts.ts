/**
 * Layer 8. Texts: how a text passes between a WebSocket and whoever reads texts (the consumers of
 * sluice/envelope), and is not made bytes and a Message on the way. That costs more than the rest
 * of the way.
 *
 * Rules:
 * 1. It is done only where nobody can tell: nothing is counted or logged, there is no on_message,
 *    and nobody else has a callback for data. Otherwise the text is a message as every other one.
 * 2. It may be asked for each text anew: callbacks come and go.
 */

import type { Addr } from './message.ts'
import { MessageChannel } from './message-channel.ts'
import { MESSAGE_LIFE } from './message-life.ts'

/** The method of a channel that sends texts as they are; undefined: it must be a message. */
export const POST_TEXT: unique symbol = Symbol('sluice.post_text')

interface TextChannel {
  [POST_TEXT]?(text: string, addr: Addr | undefined): boolean | undefined
}

/** Sends a text. Returns and throws as `post`. */
export function postText(channel: MessageChannel, text: string, addr?: Addr): boolean {
  const isPlain = channel.state === 'active' && !channel[MESSAGE_LIFE].outlet.isWatched
  const isTaken = isPlain ? (channel as TextChannel)[POST_TEXT]?.(text, addr) : undefined
  return isTaken ?? channel.post({ data: text, addr })
}

/** Delivers a text. Returns false if it must be a message; otherwise as `emit`. */
export function emitText(
  channel: MessageChannel,
  text: string,
  addr: Addr | undefined,
): Promise<void> | undefined | false {
  if (channel.on_message !== MessageChannel.prototype.on_message) return false
  return channel[MESSAGE_LIFE].outlet.emitText(text, addr)
}
