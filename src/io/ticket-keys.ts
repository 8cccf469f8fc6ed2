/**
 * Layer 2. The keys of TLS session tickets in the workers of a cluster: the same in all of them, so
 * that a client which comes back to another worker resumes its session.
 *
 * The way of the keys: a worker asks the primary process for a listening socket, and sends a seed
 * along. The primary keeps the first one, and answers every worker with it. `TicketSeed` notes it
 * for each connection that is accepted, and `ticketKeys` makes keys of it.
 *
 * Rules:
 * 1. Contexts with other options have other keys. A session of one that asks for no certificate of
 *    the client must not be resumed at one that does.
 * 2. Without a seed (no cluster, `reuse_port`, another Node) each process has keys of its own, or
 *    those of the option `ticketKeys`.
 *
 * What is used of Node beyond its documentation (checked with Node 20, 22, 24 and 26): in a worker
 * `listen` calls `_getServerData()` of the server, sends what it returns to the primary process,
 * and calls `_setServerData(data)` with the answer before the server listens. node:tls does the
 * same for its own servers. If a Node did not call them, rule 2 would hold.
 */

import { Buffer } from 'node:buffer'
import { createHmac, randomBytes } from 'node:crypto'
import { TransportOver } from '../core/transport-over.ts'
import type { TlsOptions, Transport } from '../transport.ts'
import type { Bytes } from '../types.ts'

/** What Node takes as `ticketKeys`. */
const SIZE: Bytes = 48

const HEX_KEYS = /^[0-9a-f]{96}$/

/** The seed of each connection that has one. */
const seeds = new WeakMap<Transport, Buffer>()

/** The seed of one listening server. */
export class TicketSeed {
  #seed: Buffer | undefined

  /** Call this before the server listens. */
  constructor(server: object) {
    Object.assign(server, {
      _getServerData: () => ({ ticketKeys: randomBytes(SIZE).toString('hex') }),
      _setServerData: (data?: { readonly ticketKeys?: unknown } | null) => {
        const keys = data?.ticketKeys
        if (typeof keys === 'string' && HEX_KEYS.test(keys)) this.#seed = Buffer.from(keys, 'hex')
      },
    })
  }

  /** The connection was accepted by that server. */
  note(transport: Transport): void {
    if (this.#seed !== undefined) seeds.set(transport, this.#seed)
  }
}

/** The seed of the server that accepted the connection, whatever lies over it. */
export function seedOf(transport: Transport): Buffer | undefined {
  let below = transport
  while (below instanceof TransportOver) below = below.inner
  return seeds.get(below)
}

/** The keys for a context with these options: the same in all processes that have the seed. */
export function ticketKeys(seed: Buffer, options: TlsOptions): Buffer {
  const text = JSON.stringify(options, (_name, value) =>
    typeof value === 'function' ? String(value) : value,
  )
  return createHmac('sha384', seed).update(text).digest()
}
