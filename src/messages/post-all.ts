/**
 * Layer 8. postAll: posts messages to several peers of a server. It is what `post` is for one.
 */

import type { Addr, Message } from './message.ts'
import type { MessageChannel } from './message-channel.ts'
import { MESSAGE_LIFE } from './message-life.ts'

/**
 * Each peer gets all messages, in this order. They are packed once. Returns the peers that did not
 * take all of them: their queues are full, or they have gone. If the channel is not active, those
 * are all peers. Throws what the protocol throws.
 */
export function postAll(
  channel: MessageChannel,
  messages: readonly Message[],
  addrs: Iterable<Addr>,
): Addr[] {
  if (channel.state !== 'active') return [...addrs]
  const { outlet } = channel[MESSAGE_LIFE]
  if (!outlet.isWatched) return channel.do_post_all(messages, addrs)
  const all = [...addrs]
  const refused = channel.do_post_all(messages, all)
  for (const addr of all) {
    const isTaken = !refused.includes(addr)
    for (const each of messages) outlet.posted(each, isTaken)
  }
  return refused
}
