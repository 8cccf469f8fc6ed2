/** Channels that the tests of the base classes bring into every state. */

import t from 'tap'
import type { Message } from '../../src/messages/message.ts'
import { MessageChannel } from '../../src/messages/message-channel.ts'
import type { Params } from '../../src/messages/params.ts'
import type { State } from '../../src/types.ts'
import type { Stage } from './kit.ts'

/** A channel that opens and closes as the test says. */
export class Bare extends MessageChannel {
  static override readonly protocol: string = 'bare'
  static override readonly caps = ['parent', 'long_close'] as const
  calls: string[] = []
  work: () => void | boolean = () => false
  opening: (params: Params) => void | 'opening' = () => 'opening'
  closing: (force: boolean) => void = () => {}
  override do_open(params: Params): void | 'opening' {
    return this.opening(params)
  }
  override do_close(force: boolean): void {
    this.calls.push(`close(${force})`)
    this.closing(force)
  }
  override do_process(): void | boolean {
    this.calls.push('process')
    return this.work()
  }
  override do_post({ data }: Message): void | boolean {
    this.calls.push(`post ${data}`)
    return String(data) !== 'too much'
  }
}

/** The same without children and without a long close. */
export class Short extends Bare {
  static override readonly protocol = 'short'
  static override readonly caps = [] as never
}

/** Makes a channel of these two classes. */
export function make<Kind extends MessageChannel = Bare>(
  { context }: Stage,
  url = 'bare://',
): Kind {
  for (const each of [Bare, Short])
    if (!context.protocols.includes(each.protocol)) context.register(each)
  return context.init(url) as Kind
}

/** Makes a channel and brings it to that state. */
export function inState(stage: Stage, state: State, url?: string): Bare {
  const channel = make(stage, url)
  if (state === 'closed') return channel
  channel.open()
  if (state === 'active' || state === 'closing') channel.become_active()
  if (state === 'closing') channel.close()
  if (state === 'error') channel.fail(new Error('broken'))
  t.equal(channel.state, state)
  return channel
}
