/**
 * Layer 10. What the command `sluice-worker` does, in a process that is handed to it.
 *
 * command → runCommand → parseOptions → WorkerRun: the module is loaded, then a RedisWorker for
 * each queue takes jobs until a signal stops it.
 *
 * Exit codes: 0 stopped, 1 the module does not load or the server refuses, 2 the command line is
 * invalid.
 *
 * Rule: whatever it says is one line on stderr. What the module prints is its own affair.
 */

import { type Deferred, deferred } from '../../core/deferred.ts'
import { DRIVE } from '../../core/drive.ts'
import type { Engine } from '../../engine.ts'
import type { JobRunner } from '../../envelope/jobs/job-runner.ts'
import { placeOf } from '../../envelope/jobs/place.ts'
import { RedisWorker } from '../../envelope/jobs/redis/redis-worker.ts'
import { ThreadPool } from '../../envelope/jobs/threads/thread-pool.ts'
import { Layer } from '../../envelope/layers/layer.ts'
import {
  closeLayers,
  get_layer,
  layersOpened,
  makeLayersBy,
} from '../../envelope/layers/layer-table.ts'
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
    new WorkerRun(request, host, text => say(oneLine(text))).run()
  return runCommand({ name: 'sluice-worker', help: HELP, parse: parseOptions, run }, argv, host)
}

/** One run of the command. */
class WorkerRun {
  readonly #request: Request
  readonly #host: Host
  readonly #say: Say
  readonly #workers: RedisWorker[] = []
  readonly #stopped: Deferred<number> = deferred()
  #isStopping = false

  constructor(request: Request, host: Host, say: Say) {
    this.#request = request
    this.#host = host
    this.#say = say
  }

  async run(): Promise<number> {
    const { engine, exit } = this.#host
    engine.log = this.#say
    let relay: Relay | undefined
    const { queue } = this.#request
    // Whatever layer an envelope asks for: the consumers are in other processes.
    makeLayersBy(name => new Layer((relay ??= open_relay(queue, { engine })), name))
    const forget = stopOnSignals(this.#host, signal => this.#stop(signal), exit)
    await this.#load()
    const code = await this.#stopped.promise
    await this.#close()
    forget()
    return code
  }

  async #load(): Promise<void> {
    const { module, names } = this.#request
    try {
      await this.#host.engine[DRIVE].files.load_module(module)
      this.#open().then(
        () => this.#say(`working on the queue ${names.join(', ')}`),
        error => this.#failed('cannot work', error),
      )
    } catch (error) {
      this.#failed(`cannot load ${module}`, error)
    }
  }

  /** Opens the workers, when the senders can be told what becomes of their jobs. */
  async #open(): Promise<void> {
    await Promise.all([get_layer().relay.opened, layersOpened()])
    const { engine } = this.#host
    const { threads, module, names } = this.#request
    const runner = threads === 0 ? undefined : new ThreadPool(module, { threads, tries: 1, engine })
    for (const name of names) this.#workers.push(openWorker(name, this.#request, engine, runner))
    await Promise.all(this.#workers.map(({ opened }) => opened))
  }

  #stop(signal: string): void {
    const count = this.#workers.reduce((sum, { running }) => sum + running, 0)
    this.#say(`${signal}: stopping${count === 0 ? '' : `, ${count} running (again: at once)`}`)
    this.#isStopping = true
    this.#stopped.resolve(0)
  }

  #failed(what: string, error: unknown): void {
    // A signal came first: what it has closed is no failure.
    if (this.#isStopping) return
    this.#say(`${what}: ${messageOf(error)}${placeOf(error)}`)
    this.#isStopping = true
    this.#stopped.resolve(1)
  }

  async #close(): Promise<void> {
    const { engine } = this.#host
    await Promise.all(this.#workers.map(worker => worker.close(STOP_TIMEOUT)))
    await Promise.race([closeLayers(), new Promise<void>(end => engine.defer(LAST_WORDS, end))])
    await engine.stop({ timeout: LAST_WORDS })
  }
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
    runner,
  })
}
