/** The header that comes first, and the connection behind it. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Proxied, ProxyReader } from '../../../src/channels/servers/proxied.ts'
import type { SystemError, Transport, TransportSink } from '../../../src/transport.ts'
import { turn } from '../../kit.ts'

/** A transport that writes down what is called. */
class Inner {
  sink: TransportSink | undefined
  readonly calls: string[] = []
  local_address = ['10.0.0.1', 1] as const
  remote_address = ['10.0.0.2', 2] as const
  fileno = 3
  bytes_read = 4
  bytes_written = 5
  bytes_queued = 6
  lends_chunks = true

  write(data: string | Uint8Array, encoding: string): boolean {
    this.calls.push(`write ${data} ${encoding}`)
    return false
  }
  cork(): void {
    this.calls.push('cork')
  }
  uncork(): void {
    this.calls.push('uncork')
  }
  pause(): void {
    this.calls.push('pause')
  }
  resume(): void {
    this.calls.push('resume')
  }
  end(): void {
    this.calls.push('end')
  }
  destroy(): void {
    this.calls.push('destroy')
  }
  set_no_delay(on: boolean): void {
    this.calls.push(`no_delay ${on}`)
  }
  set_keep_alive(after: number | false): void {
    this.calls.push(`keep_alive ${after}`)
  }

  get news(): string {
    return this.calls.splice(0).join(', ')
  }
}

const HEADER = 'PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n'

/**
 * Reads; what came of it is the last outcome: the connection, null for none, undefined as long as
 * it is not known.
 */
function read(isOptional = false) {
  const inner = new Inner()
  const outcomes: (Transport | undefined)[] = []
  const reader = new ProxyReader(inner as unknown as Transport, isOptional, connection =>
    outcomes.push(connection),
  )
  return { inner, reader, outcomes, give: (text: string) => reader.received(Buffer.from(text)) }
}

/** What is reported to whoever takes the connection over. */
function listen(connection: Transport): string[] {
  const log: string[] = []
  connection.sink = {
    opened: () => log.push('opened'),
    received: chunk => log.push(`received ${chunk}`),
    drained: () => log.push('drained'),
    ended: () => log.push('ended'),
    failed: error => log.push(`failed ${error.code}`),
    closed: () => log.push('closed'),
  }
  return log
}

t.test('a header in pieces, and what comes behind it', async t => {
  const { inner, outcomes, give } = read()
  t.equal(inner.news, 'resume')
  for (const letter of HEADER) give(letter)
  t.equal(inner.news, 'pause')
  const [connection] = outcomes as [Proxied]
  t.same(
    [connection.remote_address, connection.local_address],
    [
      ['1.2.3.4', 9],
      ['5.6.7.8', 10],
    ],
  )
  const log = listen(connection)
  connection.resume()
  t.same([log, inner.news], [[], ''], 'not inside the call')
  await turn()
  t.same([log, inner.news], [[], 'resume'], 'nothing came behind it')
  inner.sink!.received(Buffer.from('more'))
  inner.sink!.drained()
  inner.sink!.ended()
  inner.sink!.closed()
  t.same(log, ['received more', 'drained', 'ended', 'closed'])
})

t.test('what the proxy tells besides addresses', async t => {
  const { inner, reader, outcomes } = read()
  const header = '0d0a0d0a000d0a515549540a 21 11 0010 01020304 0a000001 dc04 01bb 05 0001 61'
  reader.received(Buffer.from(header.replaceAll(' ', ''), 'hex'))
  const [connection] = outcomes as [Proxied]
  t.same(connection.remote_address, ['1.2.3.4', 56324])
  t.same(connection.proxy_extensions, new Map([[5, Buffer.from('a')]]))
  inner.sink!.closed()
})

t.test('what came in the same chunk, and one that was on its way, come first', async t => {
  const { inner, outcomes, give } = read()
  give(`${HEADER}first `)
  const [connection] = outcomes as [Proxied]
  inner.sink!.received(Buffer.from('second'))
  const log = listen(connection)
  connection.resume()
  connection.pause()
  await turn()
  t.same(log, [], 'paused again')
  connection.resume()
  connection.resume()
  await turn()
  t.same(log, ['received first second'])
  t.match(inner.news, /pause, pause, resume$/)
})

t.test('paused or closed by whoever receives it', async t => {
  for (const call of ['pause', 'destroy'] as const) {
    const { inner, outcomes, give } = read()
    give(`${HEADER}rest`)
    const [connection] = outcomes as [Proxied]
    connection.sink = { ...({} as TransportSink), received: () => connection[call]() }
    connection.resume()
    await turn()
    t.notMatch(inner.news, /resume$/)
  }
  const { outcomes, give } = read()
  give(`${HEADER}rest`)
  const [connection] = outcomes as [Proxied]
  const log = listen(connection)
  connection.resume()
  connection.destroy()
  await turn()
  t.same(log, [])
})

t.test('a break before it was received', async t => {
  const { inner, outcomes, give } = read()
  give(`${HEADER}rest`)
  const [connection] = outcomes as [Proxied]
  const log = listen(connection)
  inner.sink!.failed({ code: 'EPIPE' } as SystemError)
  inner.sink!.closed()
  connection.resume()
  await turn()
  t.same(log, ['failed EPIPE', 'closed'])
  const late = listen(connection)
  t.same(late, [])
  await turn()
  t.same(late, ['closed'])
  connection.sink = undefined
  await turn()
})

t.test('is the transport in everything else', async t => {
  const { inner, outcomes, give } = read()
  give('PROXY UNKNOWN\r\n')
  const [connection] = outcomes as [Proxied]
  t.equal(connection.sink, undefined)
  t.same(
    [connection.remote_address, connection.local_address, connection.fileno],
    [['10.0.0.2', 2], ['10.0.0.1', 1], 3],
  )
  t.same(
    [
      connection.bytes_read,
      connection.bytes_written,
      connection.bytes_queued,
      connection.lends_chunks,
      connection.proxy_extensions,
    ],
    [4, 5, 6, true, undefined],
  )
  void inner.news
  t.equal(connection.write('a', 'latin1'), false)
  connection.cork()
  connection.uncork()
  connection.end()
  connection.set_no_delay(true)
  connection.set_keep_alive(5)
  connection.opened()
  t.equal(inner.news, 'write a latin1, cork, uncork, end, no_delay true, keep_alive 5')
})

t.test('no header', async t => {
  for (const [isOptional, isIn] of [
    [false, false],
    [true, true],
  ] as const) {
    const { outcomes, give } = read(isOptional)
    give('GET / HTTP/1.1')
    t.equal(outcomes.length, 1)
    t.equal(outcomes[0] !== undefined, isIn)
    if (!isIn) continue
    const log = listen(outcomes[0]!)
    outcomes[0]!.resume()
    await turn()
    t.same(log, ['received GET / HTTP/1.1'], 'it is a connection of its own, whole')
  }
})

t.test('one outcome, whatever comes first', async t => {
  for (const isOptional of [false, true]) {
    for (const what of ['ended', 'closed', 'expire'] as const) {
      for (const said of ['', 'PROXY TC']) {
        const { reader, outcomes, give } = read(isOptional)
        if (said !== '') give(said)
        reader.opened()
        reader.drained()
        reader.failed()
        reader[what]()
        reader.expire()
        t.same(
          outcomes.map(each => each !== undefined),
          [what === 'expire' && isOptional && said === ''],
          `${what} ${said}`,
        )
      }
    }
  }
})
