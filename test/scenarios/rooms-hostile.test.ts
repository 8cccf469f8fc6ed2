/**
 * Hundreds of members, and hostile ones. Whatever one of them does is answered or ends it; nothing
 * of it is kept, and the others talk on.
 */

import t from 'tap'
import { Channel } from '../../src/rooms/index.ts'
import { stage } from '../messages/kit.ts'
import { join, serve } from '../rooms/server/kit.ts'

const URL = 'ws://127.0.0.1:1/chat'
const say = (room: string, text: unknown): object => ({ _room: room, text })

for (const url of ['mem://', 'tcp://:1;frame=line', URL])
  stage(t, `three hundred members, all of whom speak: ${url}`, async (t, stage) => {
    const { server, enter } = await serve(stage, { url, history: true })
    const members = await Promise.all(Array.from({ length: 300 }, enter))
    for (const { channel } of members) channel.post(JSON.stringify(join('r')))
    await stage.pump()
    t.equal(server.members('r').length, 300)
    for (const each of members) each.news()
    members.forEach(({ channel }, n) => channel.post(JSON.stringify(say('r', n))))
    for (let i = 0; i < 3; i++) await stage.pump()
    const all = members.map((_, n) => n)
    const wrong = members.filter((member, own) => {
      const heard = member
        .news()
        .map(text => (JSON.parse(text) as { text?: number }).text)
        .filter(text => text !== undefined)
      return String(heard) !== String(all.filter(n => n !== own))
    })
    t.equal(wrong.length, 0, 'each hears all others, once, in one order')
    for (const { channel } of members) channel.close()
    await stage.pump()
    t.same([server.rooms(), server.members()], [[], []])
  })

stage(t, 'hostile members', async (t, stage) => {
  const errors: unknown[] = []
  const { server, enter } = await serve(stage, {
    url: URL,
    max_rooms: 50,
    rooms_per_member: 20,
    echo: false,
    hooks: { on_error: error => void errors.push(error) },
  })
  const [ann, bob, eve] = [await enter(), await enter(), await enter()]
  for (const each of [ann, bob]) await each.say(join('r'))
  const isFine = async (what: string): Promise<void> => {
    bob.news()
    await ann.say(say('r', what))
    t.match(
      bob.news(),
      [`"text":"${what}"`].map(each => new RegExp(each)),
      what,
    )
  }
  await isFine('before')

  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
  t.match(
    await eve.say(...names.map(name => join(name))),
    names.map(name => new RegExp(`"joined","room":"${name}"`)),
  )
  t.same(server.rooms(), ['r', ...names])
  t.same(({} as { text?: unknown }).text, undefined)
  await eve.say(...names.map(name => ({ type: '_leave', room: name })))
  t.same(server.rooms(), ['r'])

  const storm = Array.from({ length: 500 }, (_, n) => join(`room ${n}`))
  const answers = await eve.say(...storm)
  t.equal(answers.filter(each => each.includes('"joined"')).length, 20)
  t.equal(answers.filter(each => each.includes('"refused"')).length, 480)
  t.equal(server.rooms().length, 21)
  await isFine('a storm of joins')

  bob.news()
  await eve.say(
    '{"_room":"r","_seq":9007199254740991,"text":"forged"}',
    '{"status":"joined","room":"r"}',
    '{"status":"gap","room":"r","from":1,"to":5,"type":"_join"}',
    { type: '_join', room: ['r'] },
    { type: '_join', room: 'r', seq: -1, client: {}, name: [] },
    '['.repeat(100_000),
    '{"_room":"r","_room":"q"}',
    '\u0000',
    '',
  )
  const heard = bob.news()
  t.notOk(
    heard.some(each => each.includes('_seq')),
    'no number is forged',
  )
  t.notOk(
    heard.some(each => each.startsWith('{"status"')),
    'no answer is forged',
  )
  await isFine('garbage')

  eve.channel.post(JSON.stringify(join('x'.repeat(10 * 1024 * 1024))))
  for (let i = 0; i < 3; i++) await stage.pump()
  t.equal(eve.channel.state, 'closed')
  t.same(server.rooms(), ['r'])
  t.equal(server.members().length, 2)
  await isFine('a room of 10 MB')
  // That of the message that was too long.
  t.ok(errors.length <= 1)
})

stage(t, 'a member that floods while a hook works', async (t, stage) => {
  let goOn = (): void => {}
  const { server, enter } = await serve(stage, {
    url: URL,
    hooks: { on_room_message: () => new Promise<void>(resolve => (goOn = resolve)) },
  })
  const eve = await enter()
  await eve.say(join('r'))
  for (let i = 0; i < 1100; i++) eve.channel.post(JSON.stringify(say('r', i)))
  for (let i = 0; i < 3; i++) await stage.pump()
  t.same([eve.channel.state, server.rooms(), server.members()], ['closed', [], []])
  goOn()
  await stage.pump()
})

/**
 * A name that the server did not take stayed a room of the channel: the refusal had it cut. One
 * that was too long for a message ended each connection, as it was joined again on the next.
 */
stage(t, 'a channel forgets a room whose name is too long', async (t, stage) => {
  const { server } = await serve(stage, { url: URL })
  const channel = new Channel(server.client_urls[0] as string, { context: stage.context })
  const errors: string[] = []
  channel.on_error(error => errors.push(error.message))
  void channel.connect()
  await stage.pump()
  for (const size of [300, 901, 10_000_000]) void channel.join('x'.repeat(size))
  for (let i = 0; i < 3; i++) await stage.pump()
  t.match(errors, [
    /must be text of 1 to 900/,
    /must be text of 1 to 900/,
    /at most 256 characters/,
  ])
  t.same([channel.get_rooms(), channel.is_connected], [[], true])
  void channel.close()
  await stage.pump()
})
