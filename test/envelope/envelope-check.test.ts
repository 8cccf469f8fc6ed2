import t from 'tap'
import { Envelope } from '../../src/envelope/envelope.ts'
import { check_envelopes } from '../../src/envelope/envelope-check.ts'
import { add_envelopes } from '../../src/envelope/envelope-table.ts'
import { DeferredJob } from '../../src/envelope/jobs/deferred-job.ts'
import { add_queues, remove_queues } from '../../src/envelope/jobs/job-queue.ts'
import { Layer } from '../../src/envelope/layers/layer.ts'
import { add_layers, remove_layers } from '../../src/envelope/layers/layer-table.ts'
import { message } from '../../src/envelope/runnable.ts'
import { MemoryRelay } from '../../src/relay/memory-relay.ts'
import { thrown } from '../kit.ts'
import { Kept } from './jobs/kit.ts'

class Checked extends message('checked', undefined, DeferredJob) {
  static readonly queue: string = 'checked'
}

t.test('a layer, or a queue, that does not exist', async t => {
  class CheckedQueue extends Kept {
    override readonly name: string = 'checked'
  }
  add_envelopes(new Envelope({ name: 'checked', layer_name: 'checked', messages: [Checked] }))
  t.throws(check_envelopes, { message: /no layer "checked"/ })
  add_layers(new Layer(new MemoryRelay(), 'checked'))
  t.throws(check_envelopes, { message: /no queue "checked"/ })
  add_queues(new CheckedQueue())
  t.equal(thrown(check_envelopes), 'nothing')
  remove_queues('checked')
  remove_layers('checked')
})
