// Layer 9.

/**
 * Rooms: channels to a room server, and the server.
 *
 * @module sluice/rooms
 */

export type { RoomChannelOptions } from './client/channel-options.ts'
export { Channel, type RoomNodeOptions } from './client/node-channel.ts'
export { ChannelState } from './client/channel-state.ts'
export {
  ChannelConnectionError,
  ChannelMessageError,
  type MessageErrorDetails,
} from './client/errors.ts'
export type { JoinOptions, ReconnectingEvent, RoomCloseEvent } from './client/room-channel.ts'
export { RoomChannel } from './client/room-channel.ts'
export type { Signal } from './client/signal.ts'
export { Member } from './server/member.ts'
export { type EmitOptions, RoomServer, type RoomServerOptions } from './server/room-server.ts'
export type { HistoryOptions, RoomServerSettings } from './server/room-server-settings.ts'
export { ChannelError } from '../errors.ts'
