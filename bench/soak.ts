/**
 * Bench. `npm run soak -- --minutes N`: an echo server while peers come and go, half of which
 * misbehave. Its memory must stay level after the warm-up; that is judged of a minute and more.
 * Prints plots of text. `--packets` is another one: soak/packets.ts.
 *
 * Exit codes: 0 level, 1 something grew, came back wrong, stayed behind or was lost, 2 the command
 * line is invalid, 130 interrupted.
 */

import type { AddressInfo } from 'node:net'
import { COMMON_OPTIONS, parseArguments, UsageError } from '../src/commands/usage.ts'
import { Child, endAll } from './processes.ts'
import { type Holding, memory } from './soak/holding.ts'
import { sendAgain, startBreaker } from './soak/message-senders.ts'
import { RELAYS, soakPackets } from './soak/packets.ts'
import { LINE_VISITS, type Outcome, type Random, visitAgain } from './soak/peers.ts'
import { growth, plot } from './soak/plot.ts'
import { WEBSOCKET_VISITS } from './soak/websocket-peers.ts'

const HELP = `Usage: npm run soak -- [options]

Runs an echo server while peers come, behave or misbehave, and go. Then says
whether the server has kept anything that it should have released.

  --websocket    a server of WebSocket. Default: of lines
  --messages     message channels over rate+reopen+tls+tcp, through a proxy that
                 breaks connections: nothing may be lost, or come twice
  --packets      a router of packets, a supervisor and agents, which are killed
                 and paused: no packet may be lost, or come twice
  --relay <name> with --packets: two routers with a relay, redis or nats, whose
                 server is killed and paused, too
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
      messages: { type: 'boolean' },
      packets: { type: 'boolean' },
      relay: { type: 'string' },
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
  if (values.websocket === true && values.messages === true)
    throw new UsageError('--websocket and --messages are two runs')
  const relay = RELAYS.find(name => name === values.relay)
  if (values.relay !== undefined && (relay === undefined || values.packets !== true))
    throw new UsageError(`--relay must be ${RELAYS.join(' or ')}, and needs --packets`)
  return {
    help: values.help === true,
    what: values.messages === true ? 'messages' : values.websocket === true ? 'websocket' : 'echo',
    isPackets: values.packets === true,
    relay,
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

/** What the server held at a look, and the heap of this process: that of its peers. */
interface Sample extends Holding {
  readonly peers: number
}

/** Lets peers come until the time is over; resolves with what was held at each look. */
async function churn(
  server: Child,
  given: ReturnType<typeof options>,
  outcome: Outcome,
): Promise<Sample[]> {
  const port = await server.port()
  const enough = new AbortController()
  const leave = await begin(port, given, outcome, enough.signal)
  const samples: Sample[] = []
  const end = Date.now() + given.minutes * 60_000
  while (Date.now() < end && outcome.faults.length === 0) {
    await sleep(EVERY)
    const now = await server.ask<Holding>('holding')
    samples.push({ ...now, peers: memory().heap })
    outcome.faults.push(...now.faults)
    progress(end, outcome, now)
  }
  enough.abort()
  await leave()
  return samples
}

/** Peers come and go until `signal` aborts. The function resolves when all of them have gone. */
async function begin(
  port: number,
  { what, peers, seed }: ReturnType<typeof options>,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<() => Promise<unknown>> {
  const each = (visitor: (random: Random) => Promise<void>): Promise<unknown> =>
    Promise.all(Array.from({ length: peers }, (_, i) => visitor(seeded(seed + i))))
  if (what === 'messages') {
    const breaker = await startBreaker(port, seeded(seed))
    const ports = { server: port, breaker: (breaker.address() as AddressInfo).port }
    const gone = each(random => sendAgain(ports, random, outcome, signal))
    return () => gone.then(() => breaker.close())
  }
  const visits = what === 'websocket' ? WEBSOCKET_VISITS : LINE_VISITS
  const gone = each(random => visitAgain(port, visits, random, outcome, signal))
  return () => gone
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

/** What is plotted and judged. */
const NAMES = {
  heap: 'heap after a collection',
  external: 'external',
  peers: 'heap of the peers',
} as const

/** What is wrong with what the server held; empty if all is well. */
function verdict(before: Holding, samples: readonly Sample[], after: Holding): string[] {
  const faults: string[] = []
  for (const what of ['heap', 'external', 'peers'] as const) {
    // V8 still warms up.
    if (samples.length * EVERY < SHORTEST) break
    const grown = growth(samples.map(sample => sample[what]))
    if (grown > ALLOWED)
      faults.push(
        `${NAMES[what]} grew by ${mib(grown)} from the second third of the run to the last`,
      )
  }
  if (after.connections > 0)
    faults.push(`${after.connections} connections are still open, but all peers have gone`)
  const stayed = (after.descriptors ?? 0) - (before.descriptors ?? 0)
  if (stayed > 0) faults.push(`${stayed} descriptors are still open`)
  return faults
}

async function main(): Promise<void> {
  const given = options()
  const { help, what, isPackets, relay, minutes, peers, seed } = given
  if (help) return void process.stdout.write(HELP)
  const { node } = process.versions
  if (isPackets) {
    console.log(`soak of packets: ${minutes} minutes, seed ${seed}, Node ${node}`)
    const faults = await soakPackets({ minutes, relay, random: seeded(seed) })
    return tell(faults, 'nothing lost, nothing doubled, order kept')
  }
  console.log(`soak: ${minutes} minutes, ${peers} peers at a time, seed ${seed}, Node ${node}`)
  const server = new Child('the server', { program: `servers/soak-${what}` })
  const outcome: Outcome = { visits: 0, answers: 0, faults: [] }
  const before = await server.ask<Holding>('holding')
  const samples = await churn(server, given, outcome)
  await sleep(REST)
  const after = await server.ask<Holding>('holding')
  await server.end()
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  for (const [key, name] of Object.entries(NAMES)) {
    const values = samples.map(sample => sample[key as keyof typeof NAMES])
    console.log(plot(name, values, mib))
    const thirds = [0, 0.5, 1].map(part => values[Math.floor((values.length - 1) * part)] as number)
    console.log(`start, middle, end: ${thirds.map(mib).join(', ')}`)
  }
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
  tell(faults, 'level: nothing was kept')
}

function tell(faults: readonly string[], well: string): void {
  for (const fault of faults) console.log(`FAULT ${fault}`)
  if (faults.length === 0) console.log(well)
  else process.exitCode = 1
}

process.once('SIGINT', () => {
  endAll()
  process.exit(130)
})

function failed(error: Error): void {
  endAll()
  const isUsage = error instanceof UsageError
  console.error(`soak: ${error.message}${isUsage ? ' (--help lists the options)' : ''}`)
  process.exitCode = isUsage ? 2 : 1
}

// It does not wait for the end of the loop: after an error the peers go on.
main()
  .catch(failed)
  .finally(() => process.exit())
