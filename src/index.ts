/**
 * Layer 11. The public names of sluice, and nothing else.
 *
 * @module sluice
 */

export { Channel, type ChannelOptions } from './channels/channel.ts'
export { Client, Connection, type ConnectionOptions, Server } from './channels/basic.ts'
export { Datagram, type DatagramOptions } from './channels/datagram.ts'
export type { DatagramError, PacketDropReason } from './channels/datagram-error.ts'
export type { DatagramArguments } from './channels/datagram-hooks.ts'
export { Stream } from './channels/stream.ts'
export type { StreamConnectOptions, StreamOptions } from './channels/stream-options.ts'
export type { BlockList } from './channels/door.ts'
export type { ServerListenOptions, StreamServerOptions } from './channels/server-options.ts'
export type { ConnectionClass } from './channels/server-settings.ts'
export { StreamServer } from './channels/stream-server.ts'
export {
  type Cut,
  type Delimiter,
  type ReadArguments,
  type ReadDelimiter,
} from './core/delimiters.ts'
export { length_prefix, type LengthPrefix, type LengthPrefixOptions } from './core/length-prefix.ts'
export { NetStruct } from './core/net-struct.ts'
export type { Packed, Packer } from './core/packer.ts'
export type { EngineStats, EventDetails } from './core/tally.ts'
export { Struct, type StructFields, type StructValues } from './core/struct.ts'
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
  StructError,
  TimeoutError,
  TlsError,
  TlsHandshakeError,
  UnsupportedOptionError,
  WriteError,
} from './errors.ts'
export { FastNetwork } from './io/fast/network.ts'
export type * from './transport.ts'
export type * from './types.ts'
