// Layer 7.

/**
 * WebSocket (RFC 6455), both ends.
 *
 * @module sluice/websocket
 */

export {
  WebSocketClient,
  type WebSocketClientOptions,
  type WebSocketConnectOptions,
} from './client.ts'
export { WebSocketConnection, type WebSocketConnectionOptions } from './connection.ts'
export type { DeflateOptions } from './deflate/deflate-options.ts'
export { HandshakeError, ProtocolError } from './errors.ts'
export type { Origins } from './origins.ts'
export {
  type AttachOptions,
  WebSocketServer,
  type WebSocketServerOptions,
  type WebSocketServerSettings,
} from './server.ts'
export { type AcceptOptions, UpgradeRequest } from './upgrade-request.ts'
export type { SendOptions, WebSocketChannel } from './websocket.ts'
export type { WebSocketServerSideSettings, WebSocketSettings } from './websocket-settings.ts'
