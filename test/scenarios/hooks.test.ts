/**
 * Hooks: which are called, in which order, with what, and what comes of what they throw and return.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import type { Channel } from '../../src/channels/channel.ts'
import { StreamServer } from '../../src/channels/servers/stream-server.ts'
import { spy, turn, until } from '../kit.ts'
import { overEveryNetwork, type Place, type Scenario } from './networks.ts'

/** A class whose hooks are written down. */
function spied<Class extends new (...args: any[]) => Connection>(
  Base: Class,
  log: string[],
): Class {
  return class extends Base {
    constructor(...args: any[]) {
      super(...args)
      spy(this, '', log)
    }
  }
}

/** A client whose hooks are written down. */
function caller(place: Place, log: string[], options: object = {}): Client {
  const client = new Client({
    engine: place.engine,
    encoding: 'utf8',
    read_delimiter: '\n',
    ...options,
  })
  // What is assigned to it later is written down too.
  return spy(client, '', log)
}

class Lines extends Connection {
  override encoding = 'utf8' as const
  override read_delimiter = '\n'
  override on_read(line: string) {
    this.write(`${line}\n`)
  }
}

/**
 * Waits until both have closed, and returns what is in the logs, but for what is special to TLS
 * (tls.test.ts).
 */
async function over(...logs: string[][]): Promise<string[][]> {
  await until(() => logs.every(log => log.some(line => line.startsWith(' close '))))
  return logs.map(log => log.map(line => line.trim()).filter(line => line !== 'tls_handshake'))
}

/**
 * Whether a path is in use is found out by connecting to it, which a server that speaks TLS takes
 * for a failed handshake.
 */
function notProbed(line: string): boolean {
  return !/handshake.*ECONNRESET/.test(line)
}

const OPENED = ['state opening closed', 'state active opening', 'connect']
const CLOSED = ['state closed closing', 'state destroy closed']

