import t from 'tap'
import { Context } from '../../../src/messages/context.ts'
import { readOptions } from '../../../src/packets/channel/websocket-options.ts'

t.test('defaults', async t => {
  const { url, context, backoff, patience, heartbeat, onError } = readOptions('ws://a:1/b;', {})
  t.equal(url, 'ws://a:1/b;ping-interval=32000ms;pong-timeout=32000ms')
  t.equal(context, Context.instance())
  t.strictSame(
    [backoff, patience, heartbeat, onError],
    [{ first: 200, longest: 10_000, lasting: 5000 }, 30_000, Infinity, undefined],
  )
  t.equal(
    readOptions('rate+wss://a:1', { heartbeat: 0.2 }).url,
    'rate+wss://a:1;ping-interval=1ms;pong-timeout=1ms',
  )
  t.equal(readOptions('ws://a:1;ping-interval=1s', {}).url, 'ws://a:1;ping-interval=1s')
  t.equal(readOptions('ws://a:1', { heartbeat: Infinity }).url, 'ws://a:1')
  t.match(readOptions('tcp://a:1', { heartbeat: 5 }), { url: 'tcp://a:1', heartbeat: 5 })
})

t.test('invalid', async t => {
  for (const options of [
    { heartbeat: 0 },
    { connect_timeout: '1' },
    { packet_size: 0 },
    { backoff: 5 },
    { backoff: { first: '1' } },
    { context: {} },
    { on_error: 5 },
    { lost: { max_outage: -1 } },
    { hartbeat: 1 },
  ])
    t.throws(() => readOptions('ws://a:1', options as never), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => readOptions('here', {}), { code: 'ERR_INVALID_URL' })
  // It listened, and said that it was alive.
  t.throws(() => readOptions('ws://a:1;mode=server', {}), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => readOptions('foo://a', {}), { message: /^there is no protocol "foo"/ })
})
