/**
 * The bug: two workers of node:cluster shared a TLS port, and a client that came back to the other
 * one had its session refused, 12 times of 12. With node:tls every return is resumed.
 */

import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { Server } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { TransportOver } from '../../src/core/transport-over.ts'
import { FastNetwork } from '../../src/io/fast/network.ts'
import { NodeNetwork } from '../../src/io/node.ts'
import { seedOf, ticketKeys, TicketSeed } from '../../src/io/ticket-keys.ts'
import { tlsContext } from '../../src/io/tls.ts'
import type { Transport } from '../../src/transport.ts'
import { bareNode } from '../built.ts'
import { testCertificates } from '../certificates.ts'

type Told = { _getServerData(): { ticketKeys: string }; _setServerData(data: unknown): void }

if (process.env.TICKETS === undefined) tests()
else if (cluster.isPrimary) primary()
else worker()

function tests(): void {
  t.test('the seed is what the primary process answers, for every connection', async t => {
    const server = new Server() as Server & Told
    const seed = new TicketSeed(server)
    const [early, late] = [{}, {}] as Transport[]
    seed.note(early!)
    for (const data of [undefined, null, {}, { ticketKeys: 'ff' }]) server._setServerData(data)
    seed.note(early!)
    t.equal(seedOf(early!), undefined, 'another Node, or another kind of data')
    const data = server._getServerData()
    t.match(data.ticketKeys, /^[0-9a-f]{96}$/)
    server._setServerData(data)
    seed.note(late!)
    t.same(seedOf(late!), Buffer.from(data.ticketKeys, 'hex'))
    t.equal(seedOf(new TransportOver(late!)), seedOf(late!), 'after a PROXY header, too')
  })

  t.test('other options have other keys', async t => {
    const seed = Buffer.alloc(48, 1)
    const keys = ticketKeys(seed, { cert: 'c', key: Buffer.from('k') })
    t.equal(keys.length, 48)
    t.same(ticketKeys(seed, { cert: 'c', key: Buffer.from('k') }), keys)
    for (const other of [{ requestCert: true }, { SNICallback: () => {} }])
      t.not(ticketKeys(seed, { cert: 'c', key: Buffer.from('k'), ...other }).equals(keys), true)
    t.notSame(ticketKeys(Buffer.alloc(48, 2), { cert: 'c', key: Buffer.from('k') }), keys)
  })

  for (const network of ['default', 'fast']) {
    t.test(`${network} network: resumed at the other worker`, async t => {
      const child = spawn(...bareNode([fileURLToPath(import.meta.url)], { TICKETS: network }), {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      const port = await portOf(child)
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const first = await visit(port, version)
        const second = await visit(port, version, first.session)
        t.not(second.worker, first.worker, version)
        t.equal(second.isReused, true, version)
      }
      child.disconnect()
      await once(child, 'exit')
    })
  }
}

/** The number that it sends; tap sends messages of its own. */
function portOf(from: NodeJS.EventEmitter): Promise<number> {
  return new Promise(resolve => {
    from.on('message', (message: unknown) => typeof message === 'number' && resolve(message))
  })
}

async function visit(port: number, version: 'TLSv1.2' | 'TLSv1.3', session?: Buffer) {
  const { ca } = testCertificates()
  const socket: TLSSocket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: ca.cert,
    maxVersion: version,
    ...(session && { session }),
  })
  const [[worker], [ticket]] = await Promise.all([
    once(socket, 'data'),
    session === undefined ? once(socket, 'session') : [session],
  ])
  const isReused = socket.isSessionReused()
  socket.destroy()
  return { worker: String(worker), isReused, session: ticket as Buffer }
}

/** Two workers, in turn. It ends when the test disconnects. */
function primary(): void {
  const { key, cert } = testCertificates().server
  const workers = [0, 1].map(() => cluster.fork({ KEY: String(key), CERT: String(cert) }))
  void Promise.all(workers.map(portOf)).then(([port]) => process.send!(port))
  process.once('disconnect', () => {
    for (const worker of workers) worker.process.kill('SIGKILL')
    process.exit()
  })
}

function worker(): void {
  const network = process.env.TICKETS === 'fast' ? new FastNetwork() : new NodeNetwork()
  const context = tlsContext('server', { key: process.env.KEY, cert: process.env.CERT })
  const at = { kind: 'ip', host: '127.0.0.1', port: 0 } as const
  const listener = network.listen(at, { backlog: 5, reuse_port: false })
  listener.sink = {
    listening: () => process.send!((listener.local_address as [string, number])[1]),
    failed: error => console.error(error),
    closed: () => {},
    accepted(transport) {
      const secured = context.secure(transport, '')
      secured.sink = {
        opened: () => void secured.write(String(process.pid), 'latin1'),
        received: () => {},
        drained: () => {},
        ended: () => secured.destroy(),
        failed: () => {},
        closed: () => {},
      }
    },
  }
}
