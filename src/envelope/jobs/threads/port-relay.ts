/**
 * Layer 9. The relay of a worker thread. What is published goes to the thread that has started it,
 * and there to the relay of the layer of that name. Everything else belongs there, too.
 */

import { type Relay, RelayError, type RelayHistory } from '../../../relay/relay.ts'
import { toBuffer } from '../../../relay/relay-checks.ts'
import type { Data } from '../../../types.ts'

/** What is published, and where. */
export interface Parcel {
  readonly layer: string
  readonly topic: string
  readonly bytes: Uint8Array
}

/** Only publishes. */
export class PortRelay implements Relay {
  readonly opened: Promise<void> = Promise.resolve()
  readonly #layer: string
  readonly #post: (parcel: Parcel) => void

  constructor(layer: string, post: (parcel: Parcel) => void) {
    this.#layer = layer
    this.#post = post
  }

  publish(topic: string, data: Data): boolean {
    this.#post({ layer: this.#layer, topic, bytes: toBuffer('publish', data) })
    return true
  }

  append(): Promise<number> {
    return refused('append')
  }

  subscribe(): Promise<void> {
    return refused('subscribe')
  }

  unsubscribe(): void {}

  read_after(): Promise<RelayHistory> {
    return refused('read_after')
  }

  present(): Promise<void> {
    return refused('present')
  }

  absent(): Promise<void> {
    return refused('absent')
  }

  watch(): Promise<void> {
    return refused('watch')
  }

  unwatch(): void {}

  async close(): Promise<void> {}
}

function refused(call: string): Promise<never> {
  return Promise.reject(
    new RelayError('ERR_RELAY_REFUSED', `${call}: a worker thread only sends; add a layer there`),
  )
}
