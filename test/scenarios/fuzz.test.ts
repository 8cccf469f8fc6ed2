/**
 * Seeded garbage against everything that a peer, or a format that came from outside, can reach.
 * What is given is accepted or refused by its named error: never anything else, never a hang, never
 * growth. Bounded by counts; a failure names its seed.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  ChannelError,
  Client,
  Connection,
  Engine,
  length_prefix,
  NetStruct,
  type ReadDelimiter,
  Server,
  Struct,
} from '../../src/index.ts'
import { MemoryNetwork, pair } from '../../src/testing.ts'
import type { Encoding } from '../../src/types.ts'
import { testCertificates } from '../certificates.ts'
import { ENCODINGS, pick, type Random, seeded } from '../core/oracle.ts'

const BUFFER_SIZE = 512

const DELIMITERS: readonly ReadDelimiter[] = [
  null,
  '\n',
  '\r\n',
  'é',
  '\0\0',
  Buffer.from([0xff, 0xfe]),
  1,
  7,
  300,
  /\r?\n/,
  /[^a-z]/,
  length_prefix({ size: 1 }),
  length_prefix(),
  length_prefix({ size: 2, adjust: -5 }),
  new Struct('!HB'),
  new Struct('<q5s'),
  new NetStruct('ih$2b'),
  new NetStruct('b$'),
]

/** The errors that bytes may lead to, whatever they are. */
const REFUSALS = new Set(['ERR_OVERFLOW', 'ERR_INVALID_DELIMITER', 'ERR_STRUCT'])

/** Bytes of which some look like the beginning, the middle or the end of a message. */
function garbage(random: Random, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size;) {
    const kind = random(5)
    const length = Math.min(size - at, 1 + random(40))
    if (kind === 0) bytes.fill(random(256), at, at + length)
    else if (kind === 1) bytes.fill('\r\n', at, at + length)
    else if (kind === 2) bytes.fill('text é ', at, at + length)
    else for (let i = 0; i < length; i++) bytes[at + i] = random(256)
    at += length
  }
  return bytes
}

t.test(
  'garbage into a channel: reads, or one named error; what is held stays within the bound',
  async t => {
    for (let seed = 0; seed < 120; seed++) {
      const random = seeded(seed)
      const errors: string[] = []
      let reads = 0
      class Victim extends Connection {
        override buffer_size = BUFFER_SIZE
        override encoding: Encoding | null = pick(random, ENCODINGS)
        override read_delimiter: ReadDelimiter = pick(random, DELIMITERS)

        override on_read(): void {
          reads++
          if (random(10) === 0) this.read_delimiter = pick(random, DELIMITERS)
          if (random(20) === 0) this.encoding = pick(random, ENCODINGS)
        }

        override on_error(error: Error): void {
          errors.push(error instanceof ChannelError ? error.code : `not named: ${error.stack}`)
          if (random(2) === 0) this.read_delimiter = pick(random, DELIMITERS)
          else this.close()
        }
      }
      const {
        client,
        connection,
        engine,
        pump,
        [Symbol.asyncDispose]: stop,
      } = await pair({ connection: Victim, chunk: 1 + random(700), log: () => {} })
      let held = 0
      for (let i = 0; i < 20 && client.connected; i++) {
        client.write(garbage(random, 1 + random(600)))
        await pump()
        held = Math.max(held, engine.stats().bytes_held)
      }
      client.end()
      await pump()
      await stop()
      t.ok(
        errors.every(code => REFUSALS.has(code)),
        `seed ${seed}: ${errors.find(code => !REFUSALS.has(code))}`,
      )
      t.ok(held <= BUFFER_SIZE + 1400, `seed ${seed}: ${held} bytes were held`)
      t.equal(connection.state, 'closed', `seed ${seed}`)
      t.ok(reads + errors.length > 0, `seed ${seed}: something came of it`)
    }
  },
)

/** What is in formats, and what is not. */
const LETTERS = [...'@=<>!xcbB?hHiIlLqQfdsp0123456789 $(){}.-'].concat('é', '\0', '\n')

t.test('formats of Structs: they cut messages, or are refused by a named error', async t => {
  let accepted = 0
  for (let seed = 0; seed < 4000; seed++) {
    const random = seeded(seed)
    const format = Array.from({ length: random(8) }, () => pick(random, LETTERS)).join('')
    for (const Format of [Struct, NetStruct] as const) {
      const bytes = garbage(random, 64 + random(64))
      const outcome = named(() => new Format(format).cut(bytes, 0, bytes.length))
      if (typeof outcome === 'string') {
        if (!REFUSALS.has(outcome)) t.fail(`seed ${seed}: ${JSON.stringify(format)}: ${outcome}`)
        continue
      }
      accepted++
      const [size, wants] =
        typeof outcome === 'number' ? [bytes.length, outcome] : [outcome.size, Infinity]
      if (!(size >= 1 && size <= bytes.length && wants > bytes.length))
        t.fail(
          `seed ${seed}: ${JSON.stringify(format)} ` +
            `cuts ${size} of ${bytes.length}, or wants ${wants}`,
        )
    }
  }
  t.ok(accepted > 200, `${accepted} were formats`)
})

/** What it returns, or the code of its error. */
function named<Value>(call: () => Value): Value | string {
  try {
    return call()
  } catch (error) {
    return error instanceof ChannelError ? error.code : `not named: ${(error as Error).stack}`
  }
}

t.test(
  'garbage where TLS is to begin: one named error of the handshake, no read, nothing is left',
  async t => {
    const made = testCertificates()
    const { key, cert } = made.server
    for (let seed = 0; seed < 60; seed++) {
      const random = seeded(seed)
      const isUpgrade = random(2) === 0
      const errors: string[] = []
      const reads: string[] = []
      const engine = new Engine({
        network: new MemoryNetwork({ auto: true, chunk: 1 + random(400) }),
        log: () => {},
      })
      class Victim extends Connection {
        override encoding = 'latin1' as const
        override read_delimiter: ReadDelimiter = '\n'
        override handshake_timeout = 500
        override on_read(line: string): void {
          reads.push(line)
          if (reads.length === 1 && isUpgrade) this.start_tls({ key, cert })
        }
        override on_error(error: Error): void {
          errors.push(`other ${error}`)
        }
        override on_tls_handshake_error(error: Error): void {
          errors.push(error instanceof ChannelError ? 'handshake' : `not named: ${error}`)
        }
      }
      const server = await new Server(Victim, {
        engine,
        ...(!isUpgrade && { tls: { key, cert } }),
      }).listen(1).opened
      const client = await new Client({ engine }).connect(1).opened
      client.on_error = () => client.close()
      if (isUpgrade) client.write('STARTTLS\n')
      for (let i = random(4); i >= 0; i--) {
        client.write(
          random(3) === 0
            ? Buffer.from('16030100f0010000ec0303', 'hex')
            : garbage(random, 1 + random(600)),
        )
        if (random(2) === 0) await new Promise(setImmediate)
      }
      client.end()
      for (let i = 0; i < 5000 && server.channels.size > 0; i++) await new Promise(setImmediate)
      await engine.stop({ timeout: 1000 })
      t.same(
        [
          errors.filter(each => each !== 'handshake'),
          errors.length <= 1,
          reads.filter(line => line !== 'STARTTLS'),
        ],
        [[], true, []],
        `seed ${seed}`,
      )
    }
  },
)
