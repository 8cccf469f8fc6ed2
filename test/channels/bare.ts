/**
 * A channel of nothing, to hold what every channel has without a channel: what a socket would
 * report, the test reports. Not a Channel: Life and Hooks know only this much of theirs.
 */

import type { Driver } from '../../src/channels/hooks.ts'
import { Life, LIFE, type Living } from '../../src/channels/life.ts'
import { Engine } from '../../src/engine.ts'
import type { CloseReason, State, StateSignal } from '../../src/types.ts'

/** What `engine` has logged. */
export const logged: string[] = []
export const engine = new Engine({ log: message => logged.push(message) })

export const GAUGE = { kind: 'datagram', bytes_read: 3, bytes_written: 5, bytes_held: 7 } as const

export class Bare implements Living {
  readonly [LIFE]: Life
  log: string[] = []

  constructor(options: { engine?: Engine; name?: string } = {}) {
    this[LIFE] = new Life(this, options.engine ?? engine, options.name ?? 'Bare')
  }

  get engine(): Engine {
    return this[LIFE].engine
  }

  get name(): string {
    return this[LIFE].name
  }

  get state(): State {
    return this[LIFE].state
  }

  get opened(): Promise<unknown> {
    return this[LIFE].opened
  }

  get closed(): Promise<CloseReason> {
    return this[LIFE].closed
  }

  get suspended(): boolean {
    return this[LIFE].isSuspended
  }

  suspend(): void {
    this[LIFE].suspend()
  }

  resume(): void {
    this[LIFE].resume()
  }

  end(): void {
    this.close(true)
  }

  close(flush = false): void {
    this.log.push(`close(${flush})`)
    if (this.state !== 'closed' && this.state !== 'closing') this[LIFE].beginClosing()
  }

  on_state(state: StateSignal, previous: State): void {
    this.log.push(`${previous}>${state}`)
  }

  on_close(reason: CloseReason): void {
    this.log.push(`close ${reason}`)
  }

  on_error(error: Error): unknown {
    this[LIFE].log(error)
    return this.close()
  }

  /** To 'opening', as by connect or listen. */
  begin(): void {
    this[LIFE].beginOpening()
    this[LIFE].announceSoon()
  }

  /** To 'active', as a connection does. */
  open(): this {
    this.begin()
    this[LIFE].open('connect')
    return this
  }

  /** From whatever to 'closed'. */
  finish(): string[] {
    this.close()
    this[LIFE].finishClosing()
    return this.log.splice(0)
  }
}

/** The calls that a life makes to its driver. */
export function drive(channel: Living, address = ''): string[] {
  const calls: string[] = []
  const driver: Driver = {
    suspended: () => calls.push('suspended'),
    resumed: () => calls.push('resumed'),
    hookReturned: result => calls.push(`returned ${result}`),
    childClosed: () => calls.push('child closed'),
    address: () => address,
    gauge: () => GAUGE,
  }
  channel[LIFE].driver = driver
  return calls
}
