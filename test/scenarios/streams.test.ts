/**
 * Reading, writing and closing: what the original's own tests have, and what stands in no document.
 */

import { Buffer } from 'node:buffer'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Client, Connection } from '../../src/channels/basic.ts'
import type { ReadDelimiter } from '../../src/core/delimiters.ts'
import { length_prefix } from '../../src/core/length/length-prefix.ts'
import { NetStruct } from '../../src/core/struct/net-struct.ts'
import { Struct } from '../../src/core/struct/struct.ts'
import type { OverflowError, TlsHandshakeError } from '../../src/errors.ts'
import type { TlsOptions } from '../../src/transport.ts'
import { testCertificates } from '../certificates.ts'
import { NO_DUPLEX_TLS } from '../duplex-tls.ts'
import { turn, until } from '../kit.ts'
import { allClosed, overEveryNetwork, type Scenario, seeded } from './networks.ts'

/** Keeps what it reads, as text. */
class Recorder extends Client {
  override encoding = 'utf8' as const
  reads: string[] = []

  get text(): string {
    return this.reads.join('')
  }

  override on_read(...data: unknown[]) {
    this.reads.push(data.map(String).join())
  }
}

class Echo extends Connection {
  override encoding = 'utf8' as const
  override read_delimiter = '\r\n'
  override on_read(line: string) {
    this.write(`${line}\r\n`)
  }
}

const { ca, server } = testCertificates()
const CA = ca.cert
const IDENTITY = { key: server.key, cert: server.cert }

/** Options that do not agree: of the server and of the client. */
const REFUSED: [far: TlsOptions, near: TlsOptions][] = [
  [{ ca: CA, requestCert: true }, {}],
  [{ ca: CA, requestCert: true, maxVersion: 'TLSv1.2' }, {}],
  [{ ALPNProtocols: ['one'] }, { ALPNProtocols: ['two'] }],
  [{ maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }],
]

/** Every kind of delimiter: settings, what the peer sends, what is read of it. */
const KINDS: [what: string, settings: object, sent: string, reads: string[]][] = [
  ['a string', { read_delimiter: '\r\n' }, 'a\r\n\r\nbc\r\r\n\n\r\nrest', ['a', '', 'bc\r', '\n']],
  ['a string of many', { read_delimiter: 'aab' }, 'aaab1aabaab', ['a', '1', '']],
  ['bytes', { read_delimiter: new Uint8Array([0, 1]) }, 'x\0\0\x01y\x01\0\x01', ['x\0', 'y\x01']],
  ['a count', { read_delimiter: 3 }, 'abcdefgh', ['abc', 'def']],
  ['a RegExp', { read_delimiter: /[,;]/ }, 'a,b;;c', ['a', 'b', '']],
  [
    'a RegExp that is the message',
    { read_delimiter: /(\w)=(\d);/, regex_search: false },
    'a=1;b=2;  c=3;',
    ['a=1;,a,1', 'b=2;,b,2'],
  ],
  ['a Struct', { read_delimiter: new Struct('!HB') }, '\0\x01\x02\x01\0\xff\0', ['1,2', '256,255']],
  [
    'a NetStruct',
    { read_delimiter: new NetStruct('B$H') },
    '\x02hi\0\x07\0\0\x08\x03',
    ['hi,7', ',8'],
  ],
  [
    'length_prefix',
    { read_delimiter: length_prefix({ size: 1 }) },
    '\x02hi\0\x03you\x05y',
    ['hi', '', 'you'],
  ],
  [
    'an object',
    {
      read_delimiter: {
        cut: (bytes: Buffer, start: number, end: number) =>
          end - start < 2 ? 2 : { size: 2, data: [bytes[start], bytes[start + 1]] },
      },
    },
    'abc',
    ['97,98'],
  ],
]

/**
 * How a stream for the chunking property is made: messages as they are sent, and as they are read.
 */
const STREAMS: Record<
  string,
  { settings: object; make: (random: () => number) => [sent: Buffer, read: string] }
