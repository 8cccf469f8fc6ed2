/**
 * Bench. One client of NATS, in a process of its own: it publishes to itself, 1000 messages under
 * way at most, and prints the processor time of a message in µs.
 *
 *     node child.js sluice PORT MESSAGES
 *     node child.js official PORT MESSAGES URL-OF-ITS-MODULE
 */

import { NatsClient } from 'sluice/nats'

/** The bytes of a message. */
const SIZE = 128

const UNDER_WAY = 1000

/** These are not measured: code is compiled, and buffers grow. */
const WARM_UP = 0.25

interface Client {
  subscribe(received: () => void): void
  publish(): void
}

const [, , name, port, count, module] = process.argv as unknown as [
  ...[string, string, 'sluice' | 'official', string, string, string],
]
const payload = Buffer.alloc(SIZE, 'x')

async function sluice(): Promise<Client> {
  const client = await new NatsClient().connect(`nats://127.0.0.1:${port}`).opened
  return {
    subscribe: received => void client.subscribe('bench', () => received()),
    publish: () => void client.publish('bench', payload),
  }
}

async function official(): Promise<Client> {
  const { connect } = await import(module)
  const client = await connect({ servers: `127.0.0.1:${port}` })
  return {
    subscribe: received => client.subscribe('bench', { callback: received }),
    publish: () => client.publish('bench', payload),
  }
}

const client = await (name === 'sluice' ? sluice() : official())
const messages = Number(count)
let sent = 0
let received = 0
let begun = process.cpuUsage()

function fill(): void {
  while (sent < messages && sent - received < UNDER_WAY) {
    client.publish()
    sent++
  }
}

client.subscribe(() => {
  received++
  if (received === messages * WARM_UP) begun = process.cpuUsage()
  if (received === messages) {
    const { user, system } = process.cpuUsage(begun)
    console.log((user + system) / (messages * (1 - WARM_UP)))
    process.exit(0)
  }
  if (sent - received <= UNDER_WAY / 2) fill()
})
fill()
