import t from 'tap'
import { ws_outgoing } from '../../../src/envelope/envelope-table.ts'
import { Transaction, transactions_from } from '../../../src/envelope/outside/transaction.ts'
import {
  checkType,
  OnlineChannel,
  pubsub_channel,
  PubSubChannel,
} from '../../../src/envelope/pubsub/pubsub-channel.ts'
import { fate, thrown } from '../../kit.ts'
import { library, News, Said } from './kit.ts'

library(t, 'subscribe, publish, leave', async (t, { reader, heard, pump }) => {
  const news = new News(reader.channel_name)
  t.equal(new News().publish(new Said({ text: 'nobody hears' })), true)
  await pump()
  await news.subscribe()
  t.strictSame([...reader.subscriptions], ['news'])
  new News().publish(new Said({ text: 'one' }))
  await pump()
  news.leave()
  news.publish(new Said({ text: 'two' }))
  await pump()
  t.strictSame([heard, [...reader.subscriptions]], [['said {"text":"one"} null null'], []])
})

library(t, 'in a transaction', async (t, { reader, heard, pump }) => {
  const transaction = new Transaction()
  transactions_from(() => transaction)
  const news = new News(reader.channel_name)
  await news.subscribe()
  for (const text of ['1', '2', '3']) news.sync_publish(new Said({ text }))
  news.publish(new Said({ text: 'now' }))
  news.sync_publish(new Said({ text: 'now, too' }), { on_commit: false })
  t.throws(() => news.sync_publish(new Said({ text: 'a' }), { on_commit: 1 as never }), {
    code: 'ERR_INVALID_ARGUMENT',
  })
  await pump()
  t.equal(heard.splice(0).length, 2)
  transaction.commit()
  await pump()
  t.match(heard, [/^s.batch .*"1".*"2".*"3"/])
  transactions_from()
})

t.test('misuse', async t => {
  t.equal(await fate(new News().subscribe()), 'rejected ERR_INVALID_STATE')
  t.equal(
    thrown(() => new News().leave()),
    'ERR_INVALID_STATE',
  )
  for (const call of [
    () => new News('a b'),
    () => pubsub_channel('News'),
    () => checkType('x', 'a!b'),
    () => new OnlineChannel().publish(5 as never),
  ])
    t.equal(thrown(call), 'ERR_INVALID_ARGUMENT')
  t.strictSame(
    [new OnlineChannel().channel_name, new OnlineChannel().envelope, new PubSubChannel().envelope],
    ['online_users', ws_outgoing, ws_outgoing],
  )
})
