/** `sluice/testing`: what `pair` is made of. How it is used is in its page of the guide. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection, Server } from '../src/channels/basic.ts'
import { Struct } from '../src/core/struct/struct.ts'
import { Engine } from '../src/engine.ts'
import { ManualClock, MemoryNetwork, pair, Recorder, settle } from '../src/testing.ts'

class Store extends Server {
  readonly text: string
  constructor(options?: object, text = 'mine') {
    super(options)
    this.text = text
  }
}

class Hello extends Connection {
  override on_connect(): void {
    this.write((this.server as Store).text)
  }
}

t.test('by default: a Recorder and a Connection, connected', async t => {
  await using both = await pair()
  const { client, connection, server, engine, pump } = both
  t.same([client.constructor, server.constructor], [Recorder, Server])
  t.equal(connection.constructor, Connection)
  connection.write('hello')
  await pump(2)
  t.equal(String(Buffer.concat(client.reads)), 'he')
  await pump()
  t.equal(String(Buffer.concat(client.reads)), 'hello')
  client.read_delimiter = new Struct('!BB')
  connection.write('ab')
  await pump()
  t.same(client.reads.at(-1), [97, 98], 'a read of several values')
  t.equal(engine.channels.size, 3)
})

// A Connection that looks at its server could not be tested: the server was always a plain one.
t.test('REGRESSION: with a server of its own', async t => {
  const rows: [options: object, text: string][] = [
    [{ connection: Hello, server: Store }, 'mine'],
    [
      {
        server: class extends Store {
          override ConnectionClass = Hello
        },
      },
      'mine',
    ],
    [{ connection: Hello, server: (options: object) => new Store(options, 'other') }, 'other'],
  ]
  for (const [options, text] of rows) {
    const { client, connection, server, pump, engine } = await pair(options)
    await pump()
    t.equal(String(Buffer.concat(client.reads)), text)
    t.ok(server instanceof Store && connection instanceof Hello)
    t.equal(engine.channels.size, 3)
  }
})

t.test('with a client that is made by a function', async t => {
  class Caller extends Client {
    readonly greeting: string
    constructor(greeting: string, options: object) {
      super(options)
      this.greeting = greeting
    }
    override on_connect(): void {
      this.write(this.greeting)
    }
  }
  class Listening extends Connection {
    text = ''
    override on_read(data: Buffer): void {
      this.text += data
    }
  }
  const made = (options: object): Caller => new Caller('good day', options)
  const { connection, client, pump } = await pair({ client: made, connection: Listening })
  await pump()
  t.equal(connection.text, client.greeting)
})

t.test('options that are none, and ends that do not come together', async t => {
  for (const options of [{ server: 5 }, { client: {} }, { severs: Store }])
    await t.rejects(pair(options as never), { code: 'ERR_INVALID_ARGUMENT' })
  await t.rejects(pair({ server: 5 } as never), {
    message: 'pair: server must be a class, or a function that makes one; got 5',
  })
  // What forgets to return.
  for (const name of ['client', 'server'])
    await t.rejects(pair({ [name]: () => {} } as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: `pair: what ${name} makes must be a ${name}; got undefined`,
    })
  for (const options of [{ connection: NaN }, { connection: '' }, { log: 0 }])
    await t.rejects(pair(options as never), { code: 'ERR_INVALID_ARGUMENT' })
  class Refuses extends Server {
    override on_accept(socket: { destroy(): void }): void {
      socket.destroy()
    }
  }
  await t.rejects(pair({ server: Refuses, log() {}, chunk: 1 }), {
    code: 'ERR_INVALID_STATE',
    message: 'pair(): the two are not connected: the client is closed; the log says why',
  })
})

t.test('settle: an engine of your own, until nothing is left to do', async t => {
  class Doubling extends Connection {
    override encoding = 'utf8' as const
    override read_delimiter = '\n'
    override async on_read(line: string) {
      await null
      this.write(`${line}${line}\n`)
    }
  }
  class Client20 extends Client {
    override encoding = 'utf8' as const
    override read_delimiter = '\n'
    override on_connect() {
      this.write('a\n')
    }
    override on_read(line: string) {
      this.longest = line.length
      if (line.length < 20) this.write(`${line}\n`)
    }
    longest = 0
  }
  for (const auto of [true, false]) {
    for (const clock of [new ManualClock(), undefined]) {
      const network = new MemoryNetwork({ auto })
      const engine = new Engine({ network, ...(clock && { clock }) })
      const server = new Server(Doubling, { engine }).listen(1)
      await settle(engine)
      const clients = [1, 2, 3].map(() => new Client20({ engine }).connect(1))
      await settle(engine)
      t.same(
        clients.map(each => each.longest),
        [32, 32, 32],
        `auto: ${auto}`,
      )
      t.equal(server.channels.size, 3)
      const stopped = engine.stop()
      await settle(engine)
      await stopped
    }
  }
  await t.rejects(settle(new Engine()), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /^settle: engine must be an engine on a MemoryNetwork; got an object/,
  })
  await t.rejects(settle(5 as never), { code: 'ERR_INVALID_ARGUMENT' })
})
