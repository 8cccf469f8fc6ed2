// Layer 7.

/**
 * NATS: a client, and JetStream.
 *
 * @module sluice/nats
 */

export { NatsClient, type NatsClientOptions, type NatsRequestOptions } from './client.ts'
export { NatsError, type NatsErrorCode, type NatsErrorDetails } from './errors.ts'
export type { NatsHeaders } from './headers.ts'
export type {
  NatsConsumerConfig,
  NatsConsumerInfo,
  NatsStreamConfig,
  NatsStreamInfo,
} from './jetstream/config.ts'
export { NatsConsumer, type NatsFetchOptions } from './jetstream/consumer.ts'
export {
  NatsJetStream,
  type NatsJetStreamOptions,
  type NatsPurgeOptions,
  type NatsRecord,
  type NatsStored,
  type NatsStoreOptions,
  type NatsWhich,
} from './jetstream/jetstream.ts'
export { NatsStoredMessage } from './jetstream/stored-message.ts'
export { NatsMessage, type NatsPublishOptions } from './message.ts'
export type { NatsSettings } from './nats-settings.ts'
export type { NatsServerInfo } from './parser.ts'
export type { NatsServers } from './servers.ts'
export type { NatsHandler } from './delivery.ts'
export { NatsSubscription, type NatsSubscribeOptions } from './subscription.ts'
