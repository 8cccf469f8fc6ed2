/**
 * What the tests of TLS share: certificates, a connection whose ends are both here, and what each
 * end reports.
 */

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { contextFor } from '../../src/channels/streams/tls-contexts.ts'
import { MemoryNetwork } from '../../src/io/memory/network.ts'
import { connectTcp, TcpTransport } from '../../src/io/tcp.ts'
import { nodeTls } from '../../src/io/tls.ts'
import type { SystemError, TlsOptions, TlsSide, Transport } from '../../src/transport.ts'
import { testCertificates } from '../certificates.ts'

export const {
  ca,
  server: served,
  client,
  expired,
  other,
  selfSigned,
  stranger,
} = testCertificates()

export const OURS = { ca: ca.cert }
export const THEIRS = { key: served.key, cert: served.cert }

/** Writes down what is reported, and waits for it. */
export class Watched {
  readonly transport: Transport
  readonly log: string[] = []
  text = ''
  error: SystemError = new Error('none')
  readonly on: Record<string, () => void> = {}
  #wake = (): void => {}

  constructor(transport: Transport) {
    this.transport = transport
    const note = (report: string): void => {
      this.log.push(report)
      this.on[report]?.()
      this.#wake()
    }
    transport.sink = {
      opened: () => note('opened'),
      received: chunk => {
        this.text += String(chunk)
        note('received')
      },
      drained: () => note('drained'),
      ended: () => note('ended'),
      failed: error => {
        this.error = error
        note('failed')
      },
      closed: () => note('closed'),
    }
  }

  async until(condition: () => boolean): Promise<this> {
    while (!condition()) await new Promise<void>(resolve => (this.#wake = resolve))
    return this
  }

  saw(report: string): Promise<this> {
    return this.until(() => this.log.includes(report))
  }
}

/** Two ends of a connection, in clear; both open. */
export async function clear(
  t: Test,
): Promise<[near: TcpTransport, far: TcpTransport, socket: Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connectTcp(
    { kind: 'ip', host: '127.0.0.1', port: (server.address() as { port: number }).port },
    {},
  )
  const [[socket]] = (await Promise.all([
    once(server, 'connection'),
    new Watched(near).saw('opened'),
  ])) as [[Socket], Watched]
  const far = new TcpTransport(socket)
  t.teardown(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return [near, far, socket]
}

/**
 * The same, with the handshake under way. The same options have the same context, as in channels: a
 * session is resumed only there.
 */
export async function pair(
  t: Test,
  near: TlsOptions = OURS,
  far: TlsOptions = THEIRS,
  host = 'localhost',
): Promise<[near: Watched, far: Watched]> {
  const [one, two] = await clear(t)
  const secure = (side: TlsSide, options: TlsOptions, transport: Transport): Watched =>
    new Watched(contextFor(nodeTls, side, options).secure(transport, host))
  return [secure('client', near, one), secure('server', far, two)]
}

/** Two ends of a connection in memory, with the handshake under way. */
export async function inMemory(ours: TlsOptions, theirs: TlsOptions): Promise<[Watched, Watched]> {
  const network = new MemoryNetwork({ auto: true })
  const listener = network.listen({ kind: 'ip', host: '', port: 1 }, { backlog: 1 })
  const one = network.connect({ kind: 'ip', host: '', port: 1 }, {})
  const two = await new Promise<Transport>(
    accepted => (listener.sink = { listening() {}, accepted, failed() {}, closed() {} }),
  )
  listener.close()
  return [
    new Watched(nodeTls.context('client', ours).secure(one, 'localhost')),
    new Watched(nodeTls.context('server', theirs).secure(two, '')),
  ]
}
