import t from 'tap'
import { Message } from '../../../src/envelope/message.ts'
import { AsyncRunnable } from '../../../src/envelope/runnable.ts'
import * as signals from '../../../src/envelope/signals/message-signals.ts'

t.test('run is called for each signal of messages, as the class wants', async t => {
  const log: string[] = []
  class Always extends AsyncRunnable {
    override run({ consumer }: { consumer: string }) {
      log.push(consumer)
    }
  }
  class Received extends Always {
    static override readonly run_when = 'received'
  }
  const {
    incoming_websocket_message: incoming,
    outgoing_websocket_message: outgoing,
    outgoing_websocket_error: error,
    incoming_internal_message: internal,
  } = signals
  for (const Class of [Always, Received, Message]) {
    for (const signal of [incoming, outgoing, error, internal])
      await signal.send(Class, { message: new Class(), consumer: `${Class.name} ${signal.name}` })
  }
  t.strictSame(log, [
    'Always incoming_websocket_message',
    'Always outgoing_websocket_message',
    'Always outgoing_websocket_error',
    'Always incoming_internal_message',
    'Received incoming_websocket_message',
    'Received incoming_internal_message',
  ])
})

t.test('two names for one signal', async t => {
  t.equal(signals.consumer_disconnected, signals.consumer_closed)
})
