/** A process with a relay: it is present, and publishes and appends numbers for ever. */

import { NatsRelay } from '../../../src/relay/nats/nats-relay.ts'

const nats = { backoff: { first: 5, longest: 20 } }
const relay = new NatsRelay(process.argv[2]!, { lease: 400, history: 100_000, nats })
await relay.opened
await relay.present('x', 'other')
console.log('present')
for (let n = 0; ; n += 2) {
  relay.publish('x', String(n))
  // While the server is away, it tries again: what is refused was not, or may have been, stored.
  await relay.append('x', String(n + 1)).catch(() => new Promise(done => setTimeout(done, 20)))
}
