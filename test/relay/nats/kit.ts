/** Relays to a real server, for tests. */

import type { Test } from 'tap'
import { Engine } from '../../../src/engine.ts'
import { NatsLine } from '../../../src/relay/nats/nats-line.ts'
import { NatsRelay, type NatsRelayOptions } from '../../../src/relay/nats/nats-relay.ts'
import { NatsServer } from '../../protocols/nats/nats-server.ts'

/** Attempts to connect again come quickly. */
const nats = { backoff: { first: 5, longest: 20, lasting: 1 }, end_timeout: 2000 }

/** A relay whose engine keeps what it logs. It is closed at the end of the test. */
export function relay(
  t: Test,
  url: string,
  options: NatsRelayOptions = {},
): NatsRelay & { readonly logged: string[] } {
  const logged: string[] = []
  const engine = new Engine({ log: message => void logged.push(message) })
  const it = new NatsRelay(url, {
    engine,
    history: 20,
    ...options,
    nats: { ...nats, ...options.nats },
  })
  t.teardown(() => it.close())
  return Object.assign(it, { logged })
}

/** A server that ends with the test. */
export async function server(t: Test, config = ''): Promise<NatsServer> {
  const started = await NatsServer.start(config)
  t.teardown(() => started.stop())
  return started
}

/** A line that stands. It is closed at the end of the test. */
export async function line(
  t: Test,
  url: string,
  stood: (isAgain: boolean) => void = () => {},
): Promise<NatsLine> {
  const one = new NatsLine(url, { ...nats, engine: new Engine({ log() {} }) }, stood)
  t.teardown(() => one.close())
  await one.stands
  return one
}
