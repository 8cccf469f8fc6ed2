import t from 'tap'
import { Engine } from '../../src/engine.ts'
import { MemoryRelay } from '../../src/relay/memory-relay.ts'
import { NatsRelay } from '../../src/relay/nats/nats-relay.ts'
import { open_relay } from '../../src/relay/open-relay.ts'
import { RedisRelay } from '../../src/relay/redis/redis-relay.ts'
import { thrown } from '../kit.ts'

t.test('a relay by its URL', async t => {
  t.ok(open_relay('memory:') instanceof MemoryRelay)
  t.ok(open_relay('memory:?prefix=shop') instanceof MemoryRelay)
  for (const url of [
    'redis://localhost:1/0',
    'redis://localhost:1/0?prefix=shop',
    'rediss://localhost:1',
    'redis+unix:///none',
    'redis+unix:///none?prefix=shop&db=1',
    'redis+unix:///none?db=1&prefix=shop',
  ]) {
    const relay = open_relay(url, { engine: new Engine({ log() {} }) })
    t.ok(relay instanceof RedisRelay, url)
    await relay.close()
  }
  for (const url of ['nats://127.0.0.1:1?prefix=a', 'tls://me:pw@127.0.0.1:1,127.0.0.1:2']) {
    const relay = open_relay(url, { engine: new Engine({ log() {} }) })
    t.ok(relay instanceof NatsRelay)
    await relay.close()
  }
  for (const wrong of ['', 'memory', 'mem://', 'http://x', undefined])
    t.equal(
      thrown(() => open_relay(wrong as never)),
      'ERR_INVALID_ARGUMENT',
    )
  for (const wrong of ['memory:?prefix=', 'redis://h?prefix=a.b', 'nats://h?prefix='])
    t.equal(
      thrown(() => open_relay(wrong).close()),
      'ERR_INVALID_ARGUMENT',
      wrong,
    )
  t.equal(
    thrown(() => open_relay('memory:', { histroy: 1 } as never)),
    'ERR_INVALID_ARGUMENT',
  )
})
