/**
 * Layer 8. `direct://` (the master) and `direct://;master=name` (the slave): two channels of one
 * program, for tests and for connecting its parts.
 *
 * A `post` on one calls the callbacks of the other before it returns, for every type of message,
 * even if the other is suspended or opening. If the other side does not exist, is closed or has
 * failed, the message is dropped. A message of type 'state' sets the state of the other side, if
 * its life cycle allows that.
 *
 * | parameter | of | meaning |
 * |---|---|---|
 * | `notify-state=no` | the master | yes: emits DirectStateUpdate for each state of the slave |
 * | `manual-open=no` | the slave | yes: 'opening' until the master posts the state 'active' |
 * | `autoseq=no` | both | yes: what is posted is numbered: seq 0, 1, 2 …, also when opened again |
 */

import { ReadError } from '../../errors.ts'
import { channel_cast } from '../cast.ts'
import type { Init } from '../init.ts'
import { Control, Message, STATES } from '../message.ts'
import { MessageChannel } from '../message-channel.ts'

/** The channel of `direct://`. */
// Source: TLL `direct`. Differs: there is no `emulate-control`. Without schemes any control message
// can be posted.
export class Direct extends MessageChannel {
  static override readonly protocol: string = 'direct'
  static override readonly process_policy = 'never'

  /** The other side. A master has none until its slave is made. */
  #sibling: Direct | undefined
  readonly #isManual: boolean
  readonly #isNumbered: boolean
  readonly #notifies: boolean
  #seq = 0n

  constructor(init: Init) {
    super(init)
    const { params } = init
    this.#isManual = params.boolean('manual-open', false)
    this.#isNumbered = params.boolean('autoseq', false)
    this.#notifies = params.boolean('notify-state', false)
    if (init.master === undefined) return
    const master = channel_cast(init.master, Direct)
    if (master === undefined) throw params.fault('master', 'a direct:// channel')
    if (master.master !== undefined) throw params.fault('master', 'a master, not a slave')
    if (master.#sibling !== undefined) throw params.fault('master', 'a master without a slave')
    if (this.#notifies) throw params.fault('notify-state', 'a parameter of the master')
    this.#sibling = master
    master.#sibling = this
    this.callback_add(({ msgid }) => this.#stateChanged(msgid), 'state')
  }

  override get client_url(): string | undefined {
    return this.master === undefined ? `direct://;master=${this.name}` : undefined
  }

  override do_open(): void | 'opening' {
    return this.#isManual ? 'opening' : undefined
  }

  override do_post(message: Message): void {
    const sibling = this.#sibling
    const isNumbered = this.#isNumbered && message.type !== 'state'
    const whole = isNumbered ? new Message({ ...message, seq: this.#seq++ }) : message
    if (sibling !== undefined) sibling.#receive(whole)
  }

  #receive(message: Message): void {
    if (message.type === 'state') return this.#setState(message.msgid)
    this.emit(message)
  }

  #setState(msgid: number): void {
    const state = STATES[msgid]
    if (state === 'active') this.become_active()
    else if (state === 'closing' || state === 'closed') this.close()
    else if (state === 'error')
      this.fail(
        new ReadError('ERR_DIRECT', `${this.name}: the other side set the state to 'error'`),
      )
  }

  #stateChanged(msgid: number): void {
    const master = this.#sibling as Direct
    const state = STATES[msgid] as string
    if (state === 'destroy') master.#sibling = undefined
    if (master.#notifies && master.state === 'active') {
      master.emit(new Message({ type: 'control', msgid: Control.DirectStateUpdate, data: state }))
    }
  }
}
