/**
 * Layer 8. Relays by URL, so that a program, or its user, chooses one by a string.
 */

import { InvalidArgumentError } from '../errors.ts'
import { MemoryRelay } from './memory-relay.ts'
import { NatsRelay } from './nats/nats-relay.ts'
import { RedisRelay } from './redis/redis-relay.ts'
import type { Relay, RelayOptions } from './relay.ts'

/** One line for each relay. */
const RELAYS: readonly (readonly [url: RegExp, make: (url: string, o: RelayOptions) => Relay])[] = [
  [/^memory:(?=$|\?prefix=)/, (_, options) => new MemoryRelay(options)],
  [/^redis(s|\+unix)?:\/\//, (url, options) => new RedisRelay(url, options)],
  [/^(nats|tls):\/\//, (url, options) => new NatsRelay(url, options)],
]

/** What stands between a URL's other parameters, or is the only one. */
const PREFIX = /([?&])prefix=([^&]*)(&?)/

/**
 * Makes a relay. It connects by itself; `opened` says when it can be used.
 *
 * | URL | relay |
 * |---|---|
 * | `memory:` | `MemoryRelay`: this process only |
 * | `redis://host/0`, `rediss:`, `redis+unix:` | `RedisRelay`: all who use the same server |
 * | `nats://host:4222`, `tls://…` | `NatsRelay`: all who use the same servers |
 *
 * `?prefix=shop` of a URL is the option `prefix`.
 *
 * Throws InvalidArgumentError if there is no such relay, or an option is unknown or invalid.
 */
export function open_relay(url: string, options: RelayOptions = {}): Relay {
  for (const [form, make] of RELAYS) {
    if (typeof url !== 'string' || !form.test(url)) continue
    const prefix = PREFIX.exec(url)?.[2]
    const rest = url.replace(PREFIX, (_, before, __, after) => (after === '' ? '' : before))
    return make(rest, prefix === undefined ? options : { ...options, prefix })
  }
  throw new InvalidArgumentError('open_relay: url', 'memory:, redis://… or nats://…', url)
}
