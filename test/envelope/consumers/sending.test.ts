import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import { NotFoundError } from '../../../src/envelope/builtin/common-errors.ts'
import { Pong } from '../../../src/envelope/builtin/common-messages.ts'
import type { Consumer } from '../../../src/envelope/consumers/consumer.ts'
import { ErrorMessage } from '../../../src/envelope/error-message.ts'
import { message } from '../../../src/envelope/runnable.ts'
import { outgoing_websocket_message } from '../../../src/envelope/signals/message-signals.ts'
import { fate, thrown } from '../../kit.ts'
import { stage } from '../../messages/kit.ts'
import { game, Moved, Player, Taken } from './kit.ts'

game(t, 'the trace id of what is sent', async (t, { player, heard, pump }) => {
  player.send(new Moved({ by: 'bob', x: 2 }))
  const asked = (player as Consumer<any, any>).request(new Moved({ by: 'bob', x: 3 }))
  player.send_error(new Taken({ name: 'a' }))
  player.send_error(new Taken({ name: 'a' }), { id: 'c' })
  player.send_error(new NotFoundError({ model: 'm', value: 1, mm: { id: 'd' } }), { id: 'e' })
  await pump()
  t.strictSame(
    heard.map(text => JSON.parse(text).i),
    [null, 'r0', null, 'c', 'd'],
  )
  player.close()
  t.equal(await fate(asked), 'rejected ERR_CLOSED')
  t.equal(player.send_error(new Taken({ name: 'a' })), false)
})

game(t, 'what must not be sent', async (t, { player, heard, pump }) => {
  class Unknown extends message('unknown') {}
  class UnknownError extends ErrorMessage {
    static override readonly type_name = 'error.unknown'
  }
  const any = player as Consumer<any, any>
  for (const call of [
    () => any.send('game.move', { x: 1 }),
    () => any.send(new Unknown()),
    () => any.send(5 as never),
    () => any.send_error(new UnknownError()),
    () => any.send_error(new Unknown() as never),
  ])
    t.equal(thrown(call), 'ERR_INVALID_ARGUMENT')
  t.equal(
    thrown(() => any.send('game.moved', { by: 5 })),
    'ERR_VALIDATION',
  )
  player.send('s.pong', null, { id: 'x'.repeat(21) })
  t.strictSame(player.log, ['error ERR_VALIDATION'])
  await pump()
  t.strictSame(heard, [])
})

game(t, 'the signal comes first, and a slow receiver keeps the order', async (t, game) => {
  const { player, heard, pump } = game
  const gate = deferred<void>()
  const receiver = ({ message }: { message: Moved }) => {
    if (message.data.x === 1) return gate.promise
    if (message.data.x === 9) throw new Error('in the signal')
    return message.data.x === 8 ? Promise.reject(new Error('later')) : undefined
  }
  outgoing_websocket_message.connect(receiver, { sender: Moved })
  for (const x of [1, 2]) player.send('game.moved', { by: '', x })
  player.send('s.pong')
  await pump()
  t.strictSame(heard, [])
  gate.resolve()
  await pump()
  t.match(heard, [/"x":1/, /"x":2/, /s.pong/])
  t.equal(
    thrown(() => player.send('game.moved', { by: '', x: 9 })),
    'in the signal',
  )
  player.send('game.moved', { by: '', x: 8 })
  player.send('s.pong')
  await pump()
  t.strictSame(player.log, ['error later'])
  t.equal(heard.length, 4)
  outgoing_websocket_message.disconnect(receiver, { sender: Moved })
})

stage(t, 'what waits for a receiver is dropped with the connection', async (t, stage) => {
  const gate = deferred<void>()
  const receiver = () => gate.promise
  outgoing_websocket_message.connect(receiver, { sender: Pong })
  const peer = stage.context.init('mem://;name=peer').open()
  const player = await new Player().connect('mem://;master=peer', stage.context).opened
  t.equal(player.send('s.pong'), true)
  player.close()
  gate.resolve()
  await stage.pump()
  t.equal(player.last_sent, 0)
  outgoing_websocket_message.disconnect(receiver, { sender: Pong })
  peer.close()
})

// A state that was misspelt was not sent, and one that was no text went out as it was.
game(t, 'how a message is sent', async (t, { player, heard, pump }) => {
  const any = player as Consumer<any, any>
  for (const call of [
    () => any.send('s.pong', null, { stat: 's' } as never),
    () => any.send('s.pong', null, { state: 5 as never }),
    () => any.send('s.pong', null, null as never),
    () => any.reply(new Pong(), 's.pong', null, { sate: 's' } as never),
    () => any.send_error(new Taken({ name: 'a' }), { i: 'a' } as never),
    () => any.send_error(new Taken({ name: 'a' }), null as never),
    () => any.send(new Pong() as never, { state: 's' } as never),
  ])
    t.equal(thrown(call), 'ERR_INVALID_ARGUMENT')
  any.reply(new Pong({ mm: { id: 'a' } }), 's.pong', null, { state: 'r', id: 'b' })
  ;(any.send as Function)(new Pong({ mm: { id: 'c', state: 'a' } }), undefined, { state: 'q' })
  await pump()
  t.strictSame(
    heard.map(text => JSON.parse(text)).map(({ i, s }) => `${i} ${s}`),
    ['b r', 'c q'],
  )
})
