/** The conformance suite of the seam over every network there is. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { MemoryNetwork } from '../../src/io/memory.ts'
import { TrickleNetwork } from '../../src/io/trickle.ts'
import type { Endpoint, Network } from '../../src/transport.ts'
import { conformance } from './conformance.ts'

const LOOPBACK: Endpoint = { kind: 'ip', host: '127.0.0.1', port: 0 }

/** Sizes from 1 to `most` by a generator of its own (a linear congruence), so that every run cuts alike. */
function sizes(most: number): () => number {
  let state = 1
  return () => 1 + ((state = (state * 1103515245 + 12345) % 2 ** 31) >>> 8) % most
}

await conformance(t, 'memory', () => ({ network: new MemoryNetwork({ auto: true }), address: () => LOOPBACK }))

await conformance(t, 'memory, by path', t => ({ network: new MemoryNetwork({ auto: true }), address: paths(t) }))

await conformance(t, 'memory, small and oddly cut', () => ({
  network: new MemoryNetwork({ auto: true, chunk: sizes(3000), capacity: 1000 }), address: () => LOOPBACK, bulk: 128 * 1024,
}))

await conformance(t, 'memory, trickling', () => trickling(new MemoryNetwork({ auto: true })))

// The same over sockets, as soon as there are any.
const NODE = new URL('../../src/io/node.ts', import.meta.url)
if (existsSync(NODE)) {
  const { NodeNetwork } = await import(NODE.href) as { NodeNetwork: new () => Network }
  await conformance(t, 'tcp', () => ({ network: new NodeNetwork(), address: () => LOOPBACK }))
  await conformance(t, 'tcp, trickling', () => trickling(new NodeNetwork()))
  await conformance(t, 'unix', t => ({ network: new NodeNetwork(), address: paths(t) }))
}

function trickling(network: Network): { network: Network; address: () => Endpoint } {
  return { network: new TrickleNetwork(network, sizes(2000)), address: () => LOOPBACK }
}

/** Paths that are not there yet, short enough for a socket (107 bytes). */
function paths(t: Test): () => Endpoint {
  const folder = t.testdir()
  let count = 0
  return () => ({ kind: 'unix', path: join(folder, `${++count}`) })
}
