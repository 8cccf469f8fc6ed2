/**
 * Layer 2. The machine under Node: what every engine has by default. An engine takes everything of
 * io/ from this file, and nothing else in sluice imports it but for tests.
 *
 * TLS and files serve other networks, too, if these have none of their own.
 */

export { NodeClock } from './clock.ts'
export { publish } from './diagnostics.ts'
export { duplexTransport } from './duplex/duplex-transport.ts'
export { nodeFiles } from './files.ts'
export { heapLimit } from './heap.ts'
export { NodeNetwork } from './node-network.ts'
export { nodeThreads } from './threads/node-threads.ts'
export { nodeTls } from './tls.ts'
