/**
 * The page of sluice-rooms in two windows of Chromium: they chat, the server is killed and started
 * again, and nothing is lost.
 */

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { bareNode, built } from '../built.ts'
import { Chromium, noChromium, type Page } from '../chromium.ts'
import { until } from '../kit.ts'
import { program } from '../websocket-peers.ts'

const MAIN = `${built()}commands/rooms/main.js`

/** A server on that port; 0: on any. Resolves when it listens. */
async function rooms(t: Test, port = 0) {
  const argv = [MAIN, '--host', '127.0.0.1', '--port', String(port)]
  const child = program(t, ...bareNode(argv))
  const listening = /listening on (http:\S+:(\d+)\/)\n/
  await until(() => listening.test(child.said()) || child.exitCode !== null)
  const [, url, at] = listening.exec(child.said()) as RegExpExecArray
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return { url: url as string, port: Number(at), kill }
}

const CALLS = `
  const text = id => document.getElementById(id).innerText
  const join = (name, room) => {
    const { elements } = document.querySelector('#start form')
    elements.name.value = name
    elements.room.value = room
    document.querySelector('#start button').click()
  }
  const say = words => {
    document.querySelector('#say input').value = words
    document.querySelector('#say button').click()
  }`

async function untilTrue(page: Page, expression: string): Promise<void> {
  await until(() => page.run(expression))
}

/** What a person sees of each message: its name and its words. */
const SAID = `[...document.querySelectorAll('#log p:not(.note)')].map(p =>
  p.querySelector('b').innerText + ': ' + p.lastChild.textContent)`

t.test('two windows', { skip: noChromium, timeout: 120_000 }, async t => {
  const [browser, first] = await Promise.all([Chromium.start(t), rooms(t)])
  const [ann, bob] = await Promise.all([browser.open(first.url), browser.open(`${first.url}#tea`)])
  await Promise.all([ann.run(CALLS), bob.run(CALLS)])
  await ann.run("join('Ann', 'tea')")
  await untilTrue(ann, "text('people') === 'Ann'")
  await ann.run("say('is <b>anybody</b> here?')")
  await bob.run("join('Bob', document.querySelector('#start form').elements.room.value)")
  for (const page of [ann, bob]) await untilTrue(page, "text('people') === 'Ann\\nBob'")
  await bob.run("say('me')")
  const all = ['Ann: is <b>anybody</b> here?', 'Bob: me']
  for (const page of [ann, bob]) await untilTrue(page, `${SAID}.length === 2`)
  t.same([await ann.run(SAID), await bob.run(SAID)], [all, all])
  t.match(await ann.run("text('state')"), 'connected')

  await first.kill()
  for (const page of [ann, bob]) await untilTrue(page, "text('state').startsWith('reconnecting')")
  await ann.run("say('one')")
  await bob.run("say('two')")
  t.equal(await ann.run("document.querySelectorAll('.waiting').length"), 1)
  await rooms(t, first.port)
  for (const page of [ann, bob]) await untilTrue(page, `${SAID}.length === 4`)
  for (const page of [ann, bob]) await untilTrue(page, "text('people') === 'Ann\\nBob'")
  t.same(await ann.run(SAID), [...all, 'Ann: one', 'Bob: two'])
  t.same((await bob.run(SAID)).toSorted(), [...all, 'Ann: one', 'Bob: two'].toSorted())
  t.equal(await ann.run("document.querySelectorAll('.waiting').length"), 0)

  await ann.run(`{
    const { elements } = document.querySelector('#join')
    elements.room.value = 'coffee'
    document.querySelector('#join').requestSubmit()
  }`)
  await untilTrue(ann, "text('title') === 'coffee' && text('people') === 'Ann'")
  await bob.run("say('still here')")
  await untilTrue(ann, "text('rooms').includes('tea (1)')")
  await ann.run("dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', altKey: true }))")
  await untilTrue(ann, `${SAID}.includes('Bob: still here')`)
  // SHOTS=folder npx tap …: what it looks like, to be looked at.
  const shots = process.env['SHOTS']
  if (shots !== undefined) await shoot(ann, shots)
  await browser.close()
})

async function shoot(page: Page, folder: string): Promise<void> {
  await page.ask('Page.bringToFront')
  for (const [name, width, scheme] of [
    ['light', 1000, 'light'],
    ['dark', 1000, 'dark'],
    ['phone', 390, 'light'],
  ] as const) {
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await page.ask('Emulation.setEmulatedMedia', { features })
    const size = { width, height: 640, deviceScaleFactor: 1, mobile: width < 500 }
    await page.ask('Emulation.setDeviceMetricsOverride', size)
    const { data } = await page.ask('Page.captureScreenshot')
    writeFileSync(`${folder}/${name}.png`, Buffer.from(data, 'base64'))
  }
}
