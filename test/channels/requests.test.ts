import t from 'tap'
import { Client, Connection } from '../../src/channels/basic.ts'
import { LIFE } from '../../src/channels/life.ts'
import { Requests, type RequestsOptions } from '../../src/channels/requests.ts'
import type { StreamLink } from '../../src/channels/streams/stream-link.ts'
import { length_prefix } from '../../src/core/length/length-prefix.ts'
import { pair } from '../../src/testing.ts'
import { pick, seeded } from '../core/oracle.ts'

/** A peer that keeps the requests; the test answers. */
class Peer extends Connection {
  override encoding = 'utf8' as const
  override read_delimiter = '\n'
  readonly asked: string[] = []
  override on_read(line: string) {
    this.asked.push(line)
  }
}

async function asking(options: RequestsOptions<string, string> = {}) {
  const logged: string[] = []
  class Asking extends Client {
    override encoding = 'utf8' as const
    override read_delimiter = '\n'
    readonly requests = new Requests<string, string>(this, options)
    override on_read(line: string) {
      const [answer, id] = line.split('#') as [string, string?]
      if (answer.startsWith('-')) this.requests.fail(new Error(answer), id)
      else this.requests.answer(answer, id)
    }
  }
  const log = (message: string) => void logged.push(message)
  const both = await pair({ client: Asking, connection: Peer, log })
  return { ...both, requests: both.client.requests, logged }
}

/** What a promise came to. */
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    value => value,
    (error: Error & { code?: string }) => error.code ?? error.message,
  )

t.test('answers in order', async t => {
  const { requests, connection, pump } = await asking()
  const answers = ['a', 'b', 'c'].map(each => outcome(requests.send(`${each}\n`)))
  await pump()
  t.same(connection.asked, ['a', 'b', 'c'])
  t.equal(requests.size, 3)
  connection.write('A\n-B\nC\n')
  await pump()
  t.same(await Promise.all(answers), ['A', '-B', 'C'])
  t.equal(requests.size, 0)
})

t.test('answers by id', async t => {
  const { requests, connection, pump } = await asking()
  const answers = ['a', 'b', 'c'].map(id => outcome(requests.send(`${id}\n`, { id })))
  t.throws(() => requests.send('x', { id: 'b' }), {
    code: 'ERR_INVALID_ARGUMENT',
    message: 'send: id must be that of no other request; got "b"',
  })
  connection.write('C#c\nA#a\n-B#b\n')
  await pump()
  t.same(await Promise.all(answers), ['A', '-B', 'C'])
  const again = requests.send('b\n', { id: 'b' })
  connection.write('again#b\n')
  await pump()
  t.equal(await again, 'again', 'the id is free again')
})

t.test('a request may be written by a function', async t => {
  const { client, requests, connection, pump } = await asking()
  const answer = requests.send(() => client.write_packed(length_prefix({ size: 1 }), 'abc\n'))
  connection.write('yes\n')
  await pump()
  t.equal(await answer, 'yes')
  t.same(connection.asked, ['\x04abc'])
  const wrong = () => requests.send(() => client.write(5 as never))
  t.throws(wrong, { code: 'ERR_INVALID_ARGUMENT' })
  t.equal(requests.size, 0, 'what was not written has no place')
  t.equal(await outcome(requests.send(() => {})), 'ERR_OVERFLOW')
  t.equal(requests.size, 0)
})

// It ended the process: the rejection of an async function was nobody's. And what it wrote later
// had an answer that nobody had asked for.
t.test('a function that returns a promise', async t => {
  const { client, requests, pump } = await asking()
  const nothing = requests.send(async () => {
    throw new Error('no')
  })
  t.match(await nothing.catch(String), /not written: it must be before the function returns/)
  t.equal(requests.size, 0)
  const failed = requests.send(async () => {
    client.write('a\n')
    await undefined
    throw new Error('too late')
  })
  await pump()
  t.equal(await outcome(failed), 'too late')
  t.equal(requests.size, 1, 'its answer is still to come')
})

// The bytes of a file are not known before it is sent: it was taken for a write that was dropped,
// and its answer for one that nobody had asked for.
t.test('a request may be a file', async t => {
  const { client, requests, connection, pump } = await asking()
  const answer = requests.send(() => client.write_file(new URL(import.meta.url), 10))
  connection.write('yes\n')
  await pump()
  t.equal(await answer, 'yes')
})

