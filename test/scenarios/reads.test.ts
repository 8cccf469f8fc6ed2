/**
 * Straight-line code over every network: a login in on_connect, replies that come together, bodies
 * between lines, what is written while connecting, and loops until the peer ends.
 */

import t from 'tap'
import { Client, Connection } from '../../src/channels/basic.ts'
import type { Delimiter } from '../../src/core/delimiters.ts'
import type { SocketAddress } from '../../src/types.ts'
import { overEveryNetwork } from './networks.ts'

/** Greets, asks for a name, and answers lines until the peer ends its side. */
class Shelf extends Connection {
  override encoding = 'utf8' as const
  override read_delimiter = '\r\n'
  override async on_connect() {
    this.write('220-hello\r\n220 go on\r\n')
    const name = await this.read()
    this.write(`230 ${name}\r\n`)
    for await (const line of this) {
      if (line === 'both') this.write('150 here\r\n226 done\r\n')
      else this.write(`${line.length}:${line}`)
    }
    this.write('221 bye\r\n')
  }
}

class Reader extends Client {
  override encoding = 'utf8' as const
  greeting: string[] = []
  override async on_connect() {
    let line: string
    do this.greeting.push((line = await this.read('\r\n')))
    while (line[3] === '-')
    this.write('me\r\n')
    this.greeting.push(await this.read('\r\n'))
  }
}

/** Lines by a delimiter that keeps no view of what came: chunks may be lent to it. */
const COPIED: Delimiter<[string]> = {
  copies: true,
  cut(bytes, start, end) {
    const size = bytes.subarray(start, end).indexOf(10) + 1
    if (size === 0) return end - start + 1
    return { size, data: [bytes.toString('latin1', start, start + size - 2)] }
  },
}

await overEveryNetwork(t, {
  async 'a session from top to bottom'(t, place) {
    const server = await place.listen(Shelf)
    const [reader] = await place.connect(server, Reader)
    t.equal(await reader.ready, reader)
    t.same(reader.greeting, ['220-hello', '220 go on', '230 me'])
    reader.write('both\r\n')
    t.equal(await reader.read('\r\n'), '150 here')
    t.equal(await reader.read('\r\n'), '226 done')
    for (const word of ['short', 'x'.repeat(20_000), '']) {
      reader.write(`${word}\r\n`)
      const size = Number(await reader.read(':'))
      t.equal(await reader.read(size), word)
    }
    const rest = [reader.read('\r\n'), reader.read('\r\n')]
    reader.half_close()
    t.equal(await rest[0], '221 bye')
    await t.rejects(rest[1]!, { code: 'ERR_CLOSED', reason: 'remote' })
    t.equal(await reader.closed, 'remote')
    await t.rejects(reader.read(), { code: 'ERR_CLOSED', reason: 'remote' })
  },

  // Over TLS on Deno such a client never ended its handshake.
  async 'chunks may be lent to a delimiter that copies'(t, place) {
    const server = await place.listen(Shelf)
    const client = new Client({ engine: place.engine, read_delimiter: COPIED })
    client.connect(server.local_address as SocketAddress)
    client.write('me\r\nboth\r\n')
    client.half_close()
    const lines: unknown[] = []
    for await (const line of client) lines.push(line)
    t.same(lines, ['220-hello', '220 go on', '230 me', '150 here', '226 done', '221 bye'])
  },

  async 'what is written while it connects goes out first'(t, place) {
    const server = await place.listen(Shelf)
    const client = new (class extends Client {
      override encoding = 'utf8' as const
      override on_connect() {
        this.write('third\r\n')
        this.half_close()
      }
    })({ engine: place.engine }).connect(server.local_address as SocketAddress)
    client.write('first\r\n')
    client.write('second\r\n')
    let text = ''
    for await (const part of client) text += part
    t.equal(text, '220-hello\r\n220 go on\r\n230 first\r\n6:second5:third221 bye\r\n')
    t.equal(await client.closed, 'remote')
  },

  async 'a connection that closes rejects what is awaited, and nothing is logged'(t, place) {
    const server = await place.listen(Shelf)
    const [reader, shelf] = await place.connect(server, Reader)
    await reader.ready
    const reads = [reader.read('\r\n'), reader.read(5)]
    shelf.close()
    for (const read of reads) await t.rejects(read, { code: 'ERR_CLOSED' })
    await reader.closed
  },
})
