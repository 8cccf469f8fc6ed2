// Layer 11.

/**
 * Channels, servers, delimiters and the engine.
 *
 * @module sluice
 */

export { Channel, type ChannelOptions } from './channels/channel.ts'
export { Client, Connection, type ConnectionOptions, Server } from './channels/basic.ts'
export { Datagram, type DatagramOptions } from './channels/datagrams/datagram.ts'
export type { DatagramError, PacketDropReason } from './channels/datagrams/datagram-error.ts'
export type { GroupOptions } from './channels/datagrams/groups.ts'
export type { DatagramArguments } from './channels/datagrams/datagram-hooks.ts'
export { Requests, type RequestsOptions, type SendOptions } from './channels/requests.ts'
export { Stream } from './channels/streams/stream.ts'
export type { BecomeOptions } from './channels/streams/becoming.ts'
export type { Read, ReadOptions } from './channels/streams/awaitable-stream.ts'
export type { KeepAlive } from './channels/streams/stream-settings.ts'
export type { StreamConnectOptions, StreamOptions } from './channels/streams/stream-options.ts'
export type { BroadcastOptions } from './channels/servers/broadcast.ts'
export type { BlockList } from './channels/servers/door.ts'
export type { ServerListenOptions, StreamServerOptions } from './channels/servers/server-options.ts'
export type { ConnectionClass } from './channels/servers/server-settings.ts'
export { StreamServer } from './channels/servers/stream-server.ts'
export type { Cut, Delimiter, ReadArguments, ReadDelimiter } from './core/delimiters.ts'
export { dot_block, type DotBlock } from './core/dot-block.ts'
export { length_prefix, type LengthPrefix } from './core/length/length-prefix.ts'
export type { LengthPrefixOptions } from './core/length/length-prefix-options.ts'
export { NetStruct } from './core/struct/net-struct.ts'
export type { Packed, Packer } from './core/writing/packer.ts'
export type { EngineStats, EventDetails } from './core/tally.ts'
export { Struct, type StructFields, type StructValues } from './core/struct/struct.ts'
export { Engine } from './engine.ts'
export type { EngineOptions, Log } from './engine-options.ts'
export {
  ChannelError,
  ClosedError,
  ConnectError,
  HookError,
  InvalidAddressError,
  InvalidArgumentError,
  InvalidDelimiterError,
  InvalidStateError,
  ListenError,
  OverflowError,
  ProxyHeaderError,
  ReadError,
  type ReportedError,
  RequestError,
  StructError,
  TimeoutError,
  TlsError,
  TlsHandshakeError,
  UnsupportedOptionError,
  WriteError,
} from './errors.ts'
export { BunNetwork, FastNetwork } from './io/networks.ts'
export type * from './transport.ts'
export type * from './types.ts'
export type { Buffer } from 'node:buffer'
