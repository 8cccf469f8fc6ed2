import t from 'tap'
import { RedisError } from '../../../src/protocols/redis/errors.ts'
import { Push } from '../../../src/protocols/redis/reply.ts'
import { scalarOf, valueOf } from '../../../src/protocols/redis/values.ts'

t.test('one line', async t => {
  const cases: [line: string, value: unknown][] = [
    ['+PONG', 'PONG'],
    ['+', ''],
    [':0', 0],
    [':-42', -42],
    [':+42', 42],
    [':9007199254740993', 9007199254740993n],
    [':-9223372036854775808', -9223372036854775808n],
    ['(3492890328409238509324850943850943825024385', 3492890328409238509324850943850943825024385n],
    ['(-1', -1n],
    [',1.5', 1.5],
    [',-2e10', -2e10],
    [',.5', 0.5],
    [',10', 10],
    [',inf', Infinity],
    [',-inf', -Infinity],
    [',nan', NaN],
    [',-nan', NaN],
    ['#t', true],
    ['#f', false],
    ['_', null],
  ]
  for (const [line, value] of cases) t.same(scalarOf(line[0]!, line.slice(1)), value, line)
  t.match(scalarOf('-', 'NOAUTH who are you'), { code: 'NOAUTH' })
  t.ok(scalarOf('-', 'x') instanceof RedisError)
})

t.test('a line that says nothing', async t => {
  for (const line of [':', ':1a', ':1e3', ':--1', `:${'1'.repeat(21)}`, '(', '(1.5', ',', ',1,5'])
    t.throws(() => scalarOf(line[0]!, line.slice(1)), { code: 'ERR_PROTOCOL' }, line)
  for (const line of [',0x10', ',e', '#', '#true', '_x'])
    t.throws(() => scalarOf(line[0]!, line.slice(1)), { code: 'ERR_PROTOCOL' }, line)
})

t.test('many values', async t => {
  t.same(valueOf('*', [1, 2]), [1, 2])
  t.same(valueOf('~', [1, 2]), new Set([1, 2]))
  t.same(valueOf('%', ['a', 1, 'b', 2]), new Map([['a', 1], ['b', 2]])) // prettier-ignore
  t.same(valueOf('>', ['message', 'a']), new Push(['message', 'a']))
})
