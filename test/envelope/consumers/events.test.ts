import t from 'tap'
import { deferred } from '../../../src/core/deferred.ts'
import { NotFoundError } from '../../../src/envelope/builtin/common-errors.ts'
import { Close } from '../../../src/envelope/builtin/common-messages.ts'
import { internal } from '../../../src/envelope/envelope-table.ts'
import { errors } from '../../../src/envelope/envelope-table.ts'
import {
  DictTransport,
  type LayerEvent,
  TextTransport,
} from '../../../src/envelope/envelope-transports.ts'
import { message } from '../../../src/envelope/runnable.ts'
import {
  incoming_internal_message,
  outgoing_websocket_message,
} from '../../../src/envelope/signals/message-signals.ts'
import { game, Moved, Player, to_client } from './kit.ts'

const text = new TextTransport('websocket.send')
const moved = new Moved({ by: 'a', x: 1, mm: { id: 'i', state: 's' } })

game(t, 'websocket.send: the text goes out as it is', async (t, { player, heard, pump }) => {
  const text_data = '{"t": "game.moved", "p": {"by": "a", "x": 1}}'
  player.receive_event({ type: 'websocket.send', t: 'game.moved', text_data })
  player.receive_event({ type: 'websocket.send', t: 'none', text_data: '{}' })
  await pump()
  t.strictSame(heard, [text_data, '{}'])
  const log: number[] = []
  const receiver = async ({ message }: { message: Moved }) => {
    log.push(message.data.x)
    throw new Error('in the receiver')
  }
  outgoing_websocket_message.connect(receiver, { sender: Moved })
  player.receive_event(text.wrap(to_client, moved))
  player.receive_event({ type: 'websocket.send', t: 'game.moved' })
  await pump()
  outgoing_websocket_message.disconnect(receiver, { sender: Moved })
  t.strictSame(log, [1])
  t.strictSame(player.log, ['error ERR_VALIDATION', 'error in the receiver'])
  t.equal(heard[2], '{"t":"game.moved","p":{"by":"a","x":1},"i":"i","s":"s"}')
})

game(t, 'ws.error.send: an error', async (t, { player, heard, pump }) => {
  const error = new NotFoundError({ model: 'm', value: 1, mm: { id: 'i' } })
  const event = new DictTransport('ws.error.send').wrap(errors, error as never)
  player.receive_event(event)
  player.receive_event({ ...event, i: undefined } as unknown as LayerEvent)
  await pump()
  t.strictSame(heard, [
    '{"t":"error.not_found","p":{"model":"m","key":"pk","value":1},"i":"i","s":"f"}',
    '{"t":"error.not_found","p":{"model":"m","key":"pk","value":1},"i":null,"s":"f"}',
  ])
})

class Slow extends Player {
  override does() {
    return gate.promise
  }
}
const gate = deferred<void>()
game(
  t,
  'internal.msg: for the program itself, in its turn',
  async (t, { player, heard, say, pump }) => {
    class Note extends message('events_test.note') {}
    const log: string[] = []
    const receiver = ({ message }: { message: Note }) => void log.push(message.type_name)
    internal.registry.add(Note)
    incoming_internal_message.connect(receiver, { sender: Note })
    const event = new DictTransport('internal.msg').wrap(internal, new Note())
    say('{"t":"game.move","p":{"x":1}}')
    await pump()
    player.receive_event(event)
    t.strictSame(log, [])
    gate.resolve()
    await pump()
    t.strictSame([log, heard], [['events_test.note'], []])
    player.receive_event({ type: 'internal.msg', t: 'none' })
    t.strictSame(player.log, ['error ERR_MSG_TYPE'])
    internal.registry.delete('events_test.note')
    player.receive_event(new DictTransport('internal.msg').wrap(internal, new Close()))
    await pump()
    t.strictSame(player.log.slice(1), ['error ERR_INVALID_ARGUMENT'], 's.closing is not registered')
  },
  new Slow(),
)

game(t, 'what is no event', async (t, { player }) => {
  player.receive_event(undefined as never)
  player.receive_event({} as never)
  t.strictSame(player.log, ['error ERR_INVALID_ARGUMENT', 'error ERR_INVALID_ARGUMENT'])
})
