// Layer 8.

/**
 * Message channels: messages by URL, whatever carries them.
 *
 * @module sluice/messages
 */

export { UrlError } from '../errors.ts'
export type { Cap, Carries, Dcap } from './caps.ts'
export { channel_cast } from './cast.ts'
export { Context, type ContextOptions } from './context.ts'
export { type Dump, formatMessage as format_message } from './tools/dump.ts'
export type { RecvOptions } from './inbox.ts'
export type { ChannelContext, Implementation, Init, InitOptions } from './init.ts'
export type { Callback, Callback as Listener, Mask } from './callbacks.ts'
export {
  type Addr,
  ChannelEvent,
  Control,
  Message,
  type MessageFields,
  type MessageType,
  STATES,
} from './message.ts'
export { MessageChannel } from './message-channel.ts'
export { Mock, type MockOptions } from './tools/mock.ts'
export { Params } from './params.ts'
export { Prefix } from './prefixes/prefix.ts'
export { type Counts, Stat } from './tools/stat.ts'
export { TimerMessage } from './carriers/timer.ts'
export { type Entries, type Entry, type Parameters, Url } from './url.ts'
