/**
 * The page of sluice-rooms in two windows of Chromium: they chat, the server is killed and started
 * again, and nothing is lost.
 */

import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { bareNode, built } from '../built.ts'
import { Chromium, noChromium, type Page } from '../chromium.ts'
import { until } from '../kit.ts'
import { saying } from '../websocket-peers.ts'

const MAIN = `${built()}commands/rooms/main.js`

/** A server on that port; 0: on any. Resolves when it listens. */
async function rooms(t: Test, port = 0) {
  const argv = [MAIN, '--host', '127.0.0.1', '--port', String(port)]
  const listening = /listening on (http:\S+:(\d+)\/)\n/
  const { found, kill } = await saying(t, listening, ...bareNode(argv))
  return { url: found[1] as string, port: Number(found[2]), kill }
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

/** The browser of all tests here; the last of them closes it. */
const starting = noChromium ? undefined : Chromium.start(t)

t.test('two windows', { skip: noChromium, timeout: 120_000 }, async t => {
  const [browser, first] = await Promise.all([starting!, rooms(t)])
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
  await Promise.all([ann.close(), bob.close()])
})

/** Presses keys, as a person does: a name of a key, or text. */
async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const code = { Enter: 13, Tab: 9, Escape: 27, ArrowUp: 38 }[key]
    if (code === undefined) await page.ask('Input.insertText', { text: key })
    else
      for (const type of ['keyDown', 'keyUp'])
        await page.ask('Input.dispatchKeyEvent', {
          type,
          key,
          code: key,
          windowsVirtualKeyCode: code,
          ...(key === 'Enter' && type === 'keyDown' && { text: '\r' }),
          ...(key === 'ArrowUp' && { modifiers: 1 }),
        })
  }
}

const FOCUS = `document.activeElement.innerText || document.activeElement.name`

t.test('by keyboard', { skip: noChromium, timeout: 120_000 }, async t => {
  const [browser, { url }] = await Promise.all([starting!, rooms(t)])
  const page = await browser.open(`${url}#tea`)
  const focused = (what: string): Promise<void> => untilTrue(page, `(${FOCUS}) === '${what}'`)
  await page.run(CALLS)
  await page.ask('Page.bringToFront')
  await press(page, 'Ann', 'Enter')
  await untilTrue(page, "text('people') === 'Ann'")
  await focused('text')
  await press(page, 'hello', 'Enter')
  await untilTrue(page, `${SAID}.length === 1`)
  t.same(await page.run("[...document.querySelectorAll('#log p')].map(p => p.lastChild.data)"), [
    'hello',
  ])

  await page.run("document.querySelector('#join input').focus()")
  await press(page, 'coffee', 'Enter')
  await untilTrue(page, "text('title') === 'coffee' && text('people') === 'Ann'")
  await press(page, 'ArrowUp')
  await untilTrue(page, "text('title') === 'tea'")
  await focused('text')
  await page.run("document.querySelectorAll('#rooms button')[1].focus()")
  await focused('×')
  await press(page, 'Tab')
  await focused('coffee')
  // What others say elsewhere does not take the focus away.
  const other = await browser.open(`${url}#coffee`)
  await other.run(CALLS)
  await other.run("join('Bob', 'coffee')")
  await untilTrue(other, "text('people') === 'Ann\\nBob'")
  await other.run("say('anybody?')")
  await untilTrue(page, "text('rooms').includes('coffee (1)')")
  await focused('coffee (1)')
  await page.ask('Page.bringToFront')
  await press(page, 'Tab', 'Enter')
  await untilTrue(page, "text('rooms') === 'tea\\n×'")
  await focused('text')
  await press(page, 'Tab', 'Escape')
  await focused('text')
  await browser.close()
})

async function shoot(page: Page, folder: string): Promise<void> {
  await page.ask('Page.bringToFront')
  for (const [name, width, scheme] of [
    ['light', 1000, 'light'],
    ['dark', 1000, 'dark'],
    ['phone', 390, 'light'],
    ['phone-dark', 390, 'dark'],
    ['narrow', 320, 'dark'],
  ] as const) {
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await page.ask('Emulation.setEmulatedMedia', { features })
    const size = { width, height: 640, deviceScaleFactor: 1, mobile: width < 500 }
    await page.ask('Emulation.setDeviceMetricsOverride', size)
    const { data } = await page.ask('Page.captureScreenshot')
    writeFileSync(`${folder}/${name}.png`, Buffer.from(data, 'base64'))
  }
}
