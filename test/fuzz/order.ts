/**
 * The order of the hooks of one channel, as the guide has it. A fault is written down when it
 * happens.
 */

import type { State, StateSignal } from '../../src/types.ts'

/** Which state may follow which, as on_state is told of them. */
const FOLLOWS: Readonly<Record<StateSignal, readonly State[]>> = {
  opening: ['closed'],
  active: ['opening'],
  closing: ['opening', 'active', 'error'],
  error: ['opening', 'active', 'closing'],
  closed: ['closing'],
  destroy: ['closed'],
}

/** Hooks that are called at most once in an opening. */
const ONCE = ['on_connect', 'on_listen', 'on_read_end', 'on_close', 'destroy']

export class Order {
  readonly #name: string
  readonly #complain: (fault: string) => void
  #state: State = 'closed'
  /** The hooks of this opening. Empty: there is none. */
  #told = new Set<string>()
  /** Was it closed or ended by a call, in this opening? Then nothing is read any more. */
  #isStopped = false
  /** May on_error follow on_close? */
  #mayFailLate = false

  constructor(name: string, complain: (fault: string) => void) {
    this.#name = name
    this.#complain = complain
  }

  /** Is it between on_close and the next opening? */
  get isOver(): boolean {
    return this.#told.size === 0
  }

  /**
   * The hook throws, or its promise rejects: if the channel has closed already, on_error follows
   * on_close.
   */
  failing(hook: string): void {
    this.#mayFailLate ||= hook === 'on_close' || this.#state === 'closed'
  }

  /** `close()` or `end()` is called. */
  stopped(): void {
    this.#isStopped = !this.isOver
  }

  told(hook: string, args: readonly unknown[]): void {
    if (hook === 'on_state') return this.#state_(args as [StateSignal, State])
    if (this.isOver && !(hook === 'on_error' && this.#mayFailLate))
      this.#fault(`${hook} after on_close`)
    this.#once(hook)
    if (hook === 'on_connect' || hook === 'on_listen') this.#expect(hook, this.#state === 'active')
    if (hook === 'on_read') {
      this.#expect('on_read before it is open', this.#isOpen())
      this.#expect('on_read after close() or end()', !this.#isStopped)
      this.#expect('on_read after on_read_end', !this.#told.has('on_read_end'))
    }
    if (hook !== 'on_close') return
    this.#expect('on_close before it is closed', this.#state === 'closed')
    this.#told.clear()
  }

  /** At the end: every opening is over. */
  end(): void {
    this.#expect(`on_close is missing, ${[...this.#told].join(', ')} were told`, this.isOver)
    this.#expect(`it ends as ${this.#state}`, this.#state === 'closed')
  }

  #state_([state, previous]: [StateSignal, State]): void {
    this.#expect(
      `${previous} → ${state}, told to be ${this.#state}`,
      previous === this.#state && FOLLOWS[state].includes(previous),
    )
    if (state === 'destroy') return this.#once('destroy')
    if (state === 'opening') {
      this.#expect('it opens before on_close', this.isOver)
      this.#told = new Set(['opening'])
      this.#isStopped = this.#mayFailLate = false
    }
    this.#state = state
  }

  #isOpen(): boolean {
    return this.#told.has('on_connect') || this.#told.has('on_listen')
  }

  #once(hook: string): void {
    this.#expect(`${hook} twice`, !(ONCE.includes(hook) && this.#told.has(hook)))
    if (!this.isOver) this.#told.add(hook)
  }

  #expect(fault: string, isRight: boolean): void {
    if (!isRight) this.#fault(fault)
  }

  #fault(fault: string): void {
    this.#complain(`${this.#name}: ${fault}`)
  }
}
