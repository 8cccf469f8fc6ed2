/**
 * A shared to-do list as a program would be: two processes by one Redis, pages in a real browser
 * over its own WebSocket, the types of the messages from one file. One process is killed in the
 * middle. See test/todo/.
 */

import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { bareNode } from '../built.ts'
import { Chromium, noChromium, type Page } from '../chromium.ts'
import { until } from '../kit.ts'
import { HAS_REDIS, RedisServer } from '../redis-server.ts'
import { saying } from '../websocket-peers.ts'

const SERVER = fileURLToPath(new URL('../todo/server.js', import.meta.url))
const skip = noChromium || (!HAS_REDIS && 'no redis-server')

/** A process of the list; resolves when it serves its page. */
async function list(t: Test, redis: string) {
  const { found, kill } = await saying(t, /^http:\S+(?=\n)/m, ...bareNode([SERVER, redis]))
  return { url: found[0], kill }
}

const TITLES = `[...document.querySelectorAll('input[type=checkbox]')]
  .map(({ name, checked }) => name + (checked ? ' (done)' : '')).join()`

/** Waits until the page shows that. */
async function shows(t: Test, page: Page, titles: string): Promise<void> {
  let shown = ''
  await until(async () => (shown = await page.run(TITLES)) === titles)
  t.equal(shown, titles)
}

async function opened(browser: Chromium, url: string): Promise<Page> {
  const page = await browser.open(url)
  await until(() => page.run("document.body.dataset.state === 'open'"))
  return page
}

/** As a person does: types it, and clicks. */
const add = (page: Page, title: string): Promise<unknown> =>
  page.run(`(document.querySelector('#title').value = ${JSON.stringify(title)},
    document.querySelector('button').click())`)
const check = (page: Page, title: string): Promise<unknown> =>
  page.run(`document.querySelector('input[name="${title}"]').click()`)

t.test('a list, two processes, three pages', { skip, timeout: 120_000 }, async t => {
  const server = await new RedisServer().start()
  // A test that fails must end, too, and say why: a process of its own would keep it running.
  t.teardown(() => server.remove())
  const [browser, first, second] = await Promise.all([
    Chromium.start(t),
    list(t, server.url),
    list(t, server.url),
  ])
  const [ann, bob] = await Promise.all([opened(browser, first.url), opened(browser, second.url)])
  await add(ann, 'tea')
  await Promise.all([shows(t, ann, 'tea'), shows(t, bob, 'tea')])
  await check(bob, 'tea')
  await Promise.all([shows(t, ann, 'tea (done)'), shows(t, bob, 'tea (done)')])
  const answer = await ann.run("document.querySelector('output').textContent")
  t.match(answer, /^\{"t":"s.stat".*"i":"page-1".*"s":"s"\}$/, 'its states came back')

  await add(ann, '')
  await add(ann, 'x'.repeat(201))
  await until(() => ann.run("/error/.test(document.querySelector('output').textContent)"))
  t.match(
    await ann.run("document.querySelector('output').textContent"),
    /"t":"error.validation".*"i":"page-2"/,
    'what is too long is refused; what is empty the page does not send',
  )

  await add(ann, 'milk')
  await shows(t, bob, 'tea (done),milk')
  await first.kill()
  await until(() => ann.run("document.body.dataset.state === 'closed'"))
  await add(bob, 'bread')
  const carl = await opened(browser, second.url)
  for (const page of [bob, carl]) await shows(t, page, 'tea (done),milk,bread')
  await browser.close()
  await second.kill()
})
