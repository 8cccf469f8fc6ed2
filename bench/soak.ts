/**
 * Bench. `npm run soak -- --minutes N`: an echo server under churn, of whose visitors half
 * misbehave; its memory must stay level after warm-up. Prints plots of text, and exits with 1 when
 * something grew, came back wrong, or stayed behind.
 */

import { parseArgs } from 'node:util'
import { Child, endAll } from './processes.ts'
import type { Holding } from './servers/soak-echo.ts'
import { type Outcome, visitAgain } from './soak/peers.ts'
import { growth, plot } from './soak/plot.ts'

const HELP = `Usage: npm run soak -- [options]

Runs an echo server while peers come, behave or misbehave, and go; then says whether it held on to anything.

  --minutes <n>  how long, 0.2 to 600. Default 2
  --peers <n>    how many at a time, 1 to 2000. Default 100
  --seed <n>     which peers come when. Default: another one each time, which is printed
  --help         print this
`

/** Milliseconds between two looks at the server, at least. */
const EVERY = 1000

/**
 * How much more may be held at the end, in bytes: what V8 learns on the way (code, feedback) is no
 * leak.
 */
const ALLOWED = 512 * 1024

/** Milliseconds until the server has seen the last ones go: its timeouts are a second each. */
const REST = 4000

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

function options() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      peers: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean' },
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
      throw new Error(
        `--${name} must be a number from ${least} to ${most}; got ${JSON.stringify(values[name])}`,
      )
    return value
  }
  return {
    help: values.help === true,
    minutes: number('minutes', 0.2, 600, 2),
    peers: number('peers', 1, 2000, 100),
    seed: number('seed', 0, 2 ** 32 - 1, Math.floor(Math.random() * 2 ** 32)),
  }
}

/** The same numbers for the same seed (mulberry32). */
function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}

/** Lets them come until the time is over; what the server held at each look. */
async function churn(
  server: Child,
  port: number,
  minutes: number,
  peers: number,
  seed: number,
  outcome: Outcome,
): Promise<Holding[]> {
  const enough = new AbortController()
  const visitors = Array.from({ length: peers }, (_, i) =>
    visitAgain(port, seeded(seed + i), outcome, enough.signal),
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
  process.stderr.write(
    `\r\x1b[K${left} s left, ${outcome.visits} visits, ${outcome.lines} lines, heap ${mib(now.heap)}, ${now.connections} connections`,
  )
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`

/** What is wrong with what was held; nothing when all is well. */
function verdict(before: Holding, samples: readonly Holding[], after: Holding): string[] {
  const faults: string[] = []
  for (const what of ['heap', 'external'] as const) {
    const grown = growth(samples.map(sample => sample[what]))
    if (grown > ALLOWED)
      faults.push(`${what} grew by ${mib(grown)} from the second third of the time to the last`)
  }
  if (after.connections > 0)
    faults.push(`${after.connections} connections are still open though all peers have gone`)
  const stayed = (after.descriptors ?? 0) - (before.descriptors ?? 0)
  if (stayed > 0) faults.push(`${stayed} descriptors are still open`)
  return faults
}

async function main(): Promise<void> {
  const { help, minutes, peers, seed } = options()
  if (help) return void process.stdout.write(HELP)
  console.log(
    `soak: ${minutes} minutes, ${peers} peers at a time, seed ${seed}, Node ${process.versions.node}`,
  )
  const server = new Child('the server', 'servers/soak-echo', [], undefined)
  const port = await server.port()
  const outcome: Outcome = { visits: 0, lines: 0, faults: [] }
  const before = await server.ask<Holding>('holding')
  const samples = await churn(server, port, minutes, peers, seed, outcome)
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
  console.log(
    `${outcome.visits} visits, ${outcome.lines} lines came back right; closed: ${JSON.stringify(after.closed)}`,
  )
  const faults = [...outcome.faults, ...verdict(before, samples, after)]
  for (const fault of faults) console.log(`FAULT ${fault}`)
  console.log(faults.length === 0 ? 'level: nothing was held on to' : 'not level')
  if (faults.length > 0) process.exitCode = 1
}

process.once('SIGINT', () => {
  endAll()
  process.exit(130)
})

main().catch((error: Error) => {
  endAll()
  console.error(`soak: ${error.message}`)
  process.exitCode = 1
})
