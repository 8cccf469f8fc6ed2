/** The conformance suite of the seam over every network. */

import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { BunNetwork } from '../../src/io/bun/network.ts'
import { FastNetwork } from '../../src/io/fast/network.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import { tlsContext } from '../../src/io/tls.ts'
import { TrickleNetwork } from '../../src/io/trickle.ts'
import type { Endpoint, Network } from '../../src/transport.ts'
import { NO_BUN } from '../bun-network.ts'
import { testCertificates } from '../certificates.ts'
import { NO_DUPLEX_TLS } from '../duplex-tls.ts'
import { NO_FAST } from '../fast-network.ts'
import { DuplexNetwork } from './conformance/duplex-network.ts'
import { conformance, packetConformance } from './conformance/suite.ts'
import { TlsNetwork } from './conformance/tls-network.ts'

const LOOPBACK: Endpoint = { kind: 'ip', host: '127.0.0.1', port: 0 }
const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some(at => at?.address === '::1')
const FOLDER = t.testdir()

// Each is for all scenarios: to make it takes longer than most of them.
const { ca, server } = testCertificates()
const CLIENT = tlsContext('client', { ca: ca.cert })
const SERVER = tlsContext('server', { key: server.key, cert: server.cert })

let count = 0

/**
 * Sizes from 1 to `most`, by a generator of its own (a linear congruence), so that every run cuts
 * in the same places.
 */
function sizes(most: number): () => number {
  let state = 1
  return () => 1 + (((state = (state * 1103515245 + 12345) % 2 ** 31) >>> 8) % most)
}

await conformance(t, 'memory', () => ({
  network: new MemoryNetwork({ auto: true }),
  address: () => LOOPBACK,
}))

await conformance(t, 'memory, by path', () => ({
  network: new MemoryNetwork({ auto: true }),
  address: path,
}))

await conformance(t, 'memory, small and oddly cut', () => ({
  network: new MemoryNetwork({ auto: true, chunk: sizes(3000), capacity: 1000 }),
  address: () => LOOPBACK,
  bulk: 128 * 1024,
}))

await conformance(t, 'memory, trickling', () => trickling(new MemoryNetwork({ auto: true })))

await conformance(t, 'tcp', () => ({ network: new NodeNetwork(), address: () => LOOPBACK }))

await conformance(t, 'tcp, trickling', () => trickling(new NodeNetwork()))

await conformance(t, 'unix', () => ({ network: new NodeNetwork(), address: path }))

// Not by path: a socket of Node's that was adopted does not know it.
await conformance(t, 'adopted sockets, tcp', () => ({
  network: new DuplexNetwork(),
  address: () => LOOPBACK,
}))

if (!NO_DUPLEX_TLS)
  await conformance(t, 'tls over adopted sockets', () => ({
    network: overTls(new DuplexNetwork()),
    address: () => LOOPBACK,
  }))

if (NO_FAST === undefined)
  await conformance(t, 'fast tcp', () => ({ network: new FastNetwork(), address: () => LOOPBACK }))

if (NO_FAST === undefined)
  await conformance(t, 'fast tcp, trickling', () => trickling(new FastNetwork()))

if (NO_FAST === undefined)
  await conformance(t, 'fast unix', () => ({ network: new FastNetwork(), address: path }))

if (NO_BUN === undefined) {
  await conformance(t, 'bun tcp', () => ({ network: new BunNetwork(), address: () => LOOPBACK }))

  await conformance(t, 'bun tcp, trickling', () => trickling(new BunNetwork()))

  await conformance(t, 'bun unix', () => ({ network: new BunNetwork(), address: path }))

  await conformance(t, 'tls over bun tcp', () => ({
    network: overTls(new BunNetwork()),
    address: () => LOOPBACK,
  }))

  await conformance(t, 'tls over bun unix', () => ({
    network: overTls(new BunNetwork()),
    address: path,
  }))
}

await conformance(t, 'tls', () => ({
  network: overTls(new NodeNetwork()),
  address: () => LOOPBACK,
}))

await conformance(t, 'tls over unix', () => ({
  network: overTls(new NodeNetwork()),
  address: path,
}))

if (!NO_DUPLEX_TLS)
  await conformance(t, 'tls over memory', () => ({
    network: overTls(new MemoryNetwork({ auto: true })),
    address: () => LOOPBACK,
  }))

if (NO_FAST === undefined)
  await conformance(t, 'tls over fast tcp', () => ({
    network: overTls(new FastNetwork()),
    address: () => LOOPBACK,
  }))

if (!NO_DUPLEX_TLS)
  await conformance(t, 'tls over trickling tcp', () => ({
    network: overTls(new TrickleNetwork(new NodeNetwork(), sizes(2000))),
    address: () => LOOPBACK,
    bulk: 64 * 1024,
  }))

await conformance(t, 'tls, trickling', () => trickling(overTls(new NodeNetwork())))

for (const host of ['127.0.0.1', ...(hasIPv6 ? ['::1'] : [])]) {
  await packetConformance(t, `packets in memory, ${host}`, () => ({
    network: new MemoryNetwork({ auto: true }),
    host,
    shown: '127.0.0.1',
  }))

  await packetConformance(t, `udp, ${host}`, () => ({ network: new NodeNetwork(), host }))

  if (NO_BUN === undefined)
    await packetConformance(t, `bun udp, ${host}`, () => ({ network: new BunNetwork(), host }))
}

function overTls(network: Network): Network {
  return new TlsNetwork(network, CLIENT, SERVER)
}

function trickling(network: Network): { network: Network; address: () => Endpoint } {
  return { network: new TrickleNetwork(network, sizes(2000)), address: () => LOOPBACK }
}

/**
 * A path that does not exist yet. There is one folder for the whole file: the folders of subtests
 * have names that are too long for a socket (107 bytes).
 */
function path(): Endpoint {
  return { kind: 'unix', path: join(FOLDER, `${++count}`) }
}
