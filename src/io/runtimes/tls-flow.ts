/**
 * Layer 2. Deno 2.9 reads on from what is below a TLSSocket, and keeps all that comes, however long
 * the TLSSocket is paused. So what is below is paused as well.
 *
 * What is used of Deno beyond its documentation: `readStart` and `readStop` of the handle of a
 * socket. To pause the socket alone has no effect.
 */

import type { Duplex } from 'node:stream'

interface Made {
  readonly _handle?: { readStart(): void; readStop(): void } | null
}

/** Call this when the TLSSocket over it has been paused or resumed. Elsewhere it does nothing. */
export function flow(
  below: Duplex,
  isOn: boolean,
  { deno }: NodeJS.Dict<string> = process.versions,
): void {
  if (deno === undefined) return
  const handle = (below as Made)._handle
  if (handle) handle[isOn ? 'readStart' : 'readStop']()
  else below[isOn ? 'resume' : 'pause']()
}
