/**
 * Layer 10. What the command `sluice-worker` does, in a process that is handed to it.
 *
 * command → runCommand → parseOptions → work: the module is loaded, then a RedisWorker for each
 * queue takes jobs until a signal stops it.
 *
 * Exit codes: 0 stopped, 1 the module does not load or the server refuses, 2 the command line is
 * invalid.
 *
 * Rule: whatever it says is one line on stderr. What the module prints is its own affair.
 */

import { deferred } from '../../core/deferred.ts'
import { DRIVE } from '../../core/drive.ts'
import type { Engine } from '../../engine.ts'
import type { JobRunner } from '../../envelope/jobs/job-runner.ts'
import { RedisWorker } from '../../envelope/jobs/redis/redis-worker.ts'
import { ThreadPool } from '../../envelope/jobs/threads/thread-pool.ts'
import { Layer } from '../../envelope/layers/layer.ts'
import { closeLayers, get_layer, layersOpened, makeLayersBy } from '../../envelope/layers/layers.ts'
import { messageOf } from '../../errors.ts'
import { open_relay } from '../../relay/open-relay.ts'
import type { Relay } from '../../relay/relay.ts'
import type { Milliseconds } from '../../types.ts'
import type { Host, Say } from '../host.ts'
import { oneLine, runCommand } from '../run.ts'
import { STOP_TIMEOUT, stopOnSignals } from '../signals.ts'
import { HELP, parseOptions, type Request } from './options.ts'

/** How long the answers of the last jobs may take to leave. */
const LAST_WORDS: Milliseconds = 1000

/** Runs the command with the arguments that follow its name; resolves with the exit code. */
export function command(argv: readonly string[], host: Host): Promise<number> {
  const run = (request: Request, say: Say): Promise<number> =>
    work(request, host, text => say(oneLine(text)))
  return runCommand({ name: 'sluice-worker', help: HELP, parse: parseOptions, run }, argv, host)
}

async function work(request: Request, host: Host, say: Say): Promise<number> {
  const { engine } = host
  const { queue, module } = request
  engine.log = say
  let relay: Relay | undefined
  // Whatever layer an envelope asks for: the consumers are in other processes.
  makeLayersBy(name => new Layer((relay ??= open_relay(queue, { engine })), name))
  const { promise: stopped, resolve: stop } = deferred<number>()
  const workers: RedisWorker[] = []
  let isStopping = false
  const forget = stopOnSignals(
    host,
    signal => {
      const count = workers.reduce((sum, { running }) => sum + running, 0)
      say(`${signal}: stopping${count === 0 ? '' : `, ${count} running (again: at once)`}`)
      isStopping = true
      stop(0)
    },
    host.exit,
  )
  const failed = (what: string, error: unknown): void => {
    // A signal came first: what it has closed is no failure.
    if (isStopping) return
    say(`${what}: ${messageOf(error)}`)
    stop(1)
  }
  try {
    await engine[DRIVE].files.load_module(module)
    open(request, engine, workers).then(
      () => say(`working on the queue ${request.names.join(', ')}`),
      error => failed('cannot work', error),
    )
  } catch (error) {
    failed(`cannot load ${module}`, error)
  }
  const code = await stopped
  isStopping = true
  await Promise.all(workers.map(worker => worker.close(STOP_TIMEOUT)))
  await Promise.race([closeLayers(), new Promise<void>(end => engine.defer(LAST_WORDS, end))])
  await engine.stop({ timeout: LAST_WORDS })
  forget()
  return code
}

/** Opens the workers, when the senders can be told what becomes of their jobs. */
async function open(request: Request, engine: Engine, workers: RedisWorker[]): Promise<void> {
  await Promise.all([get_layer().relay.opened, layersOpened()])
  const { threads, module } = request
  const runner = threads === 0 ? undefined : new ThreadPool(module, { threads, tries: 1, engine })
  for (const name of request.names) workers.push(openWorker(name, request, engine, runner))
  await Promise.all(workers.map(({ opened }) => opened))
}

function openWorker(
  name: string,
  request: Request,
  engine: Engine,
  runner: JobRunner | undefined,
): RedisWorker {
  const { queue, count, threads, tries, lease } = request
  return new RedisWorker(queue, {
    engine,
    name,
    // What waits for a thread would be kept from other processes.
    count: threads === 0 ? count : threads,
    tries,
    lease: lease * 1000,
    ...(runner !== undefined && { runner }),
  })
}
