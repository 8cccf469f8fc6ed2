import t from 'tap'
import { checkArgument, Command } from '../../../src/protocols/redis/command.ts'
import { RedisError } from '../../../src/protocols/redis/errors.ts'
import { scene } from '../../kit.ts'
import { outcome } from './kit.ts'

t.test('what can be a word', async t => {
  for (const word of ['text', 5, 5n, Buffer.from('x')]) t.equal(checkArgument('key', word), word)
  for (const wrong of [undefined, null, {}, true])
    t.throws(() => checkArgument('key', wrong), { code: 'ERR_INVALID_ARGUMENT', message: /^key/ })
})

t.test('words', async t => {
  const command = new Command(['set', 'a', 1, 2n, 1.5, new Uint8Array(2)])
  t.same(command.words, ['set', 'a', '1', '2', '1.5', new Uint8Array(2)])
  t.match(command, { name: 'SET', encoding: 'utf8', isPart: false, isSettled: false, sends: 0 })
  t.equal(new Command(['GET'], null).encoding, null)
  for (const word of [undefined, null, true, {}, [], Symbol('x'), () => 1])
    t.throws(() => new Command(['SET', word as string]), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^SET: argument 1 must be a string/,
    })
  t.throws(() => new Command([]), { message: /^call: its first argument must be a command/ })
})

t.test('it settles once', async t => {
  const good = new Command(['GET'])
  good.settle('x')
  good.fail(new RedisError('ERR_CLOSED', 'why'))
  good.lose(new RedisError('ERR_CLOSED', 'why'))
  t.equal(await good.promise, 'x')
  const bad = new Command(['GET'])
  bad.settle(new RedisError('WRONGTYPE', 'why'))
  bad.fail(new RedisError('ERR_CLOSED', 'why'))
  await t.rejects(bad.promise, { code: 'WRONGTYPE', command: 'GET' })
})

t.test('a reason that several share is told of each', async t => {
  const error = new RedisError('ERR_CLOSED', 'why', '', 'cause')
  const commands = [new Command(['GET']), new Command(['SET'])]
  for (const command of commands) command.lose(error)
  for (const { promise, name } of commands)
    await t.rejects(promise, { code: 'ERR_CLOSED', command: name, cause: 'cause' })
})

scene(t, 'its time', async (t, { engine, advance }) => {
  let expired = 0
  const slow = new Command(['GET'])
  slow.limit(engine, 100, () => expired++)
  const late = outcome(slow.promise)
  const quick = new Command(['GET'])
  quick.limit(engine, 100)
  quick.settle('x')
  await advance(99)
  t.equal(late.value, 'waits')
  await advance(1)
  t.same([late.value, expired], ['ERR_TIMEOUT', 1])
  t.equal(await quick.promise, 'x')
})
