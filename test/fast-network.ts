/** The fast network, for suites that also run where it is refused: on Bun and Deno. */

import { FastNetwork } from '../src/io/fast/network.ts'

const { bun, deno } = process.versions

/** Says why this runtime has none. Node must have one. */
export const NO_FAST: string | undefined = refusal()

function refusal(): string | undefined {
  try {
    new FastNetwork()
    return undefined
  } catch (error) {
    if (bun === undefined && deno === undefined) throw error
    return (error as Error).message
  }
}

/** What is made on a fast network, or nothing where there is none. */
export function ifFast<Made extends object>(make: (network: FastNetwork) => Made): Partial<Made> {
  return NO_FAST === undefined ? make(new FastNetwork()) : {}
}
