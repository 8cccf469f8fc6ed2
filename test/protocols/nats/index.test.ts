/** What other programs import as sluice/nats. */

import t from 'tap'
import * as nats from '../../../src/protocols/nats/index.ts'

t.same(Object.keys(nats).sort(), [
  'NatsClient',
  'NatsConsumer',
  'NatsError',
  'NatsJetStream',
  'NatsMessage',
  'NatsStoredMessage',
  'NatsSubscription',
])
