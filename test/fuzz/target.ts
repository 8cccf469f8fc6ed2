/**
 * Fuzzing: what is tried with random input, round after round, each with a seed of its own. A few
 * rounds of each target are a test (test/scenarios/parsers.test.ts, random-calls.test.ts); the
 * command goes on for as long as it is told (main.ts).
 */

import { type Random, seeded } from '../core/oracle.ts'

export { pick, type Random } from '../core/oracle.ts'

export interface Target {
  readonly name: string
  /** One round. Returns what was wrong, one line each. What it throws is wrong, too. */
  round(random: Random): string[] | Promise<string[]>
}

/** What is wrong in the round with this seed. */
export async function play(target: Target, seed: number): Promise<string[]> {
  try {
    return await target.round(seeded(seed))
  } catch (error) {
    return [(error as Error)?.stack ?? String(error)]
  }
}

/** The first faults of so many rounds, from a seed on, each with the seed that shows it again. */
export async function playRounds(target: Target, seed: number, rounds: number): Promise<string[]> {
  const faults: string[] = []
  for (let n = seed; n < seed + rounds && faults.length < 3; n++)
    faults.push(...(await play(target, n)).map(fault => `${target.name}, seed ${n}: ${fault}`))
  return faults
}

/** What it returns, or the code of what it throws; no error without a code is expected. */
export function coded<Value>(call: () => Value): Value | string {
  try {
    return call()
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (typeof code !== 'string') throw error
    return code
  }
}

/** Bytes of which some look like the beginning, the middle or the end of a message. */
export function garbage(random: Random, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size;) {
    const kind = random(6)
    const length = Math.min(size - at, 1 + random(40))
    if (kind === 0) bytes.fill(random(256), at, at + length)
    else if (kind === 1) bytes.fill('\r\n', at, at + length)
    else if (kind === 2) bytes.fill('text é ', at, at + length)
    else if (kind === 3) bytes.fill(0, at, at + length)
    else for (let i = 0; i < length; i++) bytes[at + i] = random(256)
    at += length
  }
  return bytes
}

/** The bytes in pieces. */
export function cutAtRandom(random: Random, bytes: Buffer): Buffer[] {
  const most = 1 + random(2 ** (1 + random(10)))
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random(most)
    pieces.push(Buffer.from(bytes.subarray(at, at + size)))
    at += size
  }
  return pieces
}
