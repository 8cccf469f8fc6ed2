/** Texts pass as they are where nobody can tell, and as messages otherwise. */

import t from 'tap'
import type { Message } from '../../src/messages/message.ts'
import type { MessageChannel } from '../../src/messages/message-channel.ts'
import { MESSAGE_LIFE } from '../../src/messages/message-life.ts'
import { emitText, POST_TEXT, postText } from '../../src/messages/texts.ts'
import { channelClass, type Stage, stage } from './kit.ts'

let count = 0

function open({ context }: Stage, rest = ''): { channel: MessageChannel; log: unknown[] } {
  const log: unknown[] = []
  const do_post = ({ data }: Message) => void log.push(`message ${data}`)
  const name = `some${++count}`
  context.register(channelClass(name, { do_post }))
  return { channel: context.init(`${name}://${rest}`).open(), log }
}

stage(t, 'out', async (t, world) => {
  const { channel, log } = open(world)
  t.equal(postText(channel, 'a'), true, 'this channel has only messages')
  let isText: boolean | undefined = true
  Object.assign(channel, {
    [POST_TEXT]: (text: string, addr: unknown) => (log.push(`text ${text} ${addr}`), isText),
  })
  t.equal(postText(channel, 'b', 5), true)
  isText = false
  t.equal(postText(channel, 'c'), false, 'it is full')
  isText = undefined
  t.equal(postText(channel, 'd'), true, 'and this time it wants a message')
  const told = ['message a', 'text b 5', 'text c undefined', 'text d undefined', 'message d']
  t.strictSame(log.splice(0), told)
  channel.close()
  t.equal(postText(channel, 'e'), false)
  const counted = open(world, ';stat=yes')
  Object.assign(counted.channel, { [POST_TEXT]: () => t.fail('it is to be counted') })
  t.equal(postText(counted.channel, 'f'), true)
  t.equal(counted.channel.stat?.tx, 1)
})

stage(t, 'in', async (t, world) => {
  const { channel, log } = open(world)
  t.equal(emitText(channel, 'a', 1), false, 'nobody takes texts')
  const { callbacks } = channel[MESSAGE_LIFE].outlet
  let result: unknown
  const callback = (): void => {}
  callbacks.add(callback, 'data', (text, addr) => (log.push(text, addr), result))
  t.equal(emitText(channel, 'b', 2), undefined)
  result = Promise.resolve()
  t.type(emitText(channel, 'c', undefined), Promise)
  t.strictSame(log.splice(0), ['b', 2, 'c', undefined])
  channel.on_message = () => {}
  t.equal(emitText(channel, 'd', 1), false, 'on_message gets a message')
  const errors: string[] = []
  const other = open(world).channel
  other.on_error = error => void errors.push(error.message)
  other[MESSAGE_LIFE].outlet.callbacks.add(callback, 'data', () => {
    throw new Error('a bug')
  })
  t.equal(emitText(other, 'e', 1), undefined)
  t.strictSame(errors, ['a bug'])
  const counted = open(world, ';stat=yes').channel
  counted[MESSAGE_LIFE].outlet.callbacks.add(callback, 'data', () => t.fail('it is to be counted'))
  t.equal(emitText(counted, 'f', 1), false)
})
