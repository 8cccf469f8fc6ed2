import { inspect } from 'node:util'
import t from 'tap'
import { NotFoundError } from '../../../src/envelope/builtin/common-errors.ts'
import { Consumer, consumer } from '../../../src/envelope/consumers/consumer.ts'
import { LINK } from '../../../src/envelope/consumers/consumer-link.ts'
import { fate, thrown } from '../../kit.ts'
import { stage } from '../../messages/kit.ts'
import { Caller, game, Move, Moved, Player, Taken, to_client } from './kit.ts'

game(t, 'sending', async (t, { player, heard, pump }) => {
  const move = new Move({ x: 1, mm: { id: 'a', user_pk: 5 } })
  player.send('game.moved', { by: 'ann', x: 1 })
  player.send('s.pong')
  player.send('progress.num', { curr: 1, total: 2 }, { state: 'r', id: 'b' })
  player.send(new Moved({ by: 'bob', x: 2 }))
  player.reply(move, 'game.moved', { by: 'ann', x: 3 })
  player.reply(move, 'progress.num', { curr: 1, total: 2 }, { state: 'r' })
  player.reply(move, 's.pong', undefined, { state: undefined })
  t.equal(
    thrown(() => player.reply(5 as never, 's.pong')),
    'ERR_INVALID_ARGUMENT',
  )
  player.send_error(new Taken({ name: 'a' }), { id: 'c' })
  player.send_error(new NotFoundError({ model: 'm', value: 1, mm: { id: 'd' } }), { id: 'e' })
  t.ok(player.last_sent > 0 && player.last_error > 0)
  await pump()
  t.strictSame(heard, [
    '{"t":"game.moved","p":{"by":"ann","x":1},"i":null,"s":null}',
    '{"t":"s.pong","p":null,"i":null,"s":null}',
    '{"t":"progress.num","p":{"curr":1,"total":2,"msg":null},"i":"b","s":"r"}',
    '{"t":"game.moved","p":{"by":"bob","x":2},"i":null,"s":null}',
    '{"t":"game.moved","p":{"by":"ann","x":3},"i":"a","s":"s"}',
    '{"t":"progress.num","p":{"curr":1,"total":2,"msg":null},"i":"a","s":"r"}',
    '{"t":"s.pong","p":null,"i":"a","s":"s"}',
    '{"t":"error.taken","p":{"name":"a"},"i":"c","s":"f"}',
    '{"t":"error.not_found","p":{"model":"m","key":"pk","value":1},"i":"d","s":"f"}',
  ])
})

stage(t, 'two consumers: requests', async (t, { context, pump }) => {
  const caller = new Caller()
  const player = new Player()
  t.equal(
    thrown(() => void caller.request('s.ping')),
    'ERR_INVALID_STATE',
  )
  caller.connect('mem://;name=peer', context)
  player.connect('mem://;master=peer', context)
  await pump()
  const moved = caller.request('game.move', { x: 5 }, { expect: 'game.moved' })
  const pong = caller.request(new Move({ x: 6, mm: { user_pk: 1 } }))
  t.equal(await caller.opened, caller)
  await pump()
  t.strictSame((await moved).data, { by: 'ann', x: 5 })
  t.strictSame((await pong).data, { by: 'ann', x: 6 })
  t.strictSame(caller.log.splice(0), [
    'game.moved {"by":"ann","x":5}',
    'game.moved {"by":"ann","x":6}',
  ])
  player.does = () => {
    throw new Taken({ name: 'ann' })
  }
  const failed = caller.request('game.move', { x: 1 })
  await pump()
  t.equal(await fate(failed), 'rejected ERR_TAKEN')
  t.match(caller.log, [/^Taken: error.taken: name: ann/])
  const open = caller.request('game.move', { x: 1 })
  caller.close()
  t.equal(await fate(open), 'rejected ERR_CLOSED')
  t.equal(await fate(caller.request('s.ping')), 'rejected ERR_CLOSED')
  player.close()
})

game(t, 'a request inside a message that is being worked on', async (t, game) => {
  const { player, say, heard, pump } = game
  player.does = async () => {
    const answer = await (player as Consumer<any, any>).request('game.moved', { by: '', x: 1 })
    player.log.push(answer.type_name)
  }
  say('{"t":"game.move","p":{"x":1}}')
  await pump()
  const { i } = JSON.parse(heard[0]!)
  player.does = () => undefined
  say(`{"t":"game.move","p":{"x":2},"i":"${i}","s":"s"}`)
  await pump()
  t.strictSame(player.log, ['game.move'])
})

game(t, 'misuse of connecting', async (t, { player, context }) => {
  t.equal(
    thrown(() => player.connect('mem://', context)),
    'ERR_INVALID_STATE',
  )
  const other = new Player()
  t.equal(
    thrown(() => other.connect(5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => other.connect('none://', context)),
    'ERR_INVALID_URL',
  )
  t.strictSame([other.state, other.send('s.pong')], ['closed', false])
  t.equal(
    thrown(() => player.close(5)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(player.state, 'active')
  t.equal(other.on_error(new Error('nowhere')), undefined)
  t.not(other.channel_name, player.channel_name)
})

stage(t, 'the defaults of the hooks', async (t, { context, logged, pump }) => {
  const plain = new Consumer()
  const peer = context.init('mem://;name=peer').open()
  plain.connect('mem://;master=peer', context)
  await pump()
  for (const text of ['{"t":"s.ping"}', '{}', '{"t":"error.generic","s":"f"}']) peer.post(text)
  await pump()
  plain.on_error(new Error('logged'))
  plain.on_error('odd' as never)
  t.match(logged, [/Error: logged/, /odd/])
  plain.receive_event({ type: 'other', t: 'a' })
  plain.close()
  await plain.closed
  plain.receive_event({ type: 'websocket.send', t: 'a' })
  peer.close()
})

t.test('console.log', async t => {
  t.match(inspect(new Consumer()), /^Consumer \{\n {2}state: 'closed',/)
})

t.test('consumer() makes a class', async t => {
  class Own extends consumer({ incoming: to_client, outgoing: to_client }) {}
  t.strictSame([new Own().incoming, new Own().outgoing], [to_client, to_client])
  t.equal(
    thrown(() => consumer({ incoming: to_client } as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => consumer(undefined as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(new Player()[LINK].engine, undefined)
})

// A limit that is no number is none.
stage(t, 'settings that are invalid', async (t, { context }) => {
  const set: Partial<Consumer>[] = [
    { queue_limit: 'many' as never },
    { queue_limit: 0 },
    { allow_unauthenticated: 1 as never },
    { connection_update_interval: -1 },
  ]
  for (const each of set) {
    const player = Object.assign(new Player(), each)
    const code = thrown(() => player.connect('mem://;name=a', context))
    t.strictSame([code, player.state], ['ERR_INVALID_ARGUMENT', 'closed'])
  }
  t.equal(
    thrown(() => new Player().connect('mem://;name=a', {} as never)),
    'ERR_INVALID_ARGUMENT',
  )
  // It was active, and had no peer.
  t.equal(
    thrown(() => new Player().connect('mem://;mode=server', context)),
    'ERR_INVALID_ARGUMENT',
  )
  const player = new Player().connect(context.init('mem://;name=b'))
  player.close()
  await player.closed
})
