/** A process with a relay: it is present, and publishes and appends numbers for ever. */

import { RedisRelay } from '../../../src/relay/redis/redis-relay.ts'

const relay = new RedisRelay(process.argv[2]!, { lease: 400, history: 100_000 })
await relay.opened
await relay.present('x', 'other')
console.log('present')
for (let n = 0; ; n += 2) {
  relay.publish('x', String(n))
  await relay.append('x', String(n + 1))
}
