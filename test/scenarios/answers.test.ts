/**
 * Answers do not depend on how the requests were cut: what was answered before an error is sent,
 * whatever the error is, and nothing after it.
 */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client, Connection } from '../../src/channels/basic.ts'
import { pair } from '../../src/testing.ts'
import { pick, type Random, seeded } from '../core/oracle.ts'
import { until } from '../kit.ts'
import { overEveryNetwork, type Scenario } from './networks.ts'

class Lines extends Connection {
  override encoding = 'utf8' as const
  override read_delimiter: any = '\n'
  override buffer_size = 40
  override on_read(line: string): void | Promise<void> {
    this.write(`ok ${line}\n`)
  }
}

/** What goes wrong at a line `bad`, by its name. */
const SERVERS: Readonly<Record<string, new (options: any) => Connection>> = {
  'the hook throws': class extends Lines {
    override on_read(line: string) {
      if (line === 'bad') throw new Error('bad request')
      return super.on_read(line)
    }
  },
  'its promise rejects': class extends Lines {
    override async on_read(line: string) {
      await null
      if (line === 'bad') throw new Error('bad request')
      await super.on_read(line)
    }
  },
  'the answer comes later': class extends Lines {
    override async on_read(line: string) {
      await new Promise(setImmediate)
      if (line === 'bad') throw new Error('bad request')
      await super.on_read(line)
    }
  },
  'the line is too long': class extends Lines {
    override on_read(line: string) {
      if (line === 'bad') this.buffer_size = 1
      else super.on_read(line)
    }
  },
  'the delimiter throws': class extends Lines {
    override read_delimiter = {
      text: true,
      cut: (bytes: Buffer, start: number, end: number) => {
        const at = bytes.subarray(start, end).indexOf('\n')
        if (at === -1) return end - start + 1
        const line = bytes.subarray(start, start + at)
        if (String(line) === 'bad') throw new Error('bad request')
        return { size: at + 1, data: [line] }
      },
    }
  },
}

/** Good requests, one that is bad, and more after it. */
function requests(random: Random): { sent: string; answers: string } {
  const lines = Array.from({ length: random(12) }, (_, n) => `${n} ${'x'.repeat(random(20))}`)
  const later = Array.from({ length: 1 + random(5) }, () => 'never answered')
  return {
    sent: [...lines, 'bad', ...later].join('\n') + '\n',
    answers: lines.map(line => `ok ${line}\n`).join(''),
  }
}

t.test('PROPERTY: the answers are the same for every cutting', async t => {
  for (const [name, connection] of Object.entries(SERVERS)) {
    const wrong: string[] = []
    for (let seed = 0; seed < 60; seed++) {
      const random = seeded(seed)
      const { sent, answers } = requests(random)
      const made = await pair({ connection, chunk: pick(random, [1, 3, 20, 1000]), log: () => {} })
      const { client, pump } = made
      for (let at = 0; at < sent.length && client.connected;) {
        const size = 1 + random(pick(random, [3, 30, 1000]))
        client.write(sent.slice(at, at + size))
        at += size
        if (random(2) === 0) await pump()
        else await pump(1 + random(20))
      }
      await pump()
      const got = Buffer.concat(client.reads).toString()
      if (got !== answers) wrong.push(`seed ${seed}: ${JSON.stringify([sent, got])}`)
      if (made.connection.state !== 'closed') wrong.push(`seed ${seed}: not closed`)
      await made[Symbol.asyncDispose]()
    }
    t.same(wrong.slice(0, 3), [], name)
  }
})

const scenarios: Record<string, Scenario> = {
  async 'answers before an error'(t, place) {
    for (const [name, ConnectionClass] of Object.entries(SERVERS)) {
      const server = await place.listen(ConnectionClass)
      for (const pieces of [
        ['1\n2\nbad\nlast\n'],
        ['1\n', '2\n', 'bad\nlast\n'],
        [...'1\n2\nbad\nlast\n'],
      ]) {
        let got = ''
        const client = new Client({ engine: place.engine, encoding: 'utf8' })
        client.on_read = (text: string) => void (got += text)
        await client.connect(server.local_address!).opened
        for (const piece of pieces) {
          client.write(piece, true)
          if (pieces.length < 5) await new Promise(setImmediate)
        }
        await client.closed
        t.equal(got, 'ok 1\nok 2\n', `${name}, in ${pieces.length}`)
      }
      await until(() => server.channels.size === 0)
      server.close()
      place.logged.length = 0
    }
  },
}

await overEveryNetwork(t, scenarios)
