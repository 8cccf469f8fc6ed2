/**
 * Layer 10. The options of `sluice-worker`.
 */

import { type Information, parseWhole, readOptions, TEXT, TEXTS, UsageError } from '../usage.ts'

/** How many jobs it works on at a time without --count. */
const COUNT = 16

/** How often a job is tried without --tries. */
const TRIES = 3

/** In s, without --lease. */
const LEASE = 30

export const HELP = `Usage: sluice-worker --queue <url> [options] <module>

Does the work of the DeferredJobs that wait in a RedisQueue. The module makes
their messages and envelopes known: it calls add_envelopes.

  --queue <url>       the Redis or Valkey server, for example redis://localhost
  --name <name>       work for the queue of this name. It may be given several
                      times. Default: default
  --count <number>    jobs of each queue that run at a time.
                      Default: ${COUNT}
  --threads <number>  number of worker threads, one job in each: work that blocks
                      does not stop the process then.
                      Default: in the process itself
  --tries <number>    attempts before a job has failed. Default: ${TRIES}
  --lease <seconds>   after this, others do the jobs of a worker that has died.
                      Default: ${LEASE}
  --help, -h          print this text
  --version           print the version

The module is a path such as ./jobs.js, or the name of a package. What the
senders are told goes over the layers that the module adds; if it adds none,
over the same server.
Ctrl-C lets the jobs finish, for at most 5 seconds. What is not done then is
done by another worker. A second Ctrl-C ends the command at once.

Exit codes: 0 stopped, 1 the module does not load, or the server refuses,
2 the command line is invalid.
`

/** What the command line asks for. */
export interface Request {
  readonly kind: 'work'
  readonly module: string
  readonly queue: string
  readonly names: readonly string[]
  readonly count: number
  /** 0: the process itself. */
  readonly threads: number
  readonly tries: number
  /** In s. */
  readonly lease: number
}

/** Reads the arguments that follow the name of the command. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Request | Information {
  const numbers = { count: TEXT, threads: TEXT, tries: TEXT, lease: TEXT }
  const options = { queue: TEXT, name: TEXTS, ...numbers }
  return readOptions(argv, { options, allowPositionals: true }, ({ values, positionals }) => {
    const { queue, name = ['default'], count, threads, tries, lease } = values
    const [module, ...others] = positionals
    if (module === undefined || others.length > 0)
      throw new UsageError('it takes one module, such as ./jobs.js')
    if (queue === undefined) throw new UsageError('--queue is missing, such as redis://localhost')
    if (!/^redis(s|\+unix)?:\/\//.test(queue))
      throw new UsageError(`--queue must be a URL such as redis://localhost; got ${queue}`)
    return {
      kind: 'work',
      module,
      queue,
      names: [...new Set(name)],
      count: parseWhole('--count', count, 1, 10_000, COUNT),
      threads: parseWhole('--threads', threads, 1, 1000, 0),
      tries: parseWhole('--tries', tries, 1, 1000, TRIES),
      lease: parseWhole('--lease', lease, 1, 86_400, LEASE),
    }
  })
}