> = {
  string: {
    settings: { read_delimiter: '\r\n' },
    make: random => {
      const text = word(random, 'aé\r漢😀', 40)
      return [Buffer.from(`${text}\r\n`), text]
    },
  },
  bytes: {
    settings: { read_delimiter: Buffer.from('--') },
    make: random => {
      const text = word(random, 'ab', 300)
      return [Buffer.from(`${text}--`), text]
    },
  },
  count: {
    settings: { read_delimiter: 7 },
    make: random => {
      const text = word(random, 'abcdefg', 0, 7)
      return [Buffer.from(text), text]
    },
  },
  RegExp: {
    settings: { read_delimiter: /<(\d)>/ },
    make: random => {
      const text = word(random, 'a<b', 30)
      return [Buffer.from(`${text}<${Math.floor(random() * 10)}>`), text]
    },
  },
  Struct: {
    settings: { read_delimiter: new Struct('!HIB') },
    make: random => {
      const values = [
        Math.floor(random() * 65536),
        Math.floor(random() * 2 ** 32),
        Math.floor(random() * 256),
      ] as [number, number, number]
      return [new Struct('!HIB').pack(...values), values.join()]
    },
  },
  NetStruct: {
    settings: { read_delimiter: new NetStruct('H$B') },
    make: random => {
      const text = word(random, 'xyz', 60)
      const number = Math.floor(random() * 256)
      return [new NetStruct('H$B').pack(text, number), `${text},${number}`]
    },
  },
  length_prefix: {
    settings: { read_delimiter: length_prefix({ size: 2 }) },
    make: random => {
      const text = word(random, 'é漢', 50)
      return [length_prefix({ size: 2 }).pack(text), text]
    },
  },
}

/** A word of up to `most` letters, or of just so many. */
function word(
  random: () => number,
  letters: string,
  most: number,
  length = Math.floor(random() * most),
): string {
  const all = [...letters]
  return Array.from({ length }, () => all[Math.floor(random() * all.length)]).join('')
}

