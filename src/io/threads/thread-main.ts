/**
 * Layer 2. What runs in each worker thread, see node-threads.ts: it imports the module that was
 * named, and lets it serve.
 */

import { parentPort, workerData } from 'node:worker_threads'
import type { ThreadPort, ThreadServe } from '../../threads.ts'

// In a process of its own there is none: this file is not imported there.
const parent = parentPort!

const port: ThreadPort = {
  post: message => parent.postMessage(message),
  listen: received => void parent.on('message', received),
}
const { module, data } = workerData as { module: string; data: unknown }
const { serve } = (await import(module)) as { serve: ThreadServe }
await serve(port, data)
