/**
 * Layer 1. Deferred: a promise that is settled from outside. (Promise.withResolvers needs Node 22.)
 */

export interface Deferred<Value> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value | PromiseLike<Value>) => void
  readonly reject: (error: unknown) => void
}

export function deferred<Value>(): Deferred<Value> {
  let resolve!: (value: Value | PromiseLike<Value>) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<Value>((...functions) => {
    ;[resolve, reject] = functions
  })
  return { promise, resolve, reject }
}