const scenarios: Record<string, Scenario> = {
  async 'echo, and the client ends'(t, place) {
    const [near, far] = [[], []] as string[][]
    const server = await place.listen(spied(Lines, far!))
    const client = caller(place, near!)
    const read = client.on_read
    client.on_read = (...data) => {
      void read.apply(client, data)
      client.end()
    }
    await client.connect(server.local_address!).opened
    client.write('hello\n')
    t.same(await over(near!, far!), [
      [...OPENED, 'write', 'read hello', 'state closing active', ...CLOSED, 'close local'],
      [
        ...OPENED,
        'read hello',
        'write',
        'read_end',
        'state closing active',
        ...CLOSED,
        'close remote',
      ],
    ])
    t.equal(await client.opened, client)
    t.equal(await client.closed, 'local')
  },

  async 'echo, and the client closes'(t, place) {
    const [near, far] = [[], []] as string[][]
    const server = await place.listen(spied(Lines, far!))
    const client = caller(place, near!)
    await client.connect(server.local_address!).opened
    client.write('hello\n')
    await until(() => near!.includes(' read hello'))
    client.close()
    t.same(await over(near!, far!), [
      [...OPENED, 'write', 'read hello', 'state closing active', ...CLOSED, 'close local'],
      [
        ...OPENED,
        'read hello',
        'write',
        'read_end',
        'state closing active',
        ...CLOSED,
        'close remote',
      ],
    ])
  },

  async 'echo, and the server ends in the hook'(t, place) {
    const [near, far] = [[], []] as string[][]
    const server = await place.listen(
      spied(
        class extends Lines {
          override on_read(line: string) {
            super.on_read(line)
            this.end()
          }
        },
        far!,
      ),
    )
    const client = caller(place, near!)
    await client.connect(server.local_address!).opened
    client.write('hello\nnot read any more\n')
    t.same(await over(near!, far!), [
      [
        ...OPENED,
        'write',
        'read hello',
        'read_end',
        'state closing active',
        ...CLOSED,
        'close remote',
      ],
      [...OPENED, 'read hello', 'state closing active', 'write', ...CLOSED, 'close local'],
    ])
  },

  async refused(t, place) {
    const server = await place.listen()
    const address = server.local_address!
    server.close()
    await server.closed
    const log: string[] = []
    const client = caller(place, log).connect(address)
    const code = /unix/.test(place.name) ? 'ENOENT' : 'ECONNREFUSED'
    await t.rejects(client.opened, { name: 'ConnectError', code })
    t.same(await over(log), [
      [
        'state opening closed',
        'state error opening',
        `connect_error ${code}`,
        `error ${code}`,
        'state closing error',
        ...CLOSED,
        'close error',
      ],
    ])
    t.equal(await client.closed, 'error')
    t.same(place.logged.splice(0), [], 'the program looks at `opened`')
  },

  async 'in use'(t, place) {
    const first = await place.listen()
    const log: string[] = []
    const second = spy(new Server({ engine: place.engine }), '', log).listen(first.local_address!)
    await t.rejects(second.opened, { name: 'ListenError', code: 'EADDRINUSE' })
    t.same(await over(log), [
      [
        'state opening closed',
        'state error opening',
        'listen_error EADDRINUSE',
        'error EADDRINUSE',
        'state closing error',
        ...CLOSED,
        'close error',
      ],
    ])
    t.same(place.logged.splice(0).filter(notProbed), [], 'the program looks at `opened`')
    const [client] = await place.connect(first, Client)
    t.ok(client.connected, 'the first one goes on')
  },

  async overflow(t, place) {
    const log: string[] = []
    const server = await place.listen(
      spied(
        class extends Lines {
          override buffer_size = 4
        },
        log,
      ),
    )
    const peer = await place.peer(server)
    peer.write('fine\ntoo long\n')
    peer.transport.resume()
    await until(() => peer.log.includes('ended'))
    t.equal(peer.text, 'fine\n', 'what was answered before is sent')
    peer.transport.end()
    t.same(await over(log), [
      [
        ...OPENED,
        'read fine',
        'overflow_error ERR_OVERFLOW',
        'error ERR_OVERFLOW',
        'state closing active',
        'write',
        ...CLOSED,
        'close overflow',
      ],
    ])
    t.match(place.logged.splice(0), [/ERR_OVERFLOW/])
    await until(() => peer.log.length > 1)
    peer.transport.destroy()
  },

  async reset(t, place) {
    // TLS reads ahead, so nothing is left unread.
    if (place.isTls) return
    const log: string[] = []
    const server = await place.listen(
      spied(
        class extends Lines {
          override on_connect() {
            this.write('never read\n')
          }
        },
        log,
      ),
    )
    const peer = await place.peer(server)
    await until(() => log.includes(' write'))
    // Who closes with bytes unread resets the connection.
    peer.transport.destroy()
    t.same(await over(log), [
      [
        ...OPENED,
        'write',
        'state error active',
        'read_error ECONNRESET',
        'error ECONNRESET',
        'state closing error',
        ...CLOSED,
        'close error',
      ],
    ])
    t.match(place.logged.splice(0), [/ECONNRESET/])
  },

  async 'a timeout'(t, place) {
    const log: string[] = []
    const server = await place.listen(
      spied(
        class extends Lines {
          override end_timeout = 1
          override on_connect() {
            this.end()
          }
        },
        log,
      ),
    )
    const peer = await place.peer(server)
    t.same(await over(log), [[...OPENED, 'state closing active', ...CLOSED, 'close timeout']])
    peer.transport.destroy()
  },

  async 'an abort signal'(t, place) {
    const server = await place.listen()
    const log: string[] = []
    const client = caller(place, log).connect(server.local_address!, {
      signal: AbortSignal.abort(),
    })
    await t.rejects(client.opened, { code: 'ERR_ABORTED' })
    t.same(await over(log), [
      [
        'state opening closed',
        'state error opening',
        'connect_error ERR_ABORTED',
        'error ERR_ABORTED',
        'state closing error',
        ...CLOSED,
        'close error',
      ],
    ])
    t.same(place.logged.splice(0), [], 'the program looks at `opened`')
  },

  async 'closed before it was open'(t, place) {
    const server = await place.listen()
    const log: string[] = []
    const client = caller(place, log).connect(server.local_address!)
    client.end()
    await t.rejects(client.opened, { code: 'ERR_CLOSED' })
    t.same(await over(log), [
      ['state opening closed', 'state closing opening', ...CLOSED, 'close local'],
    ])
  },

  async 'on_read that returns a promise: one at a time, in order, and the peer feels it'(t, place) {
    let running = 0
    const reads: string[] = []
    let release = () => {}
    const server = await place.listen(
      class extends Lines {
        override async on_read(line: string) {
          t.equal(++running, 1)
          reads.push(line.slice(0, 3))
          if (line.startsWith('000')) await new Promise<void>(resolve => (release = resolve))
          else await (Number(line.slice(0, 3)) % 2 && turn())
          running--
        }
      },
    )
    const peer = await place.peer(server)
    const line = (n: number, size: number) => `${String(n).padStart(3, '0')}${'x'.repeat(size)}\n`
    peer.write(line(0, 0))
    await until(() => reads.length === 1)
    if (!place.isTrickling) {
      let size = 0
      while (peer.transport.bytes_queued < 1_000_000 && size < 60_000_000) {
        peer.write(Buffer.from(line(1, 60_000)))
        size += 60_000
        await turn()
      }
      t.ok(size < 60_000_000, 'the peer feels it')
      t.same(reads, ['000'])
      release()
      await until(() => peer.transport.bytes_queued === 0)
    }
    release()
    for (let n = 2; n < 50; n++) peer.write(line(n, 5))
    await until(() => reads.at(-1) === '049')
    t.same(
      reads.filter(read => read > '001'),
      Array.from({ length: 48 }, (_, n) => String(n + 2).padStart(3, '0')),
    )
    peer.transport.destroy()
  },

  async 'a promise that rejects'(t, place) {
    const log: string[] = []
    const server = await place.listen(
      spied(
        class extends Lines {
          override async on_read(line: string) {
            await turn()
            if (line === 'bad') throw new Error('bad line')
            this.write(`${line}\n`)
          }
          override on_error(error: Error) {
            this.write(`${error.message}\n`)
          }
        },
        log,
      ),
    )
    const peer = await place.peer(server)
    peer.transport.resume()
    peer.write('one\nbad\ntwo\n')
    await until(() => peer.text === 'one\nbad line\ntwo\n')
    peer.transport.end()
    await over(log)
    t.same(
      log.filter(line => line.includes('error')),
      [' error bad line'],
    )
  },

  async 'every hook may throw, and nobody else is disturbed'(t, place) {
    const errors: string[] = []
    /** Throws in that hook, and only there. */
    const frail = (channel: Channel, hook: string) => {
      Object.assign(channel, {
        [hook]: () => {
          throw new Error(hook)
        },
        on_error(error: Error) {
          errors.push(error.message)
          channel.close()
        },
      })
    }
    let hook = ''
    const server = await place.listen(
      class extends Lines {
        override buffer_size = 20
        constructor(options: ConstructorParameters<typeof Connection>[0]) {
          super(options)
          if (hook !== '') frail(this, hook)
        }
      },
    )
    const witness = await place.peer(server)
    for (hook of [
      'on_state',
      'on_connect',
      'on_read',
      'on_write',
      'on_read_end',
      'on_overflow_error',
      'on_close',
    ]) {
      errors.length = 0
      const count = server.channels.size
      const log: string[] = []
      const client = caller(place, log)
      client.on_error = () => client.close()
      client.connect(server.local_address!)
      await client.opened
      client.write(hook === 'on_overflow_error' ? 'x'.repeat(50) : 'x\n')
      if (hook === 'on_read_end' || hook === 'on_close') client.end()
      await client.closed
      await until(() => server.channels.size === count && errors.length > 0)
      t.ok(
        errors.every(error => error === hook),
        hook,
      )
      if (hook !== 'on_state') t.equal(errors.length, 1, hook)
    }
    hook = ''
    errors.length = 0

    const client = new Client({ engine: place.engine })
    frail(client, 'on_connect_error')
    client.connect(server.local_address!, { signal: AbortSignal.abort() })
    await client.closed
    t.same(errors.splice(0), ['on_connect_error'])

    const second = new StreamServer({ engine: place.engine })
    frail(second, 'on_listen_error')
    second.listen(server.local_address!)
    await second.closed
    t.same(errors.splice(0), ['on_listen_error'])

    for (hook of ['on_listen', 'on_accept', 'on_drop']) {
      const third = new StreamServer({
        engine: place.engine,
        max_connections: hook === 'on_drop' ? 0 : 1,
      })
      frail(third, hook)
      third.listen(place.address())
      await third.opened
      const name = hook
      if (hook !== 'on_listen') {
        const client = new Client({ engine: place.engine })
        client.on_error = () => client.close()
        client.connect(third.local_address!)
        await client.closed
      }
      await until(() => errors.length > 0)
      t.same(errors.splice(0), [name])
      await third.closed
    }

    hook = 'on_error'
    const broken = await place.peer(server)
    const connection = [...server.channels].at(-1)!
    connection.on_read = connection.on_error = () => {
      throw new Error('both')
    }
    broken.write('x\n')
    broken.transport.resume()
    await connection.closed
    t.match(place.logged.splice(0).filter(notProbed), [/on_error itself threw both, on both\n/])
    broken.transport.destroy()

    witness.write('still here\n')
    witness.transport.resume()
    await until(() => witness.text === 'still here\n')
    witness.transport.destroy()
  },

  async 'a client connects again in on_close'(t, place) {
    const server = await place.listen(
      class extends Lines {
        override on_connect() {
          this.write('half of a line')
          this.end()
        }
      },
    )
    const log: string[] = []
    const client = caller(place, log)
    let rounds = 0
    client.on_close = reason => {
      if (++rounds < 5) client.connect(server.local_address!)
      else log.push(` close ${reason}`)
    }
    client.connect(server.local_address!)
    const [lines] = await over(log)
    t.equal(lines!.filter(line => line === 'connect').length, 5)
    t.equal(lines!.filter(line => line === 'state destroy closed').length, 5)
    t.notOk(lines!.some(line => line.startsWith('read ')))
    t.equal(await client.closed, 'remote')
  },

  async 'plain JavaScript, with fields'(t, place) {
    // As a program without a compiler has it: fields of every kind, in any order.
    const Plain = new Function(
      'Connection',
      `
      return class extends Connection {
        #count = 0
        encoding = 'latin1'
        label = 'kept'
        read_delimiter = ';'
        #secret = 'hidden'
        on_read = text => {
          this.#count++
          this.write(this.label + ' ' + this.#secret + ' ' + this.#count + ' ' + text + ';')
        }
        end_timeout = 5000
      }`,
    )(Connection) as typeof Connection
    const server = await place.listen(Plain)
    const [client, connection] = await place.connect(server, Client)
    const reads: string[] = []
    client.encoding = 'latin1'
    client.read_delimiter = ';'
    client.on_read = (text: string) => void reads.push(text)
    client.write('a;\xe9;')
    await until(() => reads.length === 2)
    t.same(reads, ['kept hidden 1 a', 'kept hidden 2 \xe9'])
    t.equal(connection.end_timeout, 5000)
  },
}

await overEveryNetwork(t, scenarios)
