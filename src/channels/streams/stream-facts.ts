/**
 * Layer 5. StreamFacts: what the link of a stream consists of, and what can be asked of it. What
 * happens is in stream-link.ts.
 */

import { formatAddress } from '../../core/address.ts'
import type { Gauge } from '../../core/tally.ts'
import type { Endpoint, Transport } from '../../transport.ts'
import type { Bytes } from '../../types.ts'
import type { Life } from '../life.ts'
import { engineOverflow } from '../overflow.ts'
import { NO_PAST, type Past } from '../past.ts'
import type { SharedValues } from '../shared-values.ts'
import type { StreamProtocol } from './stream-protocol.ts'
import { StreamReading } from './stream-reading.ts'
import type { StreamValues } from './stream-settings.ts'
import { NO_WRITES, type StreamWriting } from './stream-writing.ts'

/**
 * How far our side has come: open ('no'); ended by half_close ('halving', 'halved', 'gone'); or
 * ended because the stream closes politely ('connecting': as soon as it is connected).
 */
export type Ending =
  'no' | 'halving' | 'halved' | 'gone' | 'connecting' | 'parting' | 'sending' | 'sent' | 'expired'

export abstract class StreamFacts {
  readonly life: Life
  /** Was it accepted by a server? */
  readonly isAccepted: boolean
  readonly reading: StreamReading
  writing: StreamWriting = NO_WRITES
  settings: SharedValues
  /** Undefined while the stream is closed. */
  transport: Transport | undefined
  /** Where it connects to, or was connected to last. */
  target: Endpoint | undefined
  /** What is told of the last connection. */
  past: Past = NO_PAST
  /** What shakes hands before the stream is open, and before it closes. */
  protocol: StreamProtocol | undefined
  ending: Ending = 'no'

  constructor(life: Life, settings: SharedValues, isAccepted = false) {
    this.life = life
    this.isAccepted = isAccepted
    this.settings = settings
    this.reading = new StreamReading(this)
  }

  abstract readAll(): void

  get values(): StreamValues {
    return this.settings.values
  }

  /** What is told of the connection, or of the last one. */
  get told(): Past {
    return this.transport ?? this.past
  }

  /** Has our side not ended, nor is about to? */
  get isSideOpen(): boolean {
    return this.ending === 'no'
  }

  /** Our side has ended, or is about to: is the peer still heard? */
  isListening(): boolean {
    return this.ending === 'halving' || this.ending === 'halved' || this.ending === 'parting'
  }

  /** May the program write? While it connects, what is written waits. */
  get mayWrite(): boolean {
    const { state } = this.life
    if (state === 'active') return this.isSideOpen
    // A server's stream speaks when it is open; a protocol has to speak first.
    const mayQueue = !this.isAccepted && this.protocol === undefined
    return state === 'opening' && mayQueue && this.isSideOpen
  }

  get fileno(): number | undefined {
    return this.transport?.fileno
  }

  get bytes_queued(): Bytes {
    return this.writing.size
  }

  get bytes_read(): Bytes {
    return this.told.bytes_read
  }

  get bytes_gone(): Bytes {
    return this.transport?.bytes_gone ?? this.told.bytes_written
  }

  /** Was it open, or opening, at any time? */
  get wasAttached(): boolean {
    return this.told !== NO_PAST
  }

  address(): string {
    const { remote_address } = this.told
    return remote_address === undefined ? '' : formatAddress(remote_address)
  }

  gauge(): Gauge {
    const { bytes_read, bytes_written } = this.told
    return { kind: 'stream', bytes_read, bytes_written, bytes_held: this.weight }
  }

  get weight(): Bytes {
    return this.reading.bytes + this.writing.size
  }

  crowded(limit: Bytes): void {
    this.life.warn('on_overflow_error', engineOverflow(limit, this.weight), 'overflow')
  }
}
