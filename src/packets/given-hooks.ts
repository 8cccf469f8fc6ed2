/**
 * Layer 9. Hooks that are given as options: they take the place of the methods of one object.
 */

/** Puts them in place. Those that are undefined are not given. */
export function takeHooks(owner: object, hooks: Readonly<Record<`on_${string}`, unknown>>): void {
  for (const [name, value] of Object.entries(hooks)) {
    if (value === undefined) continue
    // Not enumerable, like a method: otherwise it would be taken for a misspelt name.
    Object.defineProperty(owner, name, { value, writable: true, configurable: true })
  }
}