// The promise said ERR_OVERFLOW, as if there were too much to send.
t.test('after half_close() there are answers, but no requests', async t => {
  const { client, requests, connection, pump } = await asking()
  const answer = requests.send('a\n')
  client.half_close()
  t.equal(await outcome(requests.send('b\n')), 'ERR_CLOSED')
  connection.write('A\n')
  await pump()
  t.equal(await answer, 'A')
})

// A client with a timeout that gave the late answer to the next request: from then on every answer
// was that of the question before.
t.test('what has timed out keeps its place', async t => {
  const { requests, connection, pump, clock } = await asking({ timeout: 1000 })
  const first = requests.send('a\n')
  const second = requests.send('b\n', { timeout: Infinity })
  clock.advance(999)
  clock.advance(2)
  t.equal(await outcome(first), 'ERR_TIMEOUT')
  await t.rejects(first, { message: 'no answer came within 1000 ms', name: 'RequestError' })
  t.equal(requests.size, 2)
  connection.write('late\nB\n')
  await pump()
  t.equal(await second, 'B')

  const third = requests.send('c\n')
  connection.write('C\n')
  await pump()
  clock.advance(5000)
  t.equal(await third, 'C', 'an answer ends the timeout')
})

t.test('the limit', async t => {
  const { requests, connection, pump } = await asking({ limit: 2, timeout: 10 })
  const [a, b, c] = ['a', 'b', 'c'].map(each => requests.send(`${each}\n`))
  await t.rejects(c!, {
    code: 'ERR_OVERFLOW',
    message: '2 requests wait for their answers already',
  })
  await pump()
  t.same(connection.asked, ['a', 'b'], 'it was not written')
  connection.write('A\nB\n')
  await pump()
  t.same(await Promise.all([a, b]), ['A', 'B'])
})

// A write that was dropped because too much was queued had a place all the same: every later answer
// went to the request before.
t.test('a write that was dropped has no place', async t => {
  const { client, requests, connection, pump } = await asking()
  client.on_overflow_error = () => {}
  client.send_buffer_size = 10
  const [a, b] = ['a'.repeat(20), 'b'].map(each => outcome(requests.send(`${each}\n`)))
  t.equal(await b, 'ERR_OVERFLOW')
  t.equal(requests.size, 1)
  connection.write('A\n')
  await pump()
  t.equal(await a, 'A')
})

t.test('closing rejects what waits, with the reason', async t => {
  const { client, requests, connection, pump, clock, logged } = await asking({ timeout: 1000 })
  const [a, b] = [requests.send('a\n'), requests.send('b\n')]
  await pump()
  connection.close()
  await pump()
  await t.rejects(a, { code: 'ERR_CLOSED', reason: 'remote', message: /closed \(remote\)/ })
  await t.rejects(b, { code: 'ERR_CLOSED', reason: 'remote' })
  t.equal(requests.size, 0)
  clock.advance(5000)
  await t.rejects(requests.send('c\n'), {
    code: 'ERR_CLOSED',
    message: 'the channel is not open',
    reason: undefined,
  })
  t.throws(() => requests.answer('x'), { code: 'ERR_STRAY_ANSWER' })

  client.connect(1)
  await pump()
  const again = requests.send('d\n')
  const [peer] = [...connection.server.channels] as Peer[]
  peer!.write('D\n')
  await pump()
  t.equal(await again, 'D', 'the next opening')
  client.end()
  t.equal(await outcome(requests.send('e\n')), 'ERR_CLOSED', 'after end()')
  t.same(logged, [])
})

t.test('a client that connects again in on_close', async t => {
  const { client, requests, connection, pump } = await asking()
  const first = outcome(requests.send('a\n'))
  let second: Promise<unknown> | undefined
  client.on_close = () => void client.connect(1)
  client.on_connect = () => {
    second = outcome(requests.send('b\n'))
  }
  await pump()
  connection.close()
  await pump()
  t.equal(await first, 'ERR_CLOSED')
  const [peer] = [...connection.server.channels] as Peer[]
  peer!.write('B\n')
  await pump()
  t.equal(await second, 'B')
  client.on_close = () => {}
})

