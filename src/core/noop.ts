/**
 * Layer 1. The function that does nothing: the callback, the cancel function or the handler of
 * whatever needs one and has nothing to do.
 */

export function noop(): void {}
