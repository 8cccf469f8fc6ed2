/** The real servers of relays, as tests of what stands on a relay need them. */

import type { Test } from 'tap'
import { HAS_NATS, NatsServer } from '../protocols/nats/nats-server.ts'
import { HAS_REDIS, RedisServer } from '../redis-server.ts'

export interface RelayServer {
  readonly url: string
  /** Ends it, as a power failure does. */
  kill(): Promise<void>
  /** Starts it again. */
  start(): Promise<unknown>
}

export interface RelayKind {
  readonly name: string
  /** Why tests with it are left out; false: they are not. */
  readonly skip: string | false
  /** One that keeps what it has stored, whatever happens to it. It ends with the test. */
  keeping(t: Test): Promise<RelayServer>
  /** One that has lost everything when it is started again. */
  forgetting(t: Test): Promise<RelayServer>
}

async function redis(t: Test, ...options: string[]): Promise<RelayServer> {
  const server = await new RedisServer(...options).start()
  t.teardown(() => server.remove())
  return server
}

async function nats(t: Test): Promise<NatsServer> {
  const server = await NatsServer.start()
  t.teardown(() => server.stop())
  return server
}

export const RELAYS: readonly RelayKind[] = [
  {
    name: 'redis',
    skip: !HAS_REDIS && 'redis-server is not installed',
    keeping: t => redis(t, '--appendonly', 'yes', '--appendfsync', 'always'),
    forgetting: t => redis(t),
  },
  {
    name: 'nats',
    skip: !HAS_NATS && 'nats-server is not installed',
    keeping: nats,
    async forgetting(t) {
      const server = await nats(t)
      return {
        url: server.url,
        start: () => server.start(),
        async kill() {
          await server.kill()
          await server.clear()
        },
      }
    },
  },
]
