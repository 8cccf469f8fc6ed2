/** The network of Bun, for suites that also run where there is none: on Node and Deno. */

import { BunNetwork } from '../src/io/bun/network.ts'

/** Says why this runtime has none. Bun must have one. */
export const NO_BUN: string | undefined = refusal()

function refusal(): string | undefined {
  if (process.versions.bun !== undefined) return undefined
  try {
    new BunNetwork()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** What is made on a network of Bun, or nothing where there is none. */
export function ifBun<Made extends object>(make: (network: BunNetwork) => Made): Partial<Made> {
  return NO_BUN === undefined ? make(new BunNetwork()) : {}
}
