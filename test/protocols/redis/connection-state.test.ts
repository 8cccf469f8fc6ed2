import t from 'tap'
import { Command } from '../../../src/protocols/redis/command.ts'
import { ConnectionState } from '../../../src/protocols/redis/connection-state.ts'
import { RedisError } from '../../../src/protocols/redis/errors.ts'
import type { RedisSession } from '../../../src/protocols/redis/redis-session.ts'
import type { Reply } from '../../../src/protocols/redis/reply.ts'

t.test('what is selected, and what is watched', async t => {
  let session: object | undefined = {}
  const selected: number[] = []
  const state = new ConnectionState(
    () => session as RedisSession | undefined,
    db => void selected.push(db),
  )
  const run = async (text: string, reply: Reply): Promise<void> => {
    const command = new Command(text.split(' '))
    state.follow(command)
    command.settle(reply)
    await command.promise.catch(() => {})
    await undefined
  }
  const no = new RedisError('ERR', 'no')
  const isQueueing: unknown[] = []
  for (const words of ['MULTI', 'GET a', 'EXEC', 'MULTI', 'DISCARD']) {
    await run(words, 'OK')
    isQueueing.push((session as { isQueueing?: boolean }).isQueueing)
  }
  t.same(isQueueing, [true, true, false, true, false])
  await run('SELECT 1', 'OK')
  await run('SELECT 2', no)
  await run('SELECT 3', 'QUEUED')
  t.same(selected, [1])
  await run('EXEC', ['OK'])
  await run('SELECT 4', 'QUEUED')
  await run('EXEC', [new RedisError('ERR', 'DB index is out of range')])
  await run('SELECT 5', 'QUEUED')
  await run('DISCARD', 'OK')
  await run('SELECT 6', 'QUEUED')
  state.lost()
  await run('EXEC', ['OK'])
  t.same(selected, [1, 3])
  for (const [words, code] of [
    [[], undefined],
    [['WATCH a'], 'ERR_WATCHED'],
    [['WATCH a', 'WATCH b'], 'ERR_WATCHED'],
    [['WATCH a', 'UNWATCH'], undefined],
    [['WATCH a', 'EXEC'], undefined],
  ] as const) {
    for (const each of words) await run(each, each === 'EXEC' ? no : 'OK')
    session = {}
    t.equal(state.takeWatch()?.code, code, words.join())
    t.equal(state.takeWatch(), undefined)
  }
  await run('WATCH a', 'OK')
  t.equal(state.takeWatch(), undefined, 'it still is')
  await run('WATCH a', 'OK')
  session = undefined
  state.reset()
  t.equal(state.takeWatch(), undefined)
})
