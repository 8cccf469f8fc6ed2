/** The instrument on one listener. */

import type { Test } from 'tap'
import type { Endpoint, Listener, SystemError, Transport } from '../../../src/transport.ts'
import type { Probe } from './probe.ts'
import type { Watch } from './watch.ts'

/** Records what a listener reports, and puts a probe on every connection that it accepts. */
export class Door {
  readonly listener: Listener
  readonly log: string[] = []
  readonly accepted: Probe[] = []
  readonly hooks: { listening?: () => void; accepted?: (probe: Probe) => void } = {}
  error: SystemError | undefined
  /** The length of the log when it was first closed. */
  #closedAt = Infinity
  readonly #watch: Watch
  readonly #at: Endpoint

  constructor(
    watch: Watch,
    listener: Listener,
    at: Endpoint,
    toProbe: (transport: Transport) => Probe,
  ) {
    this.#watch = watch
    this.#at = at
    this.listener = listener
    listener.sink = {
      listening: () => {
        this.#note('listening')
        this.hooks.listening?.()
      },
      accepted: transport => {
        const probe = toProbe(transport)
        this.accepted.push(probe)
        this.#note('accepted')
        this.hooks.accepted?.(probe)
      },
      failed: error => {
        this.error = error
        this.#note('failed')
      },
      closed: () => this.#note('closed'),
    }
  }

  #note(report: string): void {
    this.log.push(report)
    this.#watch.noted(report)
  }

  count(report: string): number {
    return this.log.filter(entry => entry === report).length
  }

  /** Where to connect to. */
  get endpoint(): Endpoint {
    return this.#at.kind === 'unix'
      ? this.#at
      : { ...this.#at, port: (this.listener.local_address as [string, number])[1] }
  }

  close(): void {
    this.#closedAt = Math.min(this.#closedAt, this.log.length)
    this.#watch.call(() => this.listener.close())
  }

  judge(t: Test): void {
    const after = this.log.slice(this.#closedAt).join()
    if (after !== '' && after !== 'closed')
      t.fail('only closed follows the close of a listener', { log: this.log })
    if (/^((listening,)?|(listening,)(accepted,)*)(failed,)?closed$/.test(this.log.join())) return
    t.fail('a listener reports listening, any number of accepted, at most one failed, one closed', {
      log: this.log,
    })
  }
}
