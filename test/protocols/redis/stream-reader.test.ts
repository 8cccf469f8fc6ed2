import t from 'tap'
import { RedisError } from '../../../src/protocols/redis/errors.ts'
import type { Reply } from '../../../src/protocols/redis/reply.ts'
import {
  checkStream,
  readStream,
  type StreamReadOptions,
} from '../../../src/protocols/redis/stream-reader.ts'
import { Commands } from '../../../src/protocols/redis/typed-commands.ts'

const entry = (id: string): [string, string[]] => [id, ['a', id]]
const LOST = new RedisError('ERR_CLOSED', 'lost')
const OVER = new RedisError('ERR_CLOSED', 'the client was closed')

/** The ids that a loop reads, and what it asked for, until the replies end. */
async function read(
  replies: Reply[],
  options: StreamReadOptions = {},
): Promise<{ ids: string[]; sent: string[]; error: unknown }> {
  const sent: string[] = []
  const commands = new Commands(words => {
    sent.push(words.join(' '))
    const reply = replies.length > 0 ? replies.shift()! : OVER
    return reply instanceof RedisError ? Promise.reject(reply) : Promise.resolve(reply)
  })
  const line = {
    get ready() {
      return replies.length > 0 ? Promise.resolve() : Promise.reject(OVER)
    },
  }
  const ids: string[] = []
  try {
    for await (const { id } of readStream(commands, line, 's', options)) ids.push(id)
    return { ids, sent, error: undefined }
  } catch (error) {
    return { ids, sent, error }
  }
}

t.test('what is added from now on: the last id is asked for once', async t => {
  const info = new Map<string, Reply>([['last-generated-id', '5-0']])
  const { ids, sent, error } = await read([
    info,
    [['s', [entry('6-0'), entry('7-0')]]],
    null,
    LOST,
    [['s', [entry('8-0')]]],
  ])
  t.same(ids, ['6-0', '7-0', '8-0'])
  t.same(sent, [
    'XINFO STREAM s',
    'XREAD COUNT 100 BLOCK 30000 STREAMS s 5-0',
    'XREAD COUNT 100 BLOCK 30000 STREAMS s 7-0',
    'XREAD COUNT 100 BLOCK 30000 STREAMS s 7-0',
    'XREAD COUNT 100 BLOCK 30000 STREAMS s 7-0',
    'XREAD COUNT 100 BLOCK 30000 STREAMS s 8-0',
  ])
  t.equal(error, OVER)
})

t.test('a stream that is not there yet, in RESP2', async t => {
  const none = new RedisError('ERR', 'ERR no such key')
  t.same((await read([none])).sent[1], 'XREAD COUNT 100 BLOCK 30000 STREAMS s 0-0')
  t.same(
    (await read([['length', 1, 'last-generated-id', '3-0']])).sent[1],
    'XREAD COUNT 100 BLOCK 30000 STREAMS s 3-0',
  )
})

t.test('from an id on', async t => {
  const { sent } = await read([null], { from: '0', count: 5 })
  t.same(sent[0], 'XREAD COUNT 5 BLOCK 30000 STREAMS s 0')
})

t.test('a refusal ends the loop', async t => {
  const wrong = new RedisError('WRONGTYPE', 'why')
  t.equal((await read([wrong], { from: '0' })).error, wrong)
  t.equal((await read([wrong])).error, wrong)
})

// The loop threw it, with its first step; a wrong value went to the server.
t.test('what is invalid is refused at the call', async t => {
  checkStream('s', { from: '0', count: 1, group: 'g', consumer: 5 })
  const rows: [key: unknown, options: unknown, message: RegExp][] = [
    [5, {}, /^stream: key must be text/],
    ['s', { form: '0' }, /^stream: there is no option "form"; did you mean from/],
    ['s', { from: 0 }, /^stream: from must be text/],
    ['s', { count: 'x' }, /^stream: count must be/],
    ['s', { group: {} }, /^stream: group must be/],
    ['s', { consumer: 'x' }, /^stream: group must be given/],
  ]
  for (const [key, options, message] of rows)
    t.throws(() => checkStream(key, options), { code: 'ERR_INVALID_ARGUMENT', message })
})

/**
 * What the server had sent, and was lost with the connection, is pending. A loop that went on with
 * `>` would never see it.
 */
t.test('a group: what is pending first, also after a loss', async t => {
  const { ids, sent } = await read(
    [
      [['s', [entry('1-0')]]],
      [['s', []]],
      [['s', [entry('2-0')]]],
      LOST,
      [['s', [entry('3-0')]]],
      [['s', []]],
      null,
    ],
    { group: 'g', consumer: 'c' },
  )
  t.same(ids, ['1-0', '2-0', '3-0'])
  t.same(
    sent.map(each => each.slice('XREADGROUP GROUP g c COUNT 100 BLOCK 30000 STREAMS s '.length)),
    ['0', '1-0', '>', '>', '2-0', '3-0', '>', '>'],
  )
  t.match((await read([], { group: 'g' })).sent[0], 'XREADGROUP GROUP g sluice ')
})