t.test('an answer that nobody has asked for', async t => {
  const { requests, client, connection, pump, logged } = await asking()
  t.throws(() => requests.answer('x', 'id'), {
    code: 'ERR_STRAY_ANSWER',
    message: 'an answer with the id "id" came that nobody has asked for',
  })
  t.throws(() => requests.fail(new Error('x')), {
    message: 'an answer came that nobody has asked for',
  })
  connection.write('what?\n')
  await pump()
  t.equal(client.state, 'closed', 'thrown in on_read, it goes to on_error')
  t.match(logged, [/an answer came that nobody has asked for/])
})

t.test('on_stray gets what comes out of turn', async t => {
  const stray: unknown[] = []
  const { requests, connection, pump } = await asking({
    on_stray: (answer, id) => stray.push([String(answer), id]),
  })
  const a = requests.send('a\n', { id: 'a' })
  connection.write('push\nA#a\n-E#b\n')
  await pump().catch(() => {})
  t.equal(await outcome(a), 'push', 'without an id it is the oldest')
  t.same(stray, [
    ['A', 'a'],
    ['Error: -E', 'b'],
  ])
})

// What it rejected with ended the process.
t.test('an on_stray that is async holds the reads, and may fail', async t => {
  const log: string[] = []
  const { client, connection, pump } = await asking({
    on_stray: async answer => {
      log.push(`${answer}`)
      await null
      log.push('done')
      if (answer === 'b') throw new Error('odd')
    },
  })
  client.on_error = error => void log.push(error.message)
  connection.write('a\nb\nc\n')
  await pump()
  t.same(log, ['a', 'done', 'b', 'done', 'odd', 'c', 'done'])
})

t.test('invalid options', async t => {
  const client = new Client()
  const rows: [options: object, message: string][] = [
    [{ timeout: 0 }, 'Requests: timeout must be a positive number of milliseconds, or Infinity'],
    [{ limit: 0 }, 'Requests: limit must be an integer of at least 1, or Infinity; got 0'],
    [{ on_stray: 5 }, 'Requests: on_stray must be a function; got 5'],
    [{ timeuot: 5 }, 'Requests: there is no option "timeuot"; did you mean timeout?'],
  ]
  for (const [options, message] of rows)
    t.throws(() => new Requests(client, options), {
      code: 'ERR_INVALID_ARGUMENT',
      message: new RegExp(message),
    })
  t.throws(() => new Requests({} as Client), { message: /channel must be a Client or a Conn/ })
  const requests = new Requests(client)
  t.throws(() => requests.send('x', { timeout: -1 }), { message: /send: timeout must be/ })
  t.throws(() => requests.send('x', { Id: 1 } as never), { message: /no option "Id"/ })
  t.equal(await outcome(requests.send('x')), 'ERR_CLOSED', 'it has never connected')
})

t.test('PROPERTY: whatever is cut, late or lost, no answer is that of another request', async t => {
  const random = seeded(3)
  for (let round = 0; round < 20; round++) {
    const { requests, connection, pump, clock, client } = await asking({ timeout: 50, limit: 20 })
    const wrong: unknown[] = []
    for (let step = 0; step < 60; step++) {
      const name = `${round}.${step}`
      if (pick(random, ['ask', 'ask', 'answer']) === 'ask') {
        requests.send(`${name}\n`).then(
          answer => answer !== name && wrong.push([answer, name]),
          () => {},
        )
      } else {
        connection.write(
          connection.asked
            .splice(0, 1 + random(3))
            .map(each => `${each}\n`)
            .join(''),
        )
        if (random(4) === 0) clock.advance(60)
        await pump(pick(random, [undefined, 3]))
      }
    }
    client.close()
    await pump()
    t.same(wrong, [])
    t.equal(requests.size, 0)
  }
})

// A job server says the handle of a job, and its result later. Both came in one packet, and who
// awaited the first missed the second.
t.test('expect: an answer in two steps', async t => {
  const { client, requests, connection, pump } = await asking()
  const later = new Requests<string, string>(client)
  client.on_read = (line: string) => {
    const [word, id = ''] = line.split(' ') as [string, string?]
    if (word === 'taken') requests.answer(later.expect({ id }))
    else later.answer(word, id)
  }
  const results = ['a', 'b', 'c'].map(each => outcome(requests.send(`${each}\n`)))
  await pump()
  connection.write('taken 1\ntaken 2\ntwo 2\none 1\ntaken 3\n')
  await pump()
  t.same(await Promise.all(results.slice(0, 2)), ['one', 'two'])
  t.same([requests.size, later.size], [0, 1])
  for (const options of [{ id: '3' }, { timeout: -1 }, { ids: 1 }])
    t.throws(() => later.expect(options as never), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^expect/,
    })
  client.close()
  await pump()
  t.equal(await results[2], 'ERR_CLOSED')
  t.equal(await outcome(later.expect()), 'ERR_CLOSED')
})

