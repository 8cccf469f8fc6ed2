/**
 * What tests of channels need for TLS: an engine on a network in memory that runs by itself,
 * certificates, channels whose hooks are written down.
 */

import type { Test } from 'tap'
import { Client, Connection, Server } from '../src/channels/basic.ts'
import { Engine } from '../src/engine.ts'
import type { EngineOptions } from '../src/engine-options.ts'
import { MemoryNetwork } from '../src/io/memory/network.ts'
import type { TlsOptions } from '../src/transport.ts'
import type { Address, SocketAddress } from '../src/types.ts'
import { type Certificates, testCertificates } from './certificates.ts'
import { spy, until } from './kit.ts'

export interface TlsScene extends Certificates {
  readonly engine: Engine
  /** What was logged, and what the hooks of the client and of the server's connection were. */
  readonly logged: string[]
  readonly near: string[]
  readonly far: string[]
  /** Options that go together. */
  readonly CLIENT: TlsOptions
  readonly SERVER: TlsOptions
  /** A server that listens. */
  listen(
    ConnectionClass?: new (options: any) => Connection,
    options?: object,
    address?: Address,
  ): Promise<Server>
  /** A client that connects to it. */
  connect(server: Server, options?: object, ClientClass?: new (options: any) => Client): Client
  /** The server's end, when there is one. */
  accepted(server: Server): Promise<Connection>
}

/** A subtest; at its end the engine is stopped, and no channel may be left. */
export async function tlsScene(
  t: Test,
  title: string,
  body: (t: Test, scene: TlsScene) => Promise<void>,
  options: EngineOptions = {},
): Promise<void> {
  const certificates = testCertificates()
  const { ca, server } = certificates
  await t.test(title, { timeout: 120_000 }, async t => {
    const [logged, near, far] = [[], [], []] as [string[], string[], string[]]
    const engine = new Engine({
      network: new MemoryNetwork({ auto: true }),
      log: message => logged.push(message),
      ...options,
    })
    await body(t, {
      ...certificates,
      engine,
      logged,
      near,
      far,
      CLIENT: { ca: ca.cert },
      SERVER: { key: server.key, cert: server.cert },
      listen(ConnectionClass = Connection, options = {}, address = ['127.0.0.1', 0]) {
        const Spied = class extends ConnectionClass {
          constructor(options: any) {
            super(options)
            spy(this, '', far)
          }
        }
        return new Server(Spied, { engine, ...options }).listen(address).opened
      },
      connect: (server, options = {}, ClientClass = Client) =>
        spy(new ClientClass({ engine, encoding: 'latin1', ...options }), '', near).connect(
          server.local_address as SocketAddress,
        ),
      async accepted(server) {
        await until(() => server.channels.size > 0)
        return [...server.channels].at(-1) as Connection
      },
    })
    await engine.stop({ timeout: 100 })
    t.equal(engine.channels.size, 0, 'no channel is left')
  })
}

/** The hooks without the changes of state. */
export function hooks(log: readonly string[]): string[] {
  return log.map(line => line.trim()).filter(line => !line.startsWith('state'))
}
