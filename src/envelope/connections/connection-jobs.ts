/**
 * Layer 9. Jobs for a program that keeps its connections in a database: one for each consumer that
 * connects, and one for each that closes. The connection never waits for the database.
 *
 * consumer_connected → the queue → connection_created; consumer_closed → the queue →
 * connection_closed. The two signals on the right are sent by the worker.
 */

import { checkName } from '../../core/checks.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import { LINK, type ConsumerLink } from '../consumers/consumer-link.ts'
import { internal } from '../envelope-table.ts'
import { DeferredJob } from '../jobs/deferred-job.ts'
import { message } from '../runnable.ts'
import { integer, text } from '../schema/scalars.ts'
import { optional } from '../schema/schema.ts'
import { anything, shape } from '../schema/shape.ts'
import {
  type ClosedArguments,
  consumer_closed,
  consumer_connected,
  type ConsumerArguments,
  incoming_websocket_message,
  type MessageArguments,
} from '../signals/message-signals.ts'
import { Signal } from '../signals/signal.ts'

/** What receivers of the signals of connections get. */
export interface ConnectionArguments {
  /** The `channel_name` of the consumer. */
  readonly channel_name: string
  /** The key of its user. */
  readonly user_pk: string | number
  /** Its language. */
  readonly language: string | null
  /** When it was, in ms since 1970. */
  readonly at: Milliseconds
  /** The code that it was closed with; null: none is known, or it is open. */
  readonly close_code: number | null
}

/** In a worker: a consumer with a user has connected. */
export const connection_created: Signal<ConnectionArguments> = new Signal('connection_created')

/** In a worker: a consumer with a user has closed. */
export const connection_closed: Signal<ConnectionArguments> = new Signal('connection_closed')

/**
 * In a worker: a consumer with a user has received a message. It is sent at most once in the
 * `connection_update_interval` of the consumer.
 */
export const connection_active: Signal<ConnectionArguments> = new Signal('connection_active')

/** The part of a consumer that is used here. */
interface Tracked {
  readonly channel_name: string
  readonly user_pk: string | number | null
  readonly language: string | null
  readonly connection_update_interval: Milliseconds
  last_job: Milliseconds
  readonly [LINK]: ConsumerLink
}

const payload = shape({
  channel_name: text,
  user_pk: anything,
  language: optional(text),
  at: integer,
  close_code: optional(integer),
})

/** The job that sends a signal. */
class ConnectionJob extends message('connection', payload, DeferredJob) {
  readonly sends: Signal<ConnectionArguments> | undefined = undefined

  override async run_job(): Promise<void> {
    await this.sends?.send(this.constructor, this.data as ConnectionArguments)
  }
}

class Created extends ConnectionJob {
  static override readonly type_name: any = 'connection.created'
  override readonly sends = connection_created
}
class Closed extends ConnectionJob {
  static override readonly type_name: any = 'connection.closed'
  override readonly sends = connection_closed
}
class Active extends ConnectionJob {
  static override readonly type_name: any = 'connection.active'
  override readonly sends = connection_active
}

/** Queues a job, unless the consumer has no user. */
async function queue(
  Job: typeof ConnectionJob,
  consumer: Tracked,
  queueName: string,
  close_code: number | null = null,
): Promise<void> {
  const { channel_name, user_pk, language } = consumer
  if (user_pk === null) return
  const at = Date.now()
  class Queued extends Job {
    static readonly queue = queueName
  }
  const data = { channel_name, user_pk, language, at, close_code }
  try {
    await new Queued({ data, mm: { env: internal.name, user_pk } }).enqueue()
    consumer.last_job = at
  } catch (error) {
    consumer[LINK].tell(error)
  }
}

/**
 * Queues a job for each consumer that connects or closes, and from time to time for one that
 * receives messages. The worker must call it as well, even in another process: it makes the
 * messages known there. Returns a function that ends it.
 *
 * If the queue does not take a job, `on_error` of the consumer is called. Throws
 * InvalidArgumentError for an invalid name.
 */
export function track_connections(name = 'default'): Cancel {
  checkName('track_connections: name', name)
  internal.registry.add(Created as never, Closed as never, Active as never)
  const created = ({ consumer }: ConsumerArguments): unknown => queue(Created, consumer, name)
  const closed = ({ consumer, close_code }: ClosedArguments): unknown =>
    queue(Closed, consumer, name, close_code ?? null)
  const active = ({ consumer }: MessageArguments): void => {
    const tracked = consumer as Tracked
    if (Date.now() - tracked.last_job < tracked.connection_update_interval) return
    // The next message must not queue another one meanwhile.
    tracked.last_job = Date.now()
    void queue(Active, tracked, name)
  }
  consumer_connected.connect(created)
  consumer_closed.connect(closed)
  incoming_websocket_message.connect(active)
  return () => {
    consumer_connected.disconnect(created)
    consumer_closed.disconnect(closed)
    incoming_websocket_message.disconnect(active)
  }
}