// A login in on_connect that awaited the answer to a request waited for ever: its promise held the
// reads, and the answer with them.
t.test('on_connect may await answers, and holds the other reads', async t => {
  class Login extends Client {
    override encoding = 'utf8' as const
    override read_delimiter = '\n'
    readonly requests = new Requests<string>(this)
    readonly seen: string[] = []
    override async on_connect() {
      this.seen.push(await this.requests.expect())
      this.seen.push(await this.requests.send('user\n'))
      this.seen.push(await this.read())
      this.seen.push(...(await Promise.all(['a\n', 'b\n'].map(each => this.requests.send(each)))))
      await new Promise(resolve => setImmediate(resolve))
      this.seen.push('ready')
    }
    override async on_read(line: string) {
      if (line.startsWith('*')) this.seen.push(line)
      else this.requests.answer(line)
    }
  }
  class Host extends Peer {
    override on_connect() {
      this.write('hello\n')
    }
    override on_read(line: string) {
      if (line === 'user') this.write('who\nagain\n')
      if (line === 'b') this.write('A\nB\n*event\n')
    }
  }
  for (const chunk of [1, 3, 1000]) {
    const { client, pump } = await pair({ client: Login, connection: Host, chunk })
    await pump()
    await client.ready
    await pump()
    t.same(client.seen, ['hello', 'who', 'again', 'A', 'B', 'ready', '*event'])
  }
})

t.test('on_connect that awaits what does not come has not failed', async t => {
  const logged: string[] = []
  class Login extends Client {
    readonly requests = new Requests<string>(this)
    override async on_connect() {
      await this.requests.send('user').catch(() => {})
      await this.requests.send('user')
    }
  }
  const log = (message: string) => void logged.push(message)
  const { client, connection, pump } = await pair({ client: Login, connection: Peer, log })
  await pump()
  connection.end()
  await pump()
  t.equal(await outcome(client.ready), 'ERR_CLOSED')
  t.equal(await client.closed, 'remote')
  t.same(logged, [])
})

// Requests may be queued while it connects. Their answers are not those that on_connect awaits.
t.test('requests from before on_connect do not lift its hold', async t => {
  class Early extends Client {
    override encoding = 'utf8' as const
    override read_delimiter = '\n'
    readonly requests = new Requests<string>(this)
    banner = ''
    override async on_connect() {
      await new Promise(resolve => setImmediate(resolve))
      this.banner = await this.read()
    }
    override on_read(line: string) {
      this.requests.answer(line)
    }
  }
  class Host extends Peer {
    override on_connect() {
      this.write('banner\n')
    }
    override on_read(line: string) {
      this.write(`${line.toUpperCase()}\n`)
    }
  }
  let early: Promise<string> | undefined
  const { client, pump } = await pair({
    client: (options: object) => {
      const made = new Early(options)
      made.on_state = state => {
        if (state === 'opening') early = made.requests.send('early\n')
      }
      return made
    },
    connection: Host,
  })
  await pump()
  await client.ready
  await pump()
  t.equal(client.banner, 'banner')
  t.equal(await early, 'EARLY')
})

t.test('a request that is given up after its opening does not count in the next', async t => {
  const { client, requests, connection, server, pump } = await asking()
  const { pulls } = (client[LIFE].driver as StreamLink).reading
  const lost = outcome(requests.send('a\n'))
  client.on_close = () => requests.fail(new Error('gone'))
  connection.close()
  await pump()
  t.equal(await lost, 'gone')
  client.on_close = () => {}
  client.connect(server.local_address!)
  pulls.asked(-1)
  await pump()
  const answer = outcome(requests.send('b\n'))
  for (const each of server.channels) each.write('B\n')
  await pump()
  t.equal(await answer, 'B')
})
