/**
 * Bench. The connections that the micro bench drives: small protocols that answer what they read.
 */

import { Buffer } from 'node:buffer'
import {
  Connection,
  type ConnectionClass,
  Engine,
  length_prefix,
  type ReadDelimiter,
  Server,
} from 'sluice'
import { FakeClock, FakeNetwork, type FakeTransport } from './fake-network.ts'

export class Lines extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    this.write(line + '\r\n')
  }
}

export class Utf8Lines extends Connection {
  override encoding = 'utf8' as const
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    this.write(line + '\r\n')
  }
}

export class Buffers extends Connection {
  override read_delimiter = '\r\n'

  override on_read(line: Buffer): void {
    this.write(line)
    this.write('\r\n')
  }
}

const FRAMES = length_prefix()

export class Frames extends Connection {
  override read_delimiter = FRAMES

  override on_read(payload: Buffer): void {
    this.write_packed(payload)
  }
}

export class Alternate extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter: ReadDelimiter = '\r\n'

  override on_read(data: string): void {
    this.write(data)
    this.read_delimiter = this.read_delimiter === '\r\n' ? 64 : '\r\n'
  }
}

/** Answers each read with a hundred small writes. */
export class Burst extends Connection {
  override on_read(): void {
    for (let i = 0; i < 100; i++) this.write('part of an answer\r\n')
  }
}

const LARGE = Buffer.alloc(16 * 1024)

/** Answers each read with three large Buffers, and text between them. */
export class Large extends Connection {
  override on_read(): void {
    for (let i = 0; i < 3; i++) {
      this.write('a large one:')
      this.write(LARGE)
    }
  }
}

export class Broadcast extends Connection {
  override encoding = 'latin1' as const
  override read_delimiter = '\r\n'

  override on_read(line: string): void {
    for (const peer of this.server.channels) peer.write(line + '\r\n')
  }
}

/** An engine with a server and some clients. Nothing in it moves without a call. */
export class Bench {
  readonly clock = new FakeClock()
  readonly #network = new FakeNetwork()
  readonly engine = new Engine({ network: this.#network, clock: this.clock })
  transports: readonly FakeTransport[] = []

  static async with(ConnectionClass: ConnectionClass, clients = 1): Promise<Bench> {
    const bench = new Bench()
    const server = new Server(ConnectionClass, { engine: bench.engine }).listen(1)
    await server.opened
    const transports: FakeTransport[] = []
    for (let i = 0; i < clients; i++) transports.push(await bench.#network.accept())
    bench.transports = transports
    return bench
  }

  get first(): FakeTransport {
    return this.transports[0] as FakeTransport
  }

  /** One turn of the loop, in which these chunks have arrived at a transport. */
  turn(transport: FakeTransport, ...arrived: readonly Buffer[]): void {
    for (const chunk of arrived) transport.sink?.received(chunk)
    this.clock.turn()
  }
}
