/**
 * Layer 11. The public names of sluice, and nothing else.
 */

export { Channel, type ChannelOptions } from './channels/channel.ts'
export { Client, Connection, type ConnectionOptions, Server } from './channels/basic.ts'
export {
  Datagram,
  type DatagramArguments,
  type DatagramError,
  type DatagramOptions,
  type PacketDropReason,
} from './channels/datagram.ts'
export {
  type Packed,
  type Packer,
  Stream,
  type StreamConnectOptions,
  type StreamOptions,
} from './channels/stream.ts'
export type { BlockList } from './channels/door.ts'
export {
  type ConnectionClass,
  type ServerListenOptions,
  StreamServer,
  type StreamServerOptions,
} from './channels/stream-server.ts'
export {
  type Cut,
  type Delimiter,
  type ReadArguments,
  type ReadDelimiter,
} from './core/delimiters.ts'
export { length_prefix, type LengthPrefix, type LengthPrefixOptions } from './core/length-prefix.ts'
export { NetStruct } from './core/net-struct.ts'
export type { EngineStats, EventDetails } from './core/tally.ts'
export { Struct, type StructFields, type StructValues } from './core/struct.ts'
export { Engine, type EngineOptions, type Log } from './engine.ts'
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
export { FastNetwork } from './io/fast.ts'
export type * from './transport.ts'
export type * from './types.ts'
