/**
 * Layer 5. An attempt of a Stream to connect, with what may end it: connect_timeout, and the signal
 * of the program.
 *
 * The link of the stream calls `stop` when the attempt is over, however it ended.
 */

import { formatAddress } from '../../core/address.ts'
import { noop } from '../../core/noop.ts'
import { ConnectError } from '../../errors.ts'
import type { Endpoint } from '../../transport.ts'
import type { Cancel, Milliseconds } from '../../types.ts'
import type { Life } from '../life.ts'
import { timeOut } from '../timeouts.ts'

export class Attempt {
  readonly #life: Life
  readonly #stream: { readonly connect_timeout: Milliseconds }
  readonly #to: Endpoint
  readonly #signal: AbortSignal | undefined
  #cancelTimeout: Cancel = noop
  #isOver = false

  constructor(
    life: Life,
    stream: { readonly connect_timeout: Milliseconds },
    to: Endpoint,
    signal: AbortSignal | undefined,
  ) {
    this.#life = life
    this.#stream = stream
    this.#to = to
    this.#signal = signal
    this.#limit()
    if (signal?.aborted) this.#abortSoon()
    else signal?.addEventListener('abort', this.#abortSoon, { once: true })
  }

  stop(): void {
    this.#cancelTimeout()
    this.#isOver = true
    this.#signal?.removeEventListener('abort', this.#abortSoon)
  }

  #limit(): void {
    const { connect_timeout } = this.#stream
    if (this.#isOver || connect_timeout === Infinity) return
    this.#cancelTimeout = this.#life.drive.after(connect_timeout, () => {
      // on_state comes first, and may close the stream.
      this.#life.announce()
      if (this.#isOver) return
      timeOut(this.#life, 'connect')
      // If on_timeout lets the attempt go on, the time starts again.
      this.#limit()
    })
  }

  /**
   * Aborts in a microtask. A signal may report inside `abort()`, which may be called anywhere, and
   * no hook may run there. A turn would be too long: the attempt could still succeed in it.
   */
  readonly #abortSoon = (): void => queueMicrotask(() => this.#abort())

  #abort(): void {
    if (this.#isOver) return
    const error = new ConnectError(
      'ERR_ABORTED',
      `connecting to ${formatAddress(this.#to)} was aborted by its signal`,
      this.#signal?.reason,
    )
    this.#life.fail('on_connect_error', error)
  }
}
