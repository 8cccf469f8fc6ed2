import t from 'tap'
import * as redis from '../../../src/protocols/redis/index.ts'

t.test('what sluice/redis has', async t => {
  t.same(Object.keys(redis).sort(), [
    'Commands',
    'Push',
    'RedisClient',
    'RedisError',
    'RedisView',
    'Replies',
    'Transaction',
  ])
})
