import t from 'tap'
import * as all from '../../../src/envelope/builtin/common-messages.ts'
import { consumer } from '../../../src/envelope/consumers/consumer.ts'
import { Envelope } from '../../../src/envelope/envelope.ts'
import { game } from '../consumers/kit.ts'

const { Ping, Close, SendClientInfo, Pong, Closing, ClientInfo, Progress, Stat } = all

class Whole extends consumer({
  incoming: new Envelope({ name: 'in', messages: [Ping, SendClientInfo, Close] }),
  outgoing: new Envelope({ name: 'out', messages: [Pong, ClientInfo, Closing, Stat, Progress] }),
}) {
  override readonly channel_name = 'whole'
  override language = 'sv'
  override on_message(message: { type_name: string }) {
    if (message.type_name === 's.ping') this.send('progress.num', { curr: 1, total: 2 })
    if (message.type_name === 's.ping') this.send('s.stat', null, { state: 'q' })
  }
}

game(
  t,
  'the messages that every consumer may understand',
  async (t, { say, heard, pump, player }) => {
    say('{"t":"s.ping","i":"a"}')
    say('{"t":"s.send_client_info","i":"b"}')
    say('{"t":"s.close","i":"c"}')
    await pump()
    t.strictSame(heard, [
      '{"t":"s.pong","p":null,"i":"a","s":"s"}',
      '{"t":"progress.num","p":{"curr":1,"total":2,"msg":null},"i":null,"s":null}',
      '{"t":"s.stat","p":null,"i":null,"s":"q"}',
      '{"t":"s.client_info","p":{"consumer_name":"whole","lang":"sv"},"i":"b","s":"s"}',
      '{"t":"s.closing","p":{"code":1000},"i":"c","s":null}',
    ])
    t.equal(player.state, 'closed')
  },
  new Whole() as never,
)
