/**
 * Bench. `npm run soak -- --minutes N`: an echo server while peers come and go, half of which
 * misbehave. Its memory must stay level after the warm-up; that is judged of a minute and more.
 * Prints plots of text.
 *
 * Exit codes: 0 level, 1 something grew, came back wrong, or stayed behind, 2 the command line is
 * invalid, 130 interrupted.
 */

import { COMMON_OPTIONS, parseArguments, UsageError } from '../src/commands/usage.ts'
import { Child, endAll } from './processes.ts'
import type { Holding } from './soak/holding.ts'
import { LINE_VISITS, type Outcome, visitAgain } from './soak/peers.ts'
import { growth, plot } from './soak/plot.ts'
import { WEBSOCKET_VISITS } from './soak/websocket-peers.ts'

const HELP = `Usage: npm run soak -- [options]

Runs an echo server while peers come, behave or misbehave, and go. Then says
whether the server has kept anything that it should have released.

  --websocket    a server of WebSocket. Default: of lines
  --minutes <n>  run for this long, 0.2 to 600. Default: 2
  --peers <n>    keep this many peers connected, 1 to 2000. Default: 100
  --seed <n>     choose the peers by this number, to repeat a run.
                 Default: a random number, which is printed
  --help, -h     print this text

Exit codes: 0 level, 1 not level, 2 the command line is invalid.
`

/** The least time between two looks at the server, in milliseconds. */
const EVERY = 1000

/** The shortest run whose memory is judged, in milliseconds, with room for slow looks. */
const SHORTEST = 45_000

/** Bytes that it may hold more at the end: what V8 learns meanwhile (code, feedback) is no leak. */
const ALLOWED = 512 * 1024

/** Milliseconds until the server knows that the last peers have gone: its timeouts are a second. */
const REST = 4000

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

function options() {
  const { values } = parseArguments({
    options: {
      help: COMMON_OPTIONS.help,
      minutes: { type: 'string' },
      peers: { type: 'string' },
      seed: { type: 'string' },
      websocket: { type: 'boolean' },
    },
  })
  const number = (
    name: 'minutes' | 'peers' | 'seed',
    least: number,
    most: number,
    otherwise: number,
  ): number => {
    const value = values[name] === undefined ? otherwise : Number(values[name])
    if (!(value >= least && value <= most))
      throw new UsageError(
        `--${name} must be a number from ${least} to ${most}; got ${JSON.stringify(values[name])}`,
      )
    return value
  }
  return {
    help: values.help === true,
    isWebSocket: values.websocket === true,
    minutes: number('minutes', 0.2, 600, 2),
    peers: number('peers', 1, 2000, 100),
    seed: number('seed', 0, 2 ** 32 - 1, Math.floor(Math.random() * 2 ** 32)),
  }
}

/** Random numbers, the same for the same seed (mulberry32). */
function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

/** Lets peers come until the time is over; resolves with what the server held at each look. */
async function churn(
  server: Child,
  { isWebSocket, minutes, peers, seed }: ReturnType<typeof options>,
  outcome: Outcome,
): Promise<Holding[]> {
  const port = await server.port()
  const enough = new AbortController()
  const visits = isWebSocket ? WEBSOCKET_VISITS : LINE_VISITS
  const visitors = Array.from({ length: peers }, (_, i) =>
    visitAgain(port, visits, seeded(seed + i), outcome, enough.signal),
  )
  const samples: Holding[] = []
  const end = Date.now() + minutes * 60_000
  while (Date.now() < end && outcome.faults.length === 0) {
    await sleep(EVERY)
    samples.push(await server.ask<Holding>('holding'))
    progress(end, outcome, samples.at(-1) as Holding)
  }
  enough.abort()
  await Promise.all(visitors)
  return samples
}

function progress(end: number, outcome: Outcome, now: Holding): void {
  if (!process.stderr.isTTY) return
  const left = Math.max(0, Math.ceil((end - Date.now()) / 1000))
  const { visits, answers } = outcome
  const text =
    `${left} s left, ${visits} visits, ${answers} answers, ` +
    `heap ${mib(now.heap)}, ${now.connections} connections`
  // A line that wraps could not be taken away.
  process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`)
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`

/** What is wrong with what the server held; empty if all is well. */
function verdict(before: Holding, samples: readonly Holding[], after: Holding): string[] {
  const faults: string[] = []
  for (const what of ['heap', 'external'] as const) {
    // V8 still warms up.
    if (samples.length * EVERY < SHORTEST) break
    const grown = growth(samples.map(sample => sample[what]))
    if (grown > ALLOWED)
      faults.push(`${what} grew by ${mib(grown)} from the second third of the run to the last`)
  }
  if (after.connections > 0)
    faults.push(`${after.connections} connections are still open, but all peers have gone`)
  const stayed = (after.descriptors ?? 0) - (before.descriptors ?? 0)
  if (stayed > 0) faults.push(`${stayed} descriptors are still open`)
  return faults
}

async function main(): Promise<void> {
  const given = options()
  const { help, isWebSocket, minutes, peers, seed } = given
  if (help) return void process.stdout.write(HELP)
  const { node } = process.versions
  console.log(`soak: ${minutes} minutes, ${peers} peers at a time, seed ${seed}, Node ${node}`)
  const program = isWebSocket ? 'servers/soak-websocket' : 'servers/soak-echo'
  const server = new Child('the server', { program })
  const outcome: Outcome = { visits: 0, answers: 0, faults: [] }
  const before = await server.ask<Holding>('holding')
  const samples = await churn(server, given, outcome)
  await sleep(REST)
  const after = await server.ask<Holding>('holding')
  await server.end()
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  console.log(
    plot(
      'heap after a collection',
      samples.map(sample => sample.heap),
      mib,
    ),
  )
  console.log(
    plot(
      'external',
      samples.map(sample => sample.external),
      mib,
    ),
  )
  if (before.descriptors !== undefined)
    console.log(
      plot(
        'descriptors',
        samples.map(sample => sample.descriptors as number),
        String,
      ),
    )
  const { visits, answers } = outcome
  const closed = Object.entries(after.closed).map(([reason, count]) => `${count} ${reason}`)
  console.log(`${visits} visits, ${answers} answers came back right; closed: ${closed.join(', ')}`)
  const faults = [...outcome.faults, ...verdict(before, samples, after)]
  for (const fault of faults) console.log(`FAULT ${fault}`)
  console.log(faults.length === 0 ? 'level: nothing was kept' : 'not level')
  if (faults.length > 0) process.exitCode = 1
}

process.once('SIGINT', () => {
  endAll()
  process.exit(130)
})

main().catch((error: Error) => {
  endAll()
  const isUsage = error instanceof UsageError
  console.error(`soak: ${error.message}${isUsage ? ' (--help lists the options)' : ''}`)
  // Not only its code: the peers go on.
  process.exit(isUsage ? 2 : 1)
})
