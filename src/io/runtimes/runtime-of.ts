/**
 * Layer 2. The name of the runtime, for error messages.
 */

/** What runs this program, with its version. Others say that they are Node, too. */
export function runtimeOf({ bun, deno, node }: NodeJS.Dict<string>): string {
  if (bun !== undefined) return `Bun ${bun}`
  return deno === undefined ? `Node ${node}` : `Deno ${deno}`
}
