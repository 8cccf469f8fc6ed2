/**
 * Layer 9. What a thread of a ThreadPool does: it loads the program's module, and then runs the
 * jobs that it gets, one after the other.
 *
 * What it says: `{ isReady }` once; of each job `{ isDone }` or `{ failed, code }`; and whatever is
 * published to consumers, which are in the other thread: `{ layer, topic, bytes }`.
 */

import { DRIVE } from '../../../core/drive.ts'
import { Engine } from '../../../engine.ts'
import { codeOf, messageOf } from '../../../errors.ts'
import type { ThreadPort } from '../../../threads.ts'
import { Layer } from '../../layers/layer.ts'
import { makeLayersBy } from '../../layers/layer-table.ts'
import type { JobData } from '../job-queue.ts'
import { placeOf } from '../place.ts'
import { runJob } from '../run-job.ts'
import { PortRelay } from './port-relay.ts'

/** What a thread says. */
export interface Said {
  readonly isReady?: true
  readonly isDone?: true
  readonly failed?: string
  readonly code?: string
  readonly log?: string
  readonly layer?: string
  readonly topic?: string
  readonly bytes?: Uint8Array
}

/** Serves in a thread. `module` is what `Files.load_module` takes. */
export async function serve(port: ThreadPort, { module }: { module: string }): Promise<void> {
  const engine = Engine.instance()
  const say = (said: Said): void => port.post(said)
  engine.log = log => say({ log })
  makeLayersBy(name => new Layer(new PortRelay(name, say), name))
  try {
    await engine[DRIVE].files.load_module(module)
  } catch (error) {
    say({
      failed: `cannot load ${module}: ${messageOf(error)}${placeOf(error)}`,
      code: 'ERR_MODULE',
    })
    return
  }
  port.listen((job: JobData) => {
    runJob(job, engine).then(
      () => say({ isDone: true }),
      error => say({ failed: messageOf(error), code: codeOf(error) }),
    )
  })
  say({ isReady: true })
}
