// Layer 9.

/**
 * Envelopes: what the messages on a channel mean and do, typed from the wire to the handler.
 *
 * @module sluice/envelope
 */

export { Batch, Batch2 } from './builtin/batch.ts'
export {
  BadRequestError,
  GenericError,
  JobError,
  MessageTypeError,
  NotFoundError,
  SubscribeError,
  UnauthorizedError,
  ValidationErrorMessage,
} from './builtin/common-errors.ts'
export {
  ClientInfo,
  Close,
  Closing,
  Ping,
  Pong,
  Progress,
  SendClientInfo,
  Stat,
} from './builtin/common-messages.ts'
export { check_envelopes } from './envelope-check.ts'
export {
  connection_active,
  connection_closed,
  connection_created,
  type ConnectionArguments,
  track_connections,
} from './connections/connection-jobs.ts'
export type { RequestOptions } from './consumers/pending-requests.ts'
export { Consumer, consumer, type ConsumerClass } from './consumers/consumer.ts'
export { ConsumerServer } from './consumers/consumer-server.ts'
export { FailedError } from './consumers/failed-error.ts'
export { type Handshake, language_of } from './consumers/handshake.ts'
export type { Sending, SendingIn, SendOptions } from './consumers/sending-types.ts'
export {
  type Act,
  context_action,
  ContextAction,
  type ContextActionOptions,
} from './context/context-action.ts'
export { Model, type ModelOptions, type Wish } from './context/model.ts'
export {
  type ClassIn,
  Envelope,
  type EnvelopeOptions,
  type MessageOf,
  type NameOf,
  type Origin,
} from './envelope.ts'
export {
  envelope_schema,
  type EnvelopeData,
  EnvelopeSchema,
  type EnvelopeSchemaOptions,
  error_schema,
  full_schema,
  incoming_schema,
  outgoing_schema,
} from './envelope-schema.ts'
export {
  add_envelopes,
  add_message,
  errors,
  get_envelope,
  get_error_type,
  get_message_registry,
  internal,
  ws_incoming,
  ws_outgoing,
} from './envelope-table.ts'
export { DeferredJob, type JobRun, type Queued } from './jobs/deferred-job.ts'
export {
  add_queues,
  get_queue,
  type JobData,
  type JobQueue,
  remove_queues,
} from './jobs/job-queue.ts'
export { JobPool, MemoryQueue, type MemoryQueueOptions } from './jobs/memory-queue.ts'
export type { JobRunner } from './jobs/job-runner.ts'
export { RedisQueue, type RedisQueueOptions } from './jobs/redis/redis-queue.ts'
export { RedisWorker, type RedisWorkerOptions } from './jobs/redis/redis-worker.ts'
export { ThreadPool, type ThreadPoolOptions } from './jobs/threads/thread-pool.ts'
export { WorkerQueue, type WorkerQueueOptions } from './jobs/threads/worker-queue.ts'
export { jobs_with, type JobSurroundings } from './jobs/run-job.ts'
export { new_channel_name } from './layers/channel-name.ts'
export { Layer, type LayerMember } from './layers/layer.ts'
export { add_layers, get_layer, remove_layers } from './layers/layer-table.ts'
export {
  internal_send,
  type OutsideOptions,
  websocket_send,
  websocket_send_error,
} from './outside/sending.ts'
export { Transaction, transactions_from } from './outside/transaction.ts'
export {
  AppState,
  channel_messages,
  channel_subscribed,
  type ChannelKey,
  ChannelLeave,
  ChannelLeft,
  ChannelListSubscriptions,
  ChannelRecheck,
  ChannelSubscribe,
  ChannelSubscribed,
  ChannelSubscriptions,
  subscribe_user,
  type SubscribedArguments,
} from './pubsub/channel-messages.ts'
export {
  type AnyContextChannelClass,
  ChannelRegistry,
  context_channel_registry,
  pubsub_channel_registry,
} from './pubsub/channel-registry.ts'
export {
  context_channel,
  ContextChannel,
  type ContextChannelClass,
  type ContextChannelOptions,
  type Key,
  type Subscriber,
  UserChannel,
} from './pubsub/context-channel.ts'
export {
  OnlineChannel,
  pubsub_channel,
  PubSubChannel,
  type PubSubChannelClass,
} from './pubsub/pubsub-channel.ts'
export { error_message, ErrorMessage, type ErrorMessageClass } from './error-message.ts'
export { ValidationError } from './errors.ts'
export {
  type AnyMessageClass,
  type AnySchema,
  type DataOf,
  type InitArguments,
  type InputOf,
  Message,
  type MessageInit,
} from './message.ts'
export { MessageMeta, type MessageState, MessageStates, type MetaFields } from './meta.ts'
export { type ClassOf, MessageRegistry } from './message-registry.ts'
export { AsyncRunnable, message, type MessageClass, type Run } from './runnable.ts'
export type { Fault } from './schema/faults.ts'
export { list, ListSchema } from './schema/list.ts'
export {
  boolean,
  integer,
  number,
  NumberSchema,
  one_of,
  text,
  TextSchema,
} from './schema/scalars.ts'
export { optional, OptionalSchema, Schema } from './schema/schema.ts'
export {
  anything,
  type Fields,
  shape,
  type ShapeInput,
  type ShapeOutput,
  ShapeSchema,
} from './schema/shape.ts'
export type {
  Input,
  Output,
  StandardIssue,
  StandardProps,
  StandardResult,
  StandardSchema,
} from './schema/standard.ts'
export {
  type ClosedArguments,
  consumer_closed,
  consumer_connected,
  consumer_disconnected,
  type ConsumerArguments,
  incoming_internal_message,
  incoming_websocket_message,
  type MessageArguments,
  outgoing_websocket_error,
  outgoing_websocket_message,
} from './signals/message-signals.ts'
export {
  type ConnectReceiverOptions,
  type Named,
  type Receiver,
  type Sent,
  Signal,
} from './signals/signal.ts'
export {
  DictTransport,
  type EnvelopeTransport,
  type LayerEvent,
  TextTransport,
} from './envelope-transports.ts'
