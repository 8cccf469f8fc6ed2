/**
 * Layer 1. What looks like a promise.
 */

/**
 * Is it something that is not done yet? Whatever merely looks like a promise is taken for one: pass
 * it through `Promise.resolve`, because its own `then` may throw, or settle twice.
 */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null)?.then === 'function'
}
