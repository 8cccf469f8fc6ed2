// Layer 8.

/**
 * What more than one process shares: messages by topic, their history, and who is present.
 *
 * @module sluice/relay
 */

export { MemoryRelay } from './memory-relay.ts'
export { NatsRelay, type NatsRelayOptions } from './nats/nats-relay.ts'
export { open_relay } from './open-relay.ts'
export { RedisRelay, type RedisRelayOptions } from './redis/redis-relay.ts'
export {
  type PresenceListener,
  type Relay,
  type RelayEntry,
  RelayError,
  type RelayHistory,
  type RelayListener,
  type RelayOptions,
  type SubscribeOptions,
} from './relay.ts'
