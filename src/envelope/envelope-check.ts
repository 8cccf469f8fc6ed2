/**
 * Layer 9. The check of what a program has registered, for its start. Without it, a wrong name is
 * noticed only when a peer connects or a message comes.
 */

import { allEnvelopes } from './envelope-table.ts'
import { DeferredJob } from './jobs/deferred-job.ts'
import { get_queue } from './jobs/job-queue.ts'
import { get_layer } from './layers/layer-table.ts'

/**
 * Checks that the layer of each envelope that is registered by name exists, and the queue of each
 * of its jobs. Throws InvalidArgumentError for the first that does not.
 */
export function check_envelopes(): void {
  for (const { layer_name, registry } of allEnvelopes()) {
    get_layer(layer_name)
    for (const Class of registry.values())
      if (Class.prototype instanceof DeferredJob)
        get_queue((Class as unknown as typeof DeferredJob).queue)
  }
}
