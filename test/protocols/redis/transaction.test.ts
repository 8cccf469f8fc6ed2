import t from 'tap'
import type { Command } from '../../../src/protocols/redis/command.ts'
import { RedisError } from '../../../src/protocols/redis/errors.ts'
import type { Reply } from '../../../src/protocols/redis/reply.ts'
import { Transaction } from '../../../src/protocols/redis/transaction.ts'
import { outcome } from './kit.ts'

/** A transaction whose commands get these replies, one after the other. */
function begin(...replies: Reply[]): { readonly it: Transaction; readonly sent: string[] } {
  const sent: string[] = []
  const runAll = (commands: readonly Command[]): void => {
    for (const command of commands) {
      sent.push(command.words.join(' '))
      t.ok(command.isPart)
      command.settle(replies.shift()!)
    }
  }
  return { it: new Transaction(runAll, 'utf8'), sent }
}

t.test('each command gets its own reply, and exec all of them', async t => {
  const { it, sent } = begin('OK', 'QUEUED', 'QUEUED', [1, 'x'])
  const both = [it.incr('n'), it.get('a')]
  t.same(sent, [])
  t.same(await it.exec(), [1, 'x'])
  t.same(await Promise.all(both), [1, 'x'])
  t.same(sent, ['MULTI', 'INCRBY n 1', 'GET a', 'EXEC'])
})

t.test('one that has failed is an error in the list; the others have run', async t => {
  const error = new RedisError('WRONGTYPE', 'why')
  const { it } = begin('OK', 'QUEUED', 'QUEUED', [error, 'x'])
  const first = it.incr('n')
  const second = it.get('a')
  t.same(await it.exec(), [error, 'x'])
  await t.rejects(first, { code: 'WRONGTYPE', command: 'INCRBY' })
  t.equal(await second, 'x')
})

t.test('one that the server refuses ends all', async t => {
  const { it } = begin('OK', new RedisError('ERR', 'no'), 'QUEUED', new RedisError('EXECABORT', ''))
  const both = [outcome(it.call('NONE')), outcome(it.get('a'))]
  await t.rejects(it.exec(), { code: 'EXECABORT', command: 'EXEC' })
  t.same(
    both.map(({ value }) => value),
    ['ERR', 'EXECABORT'],
  )
})

t.test('a watched key has changed', async t => {
  const { it } = begin('OK', 'QUEUED', null)
  const one = outcome(it.get('a'))
  await t.rejects(it.exec(), { code: 'ERR_WATCHED' })
  t.equal(one.value, 'ERR_WATCHED')
})

/**
 * SUBSCRIBE has no reply but pushes, and EXEC announces one element for it that never comes: the
 * reply of the next command was taken for it.
 */
t.test('a command that has no reply is refused, and all of it with it', async t => {
  const { it, sent } = begin()
  const all = [it.get('a'), it.call('SUBSCRIBE', 'b'), it.call('RESET')].map(outcome)
  await t.rejects(it.exec(), { code: 'ERR_UNSUPPORTED', command: 'SUBSCRIBE' })
  t.same(
    all.map(({ value }) => value),
    ['ERR_UNSUPPORTED', 'ERR_UNSUPPORTED', 'ERR_UNSUPPORTED'],
  )
  t.same(sent, [])
})

t.test('a reply to EXEC that is none', async t => {
  const { it } = begin('OK', 'QUEUED', 'OK')
  const one = outcome(it.get('a'))
  await t.rejects(it.exec(), { code: 'ERR_PROTOCOL', command: 'EXEC' })
  t.equal(one.value, 'ERR_PROTOCOL')
})

t.test('more replies than commands', async t => {
  const { it } = begin('OK', 'QUEUED', [1, 2])
  it.get('a')
  t.same(await it.exec(), [1, 2])
})

t.test('it runs once, or not at all', async t => {
  const { it } = begin('OK', [])
  t.same(await it.exec(), [])
  t.throws(() => it.exec(), { code: 'ERR_INVALID_STATE' })
  t.throws(() => it.get('a'), { code: 'ERR_INVALID_STATE' })
  const { it: other, sent } = begin()
  const one = other.get('a')
  other.discard()
  await t.rejects(one, { code: 'ERR_CLOSED', command: 'GET' })
  t.throws(() => other.exec(), { code: 'ERR_INVALID_STATE', message: /discard\(\) was called/ })
  t.same(sent, [])
})

/** Their replies are no elements of EXEC: others got them, and the last one waited for ever. */
t.test('commands about transactions, and a reply that is too short', async t => {
  for (const name of ['MULTI', 'EXEC', 'DISCARD', 'WATCH', 'QUIT']) {
    const { it, sent } = begin()
    const both = [outcome(it.call(name)), outcome(it.get('a'))]
    await t.rejects(it.exec(), { code: 'ERR_UNSUPPORTED', command: name })
    t.same([both.map(({ value }) => value), sent], [['ERR_UNSUPPORTED', 'ERR_UNSUPPORTED'], []])
  }
  const { it } = begin('OK', 'QUEUED', 'QUEUED', ['x'])
  const both = [outcome(it.get('a')), outcome(it.get('b'))]
  t.same(await it.exec(), ['x'])
  t.same(
    both.map(({ value }) => value),
    ['x', 'ERR_PROTOCOL'],
  )
})