const scenarios: Record<string, Scenario> = {
  // The fast network reads all connections into one buffer: on it, what the first peer had sent
  // became what the second one sent, if a delimiter delivered an array of views.
  async 'what was read of one peer stays as it is, however it was delivered'(t, place) {
    const views: [Buffer, DataView][][] = []
    class Keeper extends Connection {
      override read_delimiter = {
        cut: (bytes: Buffer, start: number, end: number) =>
          end - start < 8
            ? 8
            : {
                size: 8,
                data: [
                  [
                    bytes.subarray(start, start + 8),
                    new DataView(bytes.buffer, bytes.byteOffset + start, 8),
                  ],
                ],
              },
      }
      readonly kept = views[views.push([]) - 1]!
      override on_read(both: any): void {
        this.kept.push(both)
      }
    }
    const server = await place.listen(Keeper)
    const peers = [await place.peer(server), await place.peer(server)] as const
    const all = [1, 2, 3].flatMap(n => peers.map((peer, i) => [peer, i, `peer ${i}.${n}`] as const))
    for (const [peer, i, text] of all) {
      const { length } = views[i]!
      peer.write(text)
      await until(() => views[i]!.length > length)
    }
    for (const [i, kept] of views.entries()) {
      const expected = [1, 2, 3].map(n => `peer ${i}.${n}`)
      t.same(
        kept.map(([buffer]) => buffer.toString()),
        expected,
      )
      t.same(
        kept.map(([, { buffer, byteOffset }]) => Buffer.from(buffer, byteOffset, 8).toString()),
        expected,
      )
    }
    for (const peer of peers) peer.transport.destroy()
  },

  async echo(t, place) {
    const server = await place.listen(Echo)
    const [client] = await place.connect(server, Recorder, { read_delimiter: '\r\n' })
    client.write('hello\r\n')
    client.write('wörld\r\n')
    await until(() => client.reads.length === 2)
    t.same(client.reads, ['hello', 'wörld'])
    t.equal(client.bytes_written, 15)
    t.equal(client.bytes_read, 15)
  },

  async 'echo to all'(t, place) {
    const server = await place.listen(
      class extends Echo {
        override on_read(line: string) {
          for (const channel of this.server.channels) channel.write(`${line}\r\n`)
        }
      },
    )
    const clients = [...Array(5).keys()].map(
      () => new Recorder({ engine: place.engine, read_delimiter: '\r\n' }),
    )
    for (const client of clients) client.connect(server.local_address!)
    await until(
      () =>
        server.channels.size === 5 &&
        [...clients, ...server.channels].every(channel => channel.connected),
    )
    for (const [n, client] of clients.entries()) client.write(`from ${n}\r\n`)
    await until(() => clients.every(client => client.reads.length === 5))
    for (const client of clients)
      t.same(
        client.reads.sort(),
        [0, 1, 2, 3, 4].map(n => `from ${n}`),
      )
  },

  async 'every kind of delimiter'(t, place) {
    for (const [what, settings, sent, reads] of KINDS) {
      const server = await place.listen(
        class extends Connection {
          override on_connect() {
            this.write(Buffer.from(sent, 'latin1'))
            this.end()
          }
        },
      )
      const client = new Recorder({ engine: place.engine, ...settings }).connect(
        server.local_address!,
      )
      t.equal(await client.closed, 'remote')
      t.same(client.reads, reads, what)
    }
  },

  async 'whatever arrived, and characters whole'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override on_connect() {
          this.write('añ漢😀')
          this.write(new Uint8Array([0xe6, 0xbc]))
          this.end()
        }
      },
    )
    const client = new Recorder({ engine: place.engine }).connect(server.local_address!)
    await client.closed
    t.equal(client.text, 'añ漢😀\ufffd')
    t.ok(client.reads.slice(0, -1).every(read => !read.includes('\ufffd')))
  },

  async 'delimiters that take turns'(t, place) {
    // A header line with a size, a body of that size, and again; as the original's guide has it, by
    // replacing on_read.
    const messages: string[] = []
    const server = await place.listen(
      class extends Connection {
        override encoding = 'latin1' as const
        override read_delimiter: ReadDelimiter = '\n'
        override on_read = this.on_header

        on_header(line: string) {
          this.read_delimiter = Number(line)
          this.on_read = this.on_body
        }

        on_body(body: string) {
          messages.push(body)
          this.read_delimiter = '\n'
          this.on_read = this.on_header
        }
      },
    )
    const [client] = await place.connect(server, Client)
    client.write('3\nabc5\nhello1\n\n2\n3\n1\nx')
    await until(() => messages.length === 5)
    t.same(messages, ['abc', 'hello', '\n', '3\n', 'x'])
  },

  // A connection broke in the middle of a body. When the client connected again, the count of that
  // body was still its delimiter, and it read the next header as a body.
  async 'a client begins as it did at first, however its last connection broke'(t, place) {
    const answers = ['10\nhalf', '3\nabc']
    const server = await place.listen(
      class extends Connection {
        override on_connect() {
          this.write(answers.shift()!)
          this.end()
        }
      },
    )
    const bodies: string[] = []
    class Counted extends Client {
      override encoding = 'utf8' as const
      override read_delimiter: ReadDelimiter = '\n'
      override on_read(data: string) {
        if (this.read_delimiter !== '\n') bodies.push(data)
        this.read_delimiter = this.read_delimiter === '\n' ? Number(data) : '\n'
      }
    }
    const client = new Counted({ engine: place.engine })
    t.equal(await client.connect(server.local_address!).closed, 'remote')
    t.equal(client.read_delimiter, '\n')
    t.equal(await client.connect(server.local_address!).closed, 'remote')
    t.same(bodies, ['abc'])
  },

  async 'reads do not depend on chunks'(t, place) {
    for (const [kind, { settings, make }] of Object.entries(STREAMS)) {
      const random = seeded(kind.length)
      const messages = Array.from({ length: 60 }, () => make(random))
      const stream = Buffer.concat(messages.map(([sent]) => sent))
      const reads: string[] = []
      const server = await place.listen(
        class extends Connection {
          override encoding = 'utf8' as const
          override on_connect() {
            Object.assign(this, settings)
          }
          override on_read(...data: unknown[]) {
            reads.push(data.map(String).join())
          }
        },
      )
      const [client, connection] = await place.connect(server, Client)
      for (let at = 0; at < stream.length;) {
        const size = 1 + Math.floor(random() * (random() < 0.5 ? 4 : 500))
        client.write(stream.subarray(at, at + size), random() < 0.5)
        at += size
        if (random() < 0.2) await turn()
      }
      client.end()
      await allClosed(client, connection)
      t.same(
        reads,
        messages.map(([, read]) => read),
        kind,
      )
    }
  },

  async 'write_file keeps its place'(t, place) {
    const path = join(t.testdir(), 'file')
    writeFileSync(path, Array.from({ length: 30_000 }, (_, n) => `line ${n}`).join('\n'))
    const server = await place.listen(
      class extends Connection {
        override on_connect() {
          this.write('before\n')
          this.write_file(path)
          this.write('\nbetween\n')
          this.write_file(path, 6, 7)
          this.write('\nafter')
          this.end()
        }
      },
    )
    const client = new Recorder({ engine: place.engine, read_delimiter: '\n' }).connect(
      server.local_address!,
    )
    await client.closed
    t.equal(client.reads.length, 30_003)
    t.same(
      [...client.reads.slice(0, 3), ...client.reads.slice(-2)],
      ['before', 'line 0', 'line 1', 'between', 'line 1'],
    )
    t.ok(client.reads.slice(1, 30_001).every((line, n) => line === `line ${n}`))
  },

  async 'a file that is not there'(t, place) {
    const errors: string[] = []
    const server = await place.listen(
      class extends Connection {
        override on_write_error(error: Error & { code: string }) {
          errors.push(error.code)
          this.write('sorry')
          this.end()
        }
      },
    )
    const [client, connection] = await place.connect(server, Recorder)
    connection.write_file(join(t.testdir(), 'none'))
    t.same(await allClosed(client, connection), ['remote', 'error'])
    t.same([errors, client.text], [['ENOENT'], 'sorry'])
  },

  async 'closing in each hook, in each way'(t, place) {
    const ways = {
      close: (channel: Connection) => channel.close(),
      'close(true)': (channel: Connection) => channel.close(true),
      end: (channel: Connection) => channel.end(),
    }
    for (const [way, close] of Object.entries(ways)) {
      for (const hook of ['on_connect', 'on_read', 'on_write', 'on_read_end'] as const) {
        const log: string[] = []
        const server = await place.listen(
          class extends Connection {
            override on_connect() {
              if (hook === 'on_connect') this.#say()
              if (hook === 'on_write') this.write('Hello')
            }
            override on_read() {
              if (hook === 'on_read') this.#say()
            }
            override on_write() {
              if (hook === 'on_write') close(this)
            }
            override on_read_end() {
              if (hook === 'on_read_end') this.#say()
            }
            override on_close(reason: string) {
              log.push(reason)
              close(this)
              this.write('too late')
            }
            #say() {
              this.write('Hello')
              close(this)
              t.equal(this.write('too late'), false)
              close(this)
            }
          },
        )
        const peer = await place.peer(server)
        const [connection] = server.channels
        peer.transport.resume()
        if (hook === 'on_read') peer.write('x')
        if (hook === 'on_read_end') peer.transport.end()
        await until(() => peer.log.includes('ended'))
        peer.transport.end()
        await connection?.closed
        await until(() => log.length > 0)
        t.equal(
          peer.text,
          way === 'close' && hook !== 'on_write' ? '' : 'Hello',
          `${way} in ${hook}`,
        )
        t.same(log, [hook === 'on_read_end' ? 'remote' : 'local'], `${way} in ${hook}`)
        await until(() => peer.log.at(-1) === 'closed')
        server.close()
        await server.closed
      }
    }
  },

  async 'half-close'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override encoding = 'utf8' as const
        #questions = ''
        override on_read(data: string) {
          this.#questions += data
        }
        override on_read_end() {
          setImmediate(() => {
            this.write(`you asked ${this.#questions}`)
            this.end()
          })
        }
      },
    )
    const peer = await place.peer(server)
    peer.write('this?')
    peer.transport.end()
    peer.transport.resume()
    await until(() => peer.log.includes('closed'))
    t.equal(peer.text, 'you asked this?')
    t.same(
      peer.log.filter(report => report !== 'drained'),
      ['opened', 'ended', 'closed'],
    )
  },

  async 'the peer ends with half a message'(t, place) {
    const log: string[] = []
    const server = await place.listen(
      class extends Echo {
        override on_read(line: string) {
          log.push(line)
          super.on_read(line)
        }
        override on_read_end() {
          log.push('end')
          this.write('bye')
          super.on_read_end()
        }
        override on_close(reason: string) {
          log.push(reason)
        }
      },
    )
    const peer = await place.peer(server)
    peer.write('one\r\ntwo\r\nthr')
    peer.transport.end()
    peer.transport.resume()
    await until(() => peer.log.includes('closed') && log.includes('remote'))
    t.same(log, ['one', 'two', 'end', 'remote'])
    t.equal(peer.text, 'one\r\ntwo\r\nbye')
  },

  async 'too much without a delimiter'(t, place) {
    const errors: OverflowError[] = []
    const server = await place.listen(
      class extends Echo {
        override buffer_size = 10
        override on_overflow_error(error: OverflowError) {
          errors.push(error)
          this.write('too long\r\n')
          this.end()
        }
      },
    )
    const [client, connection] = await place.connect(server, Recorder, { read_delimiter: '\r\n' })
    client.write('0123456789\r\n01234567890\r\n')
    t.equal(await connection.closed, 'overflow')
    await client.closed
    t.match(errors, [{ code: 'ERR_OVERFLOW', buffer: 'receive', limit: 10 }])
    t.same(client.reads, ['0123456789', 'too long'])
  },

  async 'a peer that never reads: memory is bounded, and the server stops reading'(t, place) {
    const server = await place.listen(
      class extends Connection {
        override send_buffer_size = 200_000
        override send_high_water = 100_000
        override on_read(data: Buffer) {
          this.write(data)
        }
      },
    )
    const peer = await place.peer(server)
    const [connection] = server.channels as ReadonlySet<Connection>
    const data = Buffer.alloc(1_000_000, 'x')
    // The kernel's buffers take some; then everything stands. (Trickling it would take a while to
    // fill them.)
    if (place.isTrickling) return peer.transport.destroy()
    let [most, written, read] = [0, 0, -1]
    for (let quiet = 0; quiet < 100 && written < 60_000_000; quiet++) {
      for (; peer.transport.bytes_queued < data.length; written += data.length) peer.write(data)
      await turn()
      most = Math.max(most, connection!.bytes_queued)
      if (read !== connection!.bytes_read) quiet = 0
      read = connection!.bytes_read
    }
    t.ok(written < 60_000_000, 'the peer feels it')
    t.ok(most > 0 && most < 200_000, `at most ${most} bytes queued`)
    peer.transport.resume()
    await until(() => peer.text.length === written)
    t.pass('and it goes on when the peer reads')
    peer.transport.end()
    await connection!.closed
  },

  async 'too much for a peer that never reads'(t, place) {
    const errors: OverflowError[] = []
    const server = await place.listen(
      class extends Connection {
        override send_buffer_size = 100_000
        override on_overflow_error(error: OverflowError) {
          errors.push(error)
          return super.on_overflow_error(error)
        }
      },
    )
    const peer = await place.peer(server)
    const [connection] = server.channels as ReadonlySet<Connection>
    let refused = 0
    while (connection!.connected) {
      if (!connection!.write(Buffer.alloc(50_000))) refused++
      await turn()
    }
    t.equal(await connection!.closed, 'overflow')
    t.match(errors, [{ code: 'ERR_OVERFLOW', buffer: 'send', limit: 100_000 }])
    t.ok(refused > 1, 'write had said so')
    t.match(place.logged.splice(0), [/ERR_OVERFLOW/])
    peer.transport.destroy()
  },

  // On the fast network the handshake of a server failed with EALREADY if TLS began within a read:
  // Node's socket believed that the handle had stopped to read.
  async 'TLS in the middle, after some lines'(t, place) {
    if (place.isTls || (NO_DUPLEX_TLS && /memory|trickling/.test(place.name))) return
    const server = await place.listen(
      class extends Echo {
        override on_connect() {
          this.write('hello\r\n')
        }
        override on_read(line: string) {
          this.write(`${line}\r\n`)
          if (line === 'STARTTLS') this.start_tls(IDENTITY)
        }
      },
    )
    const settings = { engine: place.engine, encoding: 'utf8', read_delimiter: '\r\n' } as const
    const client = new Client(settings).connect(server.local_address!)
    const answers = [await client.read()]
    for (const line of ['one', 'two', 'STARTTLS', 'three', 'four']) {
      client.write(`${line}\r\n`)
      answers.push(await client.read())
      if (line === 'STARTTLS') client.start_tls({ ca: CA })
    }
    t.same(
      [answers.join(' '), client.tls?.protocol],
      ['hello one two STARTTLS three four', 'TLSv1.3'],
    )
    client.close()
    await client.closed
  },

  // In memory the alert was lost: the answer that it refused had come before Node had finished the
  // write before it. The peer was told of a connection that was closed.
  async 'TLS that is refused: both ends are told why'(t, place) {
    if (place.isTls || (NO_DUPLEX_TLS && /memory|trickling/.test(place.name))) return
    const told: string[][] = []
    for (const [far, near] of REFUSED) {
      const errors: string[] = []
      const note = (end: string, error: { code: string }): void =>
        void errors.push(`${end} ${/ALERT/.test(error.code) ? 'alert' : 'its own reason'}`)
      class Refusing extends Connection {
        override on_tls_handshake_error(error: TlsHandshakeError) {
          note('far', error)
        }
      }
      const server = await place.listen(Refusing, { tls: { ...IDENTITY, ...far } })
      const client = new Client({ engine: place.engine, tls: { ca: CA, ...near } })
      client.on_tls_handshake_error = client.on_tls_error = error => {
        note('near', error)
        client.close()
      }
      client.connect(server.local_address!)
      await client.closed
      await until(() => errors.length === 2)
      told.push(errors.sort())
      server.close()
    }
    t.same(
      told,
      REFUSED.map(() => ['far its own reason', 'near alert']),
    )
  },
}

await overEveryNetwork(t, scenarios)
