import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { turn } from '../../kit.ts'
import { fault, stage } from '../kit.ts'

const MODULE = fileURLToPath(new URL('module.fixture.js', import.meta.url))

/** Waits, turn by turn, until the module is loaded. */
async function settled(channel: MessageChannel): Promise<string> {
  while (channel.state === 'opening') await turn()
  return channel.state
}

stage(t, 'a class of a module', async (t, { context }) => {
  context.alias('mine', `js://;class=${MODULE}:Mine`)
  const channel = context.init('mine://;greeting=hello;name=x')
  t.strictSame([channel.info, channel.client_url], [{}, undefined])
  channel.open()
  t.equal(channel.state, 'opening')
  t.equal(await settled(channel), 'active')
  const texts: string[] = []
  channel.on_message = ({ data }) => void texts.push(String(data))
  channel.post('you')
  t.strictSame(texts, ['hello you'])
  t.match([...channel.children], [{ name: 'x/js' }])
  channel.close()
  t.equal(channel.state, 'closed')
  t.equal(channel.open().state, 'active', 'loaded already')
})

// The class was given all parameters, so each message was counted and logged twice.
stage(t, 'messages are counted and logged once', async (t, { context, logged }) => {
  const channel = context
    .init(`js://;class=${MODULE}:Mine;greeting=hello;dump=frame;stat=yes;name=x`)
    .open()
  await settled(channel)
  channel.post('you')
  t.strictSame(logged.splice(0), [
    'x: recv: data, msgid 0, 9 bytes',
    'x: post: data, msgid 0, 3 bytes',
  ])
  t.match([...channel.children], [{ stat: undefined }])
})

stage(t, 'closed, and opened again, while it is loaded', async (t, { context }) => {
  const channel = context.init(`js://;class=${MODULE}:Slow`).open()
  channel.close()
  t.equal(channel.state, 'closed')
  channel.open()
  channel.close(true)
  channel.open()
  while (channel.children.size === 0) await turn()
  for (let turns = 0; turns < 10; turns++) await turn()
  t.equal(channel.children.size, 1)
  channel.close(true)
  const closed = context.init(`js://;class=${MODULE}:Slow`).open()
  closed.close(true)
  for (let turns = 0; turns < 10; turns++) await turn()
  t.equal(closed.children.size, 0)
})

stage(t, 'invalid modules, classes and parameters', async (t, stage) => {
  const errors: string[] = []
  for (const text of ['/no/such/module.js:X', `${MODULE}:nothing`, `${MODULE}:Missing`]) {
    const channel = stage.context.init(`js://;class=${text}`)
    channel.on_error = error => void errors.push(error.message)
    channel.open()
    t.equal(await settled(channel), 'error')
  }
  t.match(errors, [
    /no.such.module/,
    /class nothing of .* must be MessageChannel, or a class that extends it; got 5/,
    /got undefined/,
  ])
  for (const wrong of ['', 'x', ':X', 'x:'])
    t.match(
      fault(() => stage.context.init(`js://;class=${wrong}`)),
      'class must be module:Class',
    )
  t.match(
    fault(() => stage.context.init('js://')),
    'class must be given',
  )
})

stage(t, 'a parameter that its class does not know', async (t, { context }) => {
  const errors: string[] = []
  for (const url of ['js://;greting=hello', 'js://greeting=hello;name=x']) {
    const channel = context.init(`${url};class=${MODULE}:Mine`)
    channel.on_error = error => void errors.push(error.message.split('\n')[0] as string)
    channel.open()
    t.equal(await settled(channel), 'error')
  }
  t.strictSame(errors, [
    'js:// has no parameter greting; did you mean greeting?',
    "a parameter comes after ';', as in js://;greeting=hello",
  ])
})
