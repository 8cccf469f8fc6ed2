/**
 * npm run fuzz: plays everything that is fuzzed, round after round, until the time is over or
 * something is wrong. Each round has a seed of its own, which shows the same again.
 *
 *     npm run fuzz -- calls --seconds 600 --seed 1
 *
 * The names (or parts of names) say which targets are played; by default all are. The exit code is
 * 1 if anything was wrong.
 */

import { parseArgs } from 'node:util'
import { play, type Target } from './target.ts'
import { TARGETS } from './targets.ts'

/** How long a target is played before the next one has its turn. */
const TURN_MS = 500

/** After so many faults a target is left alone. */
const FAULTS = 3

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    rounds: { type: 'string', default: 'Infinity' },
  },
})
const [seconds, seed, most] = [values.seconds, values.seed, values.rounds].map(Number) as [
  number,
  number,
  number,
]
const targets = TARGETS.filter(
  ({ name }) => names.length === 0 || names.some(part => name.includes(part)),
)
if (!(seconds > 0) || !Number.isSafeInteger(seed) || !(most > 0) || targets.length === 0) {
  console.error(`fuzz: --seconds and --rounds are positive numbers, --seed is an integer`)
  console.error(
    `fuzz: the names of targets, or parts of them: ${TARGETS.map(({ name }) => name).join(', ')}`,
  )
  process.exit(2)
}

/** How far a target has come. */
interface Played {
  readonly target: Target
  rounds: number
  faults: number
  /** The longest round, in ms, and its seed. */
  longest: number
  slowest: number
}

async function playTurn(played: Played): Promise<void> {
  const end = performance.now() + TURN_MS
  while (performance.now() < end && played.faults < FAULTS && played.rounds < most) {
    const round = seed + played.rounds++
    const begun = performance.now()
    const faults = await play(played.target, round)
    const took = performance.now() - begun
    if (took > played.longest) Object.assign(played, { longest: took, slowest: round })
    for (const fault of faults) console.log(`${played.target.name}, seed ${round}: ${fault}`)
    played.faults += faults.length
  }
}

console.log(`fuzz: ${seconds} s, from seed ${seed} on`)
const all: Played[] = targets.map(target => ({
  target,
  rounds: 0,
  faults: 0,
  longest: 0,
  slowest: seed,
}))
const end = performance.now() + 1000 * seconds
const isGoing = ({ faults, rounds }: Played): boolean => faults < FAULTS && rounds < most
while (performance.now() < end && all.some(isGoing)) {
  for (const played of all) if (performance.now() < end) await playTurn(played)
}
for (const { target, rounds, faults, longest, slowest } of all) {
  const end = faults === 0 ? 'nothing wrong' : `${faults} WRONG`
  console.log(
    `${target.name.padEnd(22)} ${String(rounds).padStart(9)} rounds, the longest ` +
      `${longest.toFixed(0)} ms (seed ${slowest}): ${end}`,
  )
}
process.exit(all.some(({ faults }) => faults > 0) ? 1 : 0)
