// Layer 9.

/**
 * Packets: messages between a long task and the people who work on it, through servers that may
 * fail.
 *
 * @module sluice/packets
 */

export { PacketChannelError, PacketError } from './errors.ts'
export type {
  AgentDetails,
  AgentRecord,
  Architect,
  Job,
  PacketHandlers,
  PacketTypes,
  Run,
  RunEnd,
} from './supervisor/job.ts'
export {
  check_packet_channel,
  type ConformanceCheck,
  ConformanceError,
  type ConformanceReport,
} from './channel/conformance.ts'
export type { ConformanceFixture } from './channel/conformance-probe.ts'
export type { ChannelStats } from './lines/channel-stats.ts'
export { MockArchitect, type MockArchitectOptions } from './mocks/mock-architect.ts'
export { MockServer, type MockServerOptions } from './mocks/mock-server.ts'
export type { LossOptions } from './channel/loss-rules.ts'
export {
  Packet,
  type PacketData,
  type PacketDict,
  type PacketFields,
  type PacketFields2020,
  type PacketFieldsToday,
  type PacketPlace,
  type PacketTimestamps,
} from './packet.ts'
export { PacketAgent, type PacketAgentOptions } from './packet-agent.ts'
export {
  type OnCatastrophicDisconnect,
  type OnChannelOpen,
  type OnMessage,
  PacketChannel,
} from './channel/packet-channel.ts'
export { PACKET_TYPES, ROUTER_ID, SUPERVISOR_ID } from './packet-types.ts'
export {
  PacketRouter,
  type PacketRouterOptions,
  type RouterMember,
  type RouterStats,
} from './router/router.ts'
export type { RouterDropReason } from './router/switchboard.ts'
export { Supervisor, type SupervisorOptions } from './supervisor/supervisor.ts'
export { WebsocketChannel } from './channel/websocket-channel.ts'
export type { WebsocketChannelOptions } from './channel/websocket-options.ts'
