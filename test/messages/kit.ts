/**
 * What the tests of message channels share: a context in memory, logs, and channels for one test.
 */

import type { Test } from 'tap'
import { Context } from '../../src/messages/context.ts'
import type { Init } from '../../src/messages/init.ts'
import { Control, type Message, STATES } from '../../src/messages/message.ts'
import { MessageChannel } from '../../src/messages/message-channel.ts'
import { Params } from '../../src/messages/params.ts'
import { Url } from '../../src/messages/url.ts'
import { scene, type World } from '../kit.ts'

export interface Stage extends World {
  readonly context: Context
}

/** A subtest with its own context and engine. At its end nothing may be left. */
export function stage(
  t: Test,
  title: string,
  body: (t: Test, stage: Stage) => Promise<void> | void,
): Promise<void> {
  return scene(t, title, async (t, world) =>
    body(t, { ...world, context: new Context({ engine: world.engine }) }),
  )
}

/** Logs every message of a channel, as text. */
export function watch(channel: MessageChannel, log: string[] = [], who = ''): string[] {
  channel.callback_add(
    message => void log.push(who + text(message)),
    ['data', 'control', 'state', 'channel'],
  )
  return log
}

const NAMES = new Map<number, string>(Object.entries(Control).map(([name, id]) => [id, name]))
const EVENTS = ['Update', 'Add', 'Delete']

/** A message in a few words. */
export function text({ type, msgid, seq, data, value }: Message): string {
  if (type === 'state') return String(STATES[msgid])
  if (type === 'control') return NAMES.get(msgid) ?? `control ${msgid}`
  if (type === 'channel') {
    const subject = value instanceof Set ? [...value].join('|') : (value as MessageChannel).name
    return `${EVENTS[msgid]} ${subject}`
  }
  return [data.toString(), msgid !== 0 && `#${msgid}`, seq !== 0n && `@${seq}`]
    .filter(part => part !== false)
    .join(' ')
}

/** The data that a channel receives from now on, as texts. */
export function dataOf(channel: MessageChannel): string[] {
  const texts: string[] = []
  channel.callback_add(message => void texts.push(message.data.toString()), 'data')
  return texts
}

export function params(url: string): Params {
  return new Params(Url.parse(url))
}

/** A class of channels with these methods, for one test. */
export function channelClass(
  protocol: string,
  members: ThisType<MessageChannel> & Record<string, unknown>,
  statics: object = {},
): typeof MessageChannel & (new (init: Init) => MessageChannel) {
  class Made extends MessageChannel {}
  Object.assign(Made.prototype, members)
  for (const [name, value] of Object.entries({ protocol, ...statics }))
    Object.defineProperty(Made, name, { value })
  return Made as never
}

/** The whole message of the error that a call throws. */
export function fault(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing'
}
