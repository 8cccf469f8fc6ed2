/**
 * The client of Redis against servers that break the protocol, over real sockets: one class of
 * error, the connection closed, every promise rejected with the reason, nothing unhandled, and no
 * memory for what is only announced.
 */

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { RedisClient, RedisError } from '../../src/protocols/redis/index.ts'

/** Logs in whoever comes, and answers what follows with these bytes. */
async function hostile(
  t: Test,
  answer: (socket: Socket) => void,
): Promise<{ client: RedisClient; told: string[] }> {
  const server = createServer(socket => {
    let said = ''
    let isHostile = false
    socket.on('error', () => {})
    socket.on('data', data => {
      said += data.toString('latin1')
      if (isHostile) return
      if (said.includes('PING')) {
        isHostile = true
        socket.write('-ERR unknown subcommand\r\n+PONG\r\n')
        setImmediate(answer, socket)
      } else if (said.includes('HELLO')) socket.write('%1\r\n+proto\r\n:3\r\n')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new RedisClient({ reconnect: false })
  const told: string[] = []
  client.on_disconnect = error => void told.push(error.code)
  client.on_push = kind => void told.push(`push ${kind}`)
  const { port } = server.address() as { port: number }
  client.connect(`redis://127.0.0.1:${port}`)
  t.teardown(() => {
    client.close()
    server.close()
  })
  return { client, told }
}

const DEEP = '*1\r\n'.repeat(10_000)

const CASES: Readonly<Record<string, readonly [bytes: string | Buffer, code: string]>> = {
  HTTP: ['HTTP/1.1 400 Bad Request\r\n\r\n', 'ERR_PROTOCOL'],
  TLS: [Buffer.from([21, 3, 3, 0, 2, 2, 40]), 'ERR_PROTOCOL'],
  zeros: [Buffer.alloc(100_000), 'ERR_PROTOCOL'],
  'a line without an end': [`+${'x'.repeat(1_000_000)}`, 'ERR_PROTOCOL'],
  'no number': [':one\r\n', 'ERR_PROTOCOL'],
  'no length': ['$x\r\n', 'ERR_PROTOCOL'],
  'a negative length': ['*-2\r\n', 'ERR_PROTOCOL'],
  'a length beyond all numbers': [`$${'9'.repeat(400)}\r\n`, 'ERR_PROTOCOL'],
  'a boolean that is neither': ['#x\r\n', 'ERR_PROTOCOL'],
  'a string that is longer than it says': ['$3\r\nabcd\r\n', 'ERR_PROTOCOL'],
  'a verbatim string without a format': ['=2\r\nab\r\n', 'ERR_PROTOCOL'],
  'an empty push': ['>0\r\n', 'ERR_PROTOCOL'],
  'a depth of 10 000': [DEEP, 'ERR_OVERFLOW'],
  'a depth of 10 000 attributes': ['|1\r\n'.repeat(10_000), 'ERR_OVERFLOW'],
  'a string of a gigabyte': ['$1073741824\r\n', 'ERR_OVERFLOW'],
  'an INFO of a gigabyte': ['=1073741824\r\ntxt:', 'ERR_OVERFLOW'],
  'an array of a billion': ['*1000000000\r\n', 'ERR_OVERFLOW'],
  'arrays of many': ['*10000000\r\n'.repeat(3), 'ERR_OVERFLOW'],
  'a reply too many': ['+OK\r\n'.repeat(20), 'ERR_PROTOCOL'],
  'an end in the middle': ['$100\r\nabc', 'ERR_CUT_OFF'],
  'an end in the middle of a push': ['>3\r\n+message\r\n', 'ERR_CUT_OFF'],
}

for (const [title, [bytes, code]] of Object.entries(CASES))
  void t.test(title, async t => {
    const { client, told } = await hostile(t, socket => {
      socket.write(bytes)
      if (code === 'ERR_CUT_OFF') socket.end()
    })
    const calls = Array.from({ length: 3 }, () => client.call('ECHO', 'x'))
    const transaction = client.multi()
    void transaction.get('a')
    const all = [...calls, transaction.exec()]
    t.equal(await client.closed, code === 'ERR_CUT_OFF' ? 'remote' : 'error')
    const settled = await Promise.allSettled(all)
    const rejected = settled.filter(each => each.status === 'rejected')
    for (const { reason } of rejected) {
      t.ok(reason instanceof RedisError)
      t.equal(reason.code, code)
    }
    // The replies that were asked for are given first. That to EXEC is no array.
    t.equal(rejected.length, title === 'a reply too many' ? 1 : all.length)
    t.same(told, [code])
  })

void t.test('pushes where none belong are told, and are no replies', async t => {
  const { client, told } = await hostile(t, socket => {
    socket.write(
      '>2\r\n+pong\r\n+x\r\n>2\r\n+subscribe\r\n+a\r\n>1\r\n:5\r\n*1\r\n>1\r\n+in\r\n+x\r\n',
    )
  })
  t.same(await client.call('ECHO', 'x'), ['x'])
  t.same(told, ['push pong', 'push subscribe', 'push 5', 'push in'])
})

/** 512 MiB may be announced as often as somebody likes. */
void t.test('what is only announced takes no memory', async t => {
  const before = process.memoryUsage()
  const all = await Promise.all(
    Array.from({ length: 20 }, () => hostile(t, socket => void socket.write('$536870000\r\nabc'))),
  )
  const calls = all.map(({ client }) => client.with({ encoding: null }).get('x'))
  await Promise.all(all.map(({ client }) => client.ready))
  await new Promise(resolve => setImmediate(resolve))
  const { rss } = process.memoryUsage()
  t.ok(rss - before.rss < 100e6, `${Math.round((rss - before.rss) / 1e6)} MB`)
  for (const { client } of all) client.close()
  for (const call of calls) await t.rejects(call, { code: 'ERR_CLOSED' })
})
