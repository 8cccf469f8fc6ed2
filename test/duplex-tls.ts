/** TLS over a stream that is no socket, for suites that also run where it is refused: on Bun. */

import { PassThrough } from 'node:stream'
import { overSockets } from '../src/io/runtimes/tls-below.ts'

/** Is it refused? See src/io/runtimes/tls-below.ts. */
export const NO_DUPLEX_TLS = await new Promise<boolean>(resolve => {
  const sink = { known() {}, secured() {}, failed: () => resolve(true) }
  overSockets(() => resolve(false))(new PassThrough(), sink)
})
