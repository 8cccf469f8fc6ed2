/**
 * A Chromium without a window, driven over its DevTools protocol, which is WebSocket and is spoken
 * by our own client. CI installs it.
 */

import t, { type Test } from 'tap'
import { Engine } from '../src/index.ts'
import { WebSocketClient } from '../src/protocols/websocket/index.ts'
import { until } from './kit.ts'
import { folder, isHere, program } from './websocket-peers.ts'

/** Why a test of it has to be skipped; false: it need not be. */
export const noChromium = !isHere('chromium', '--version') && 'chromium is not installed'

/** The DevTools protocol: calls with an id, answers with the same. */
class DevTools extends WebSocketClient {
  override message_size = 64 * 1024 * 1024
  readonly #waiting: ((answer: any) => void)[] = []

  override on_message(data: string | Buffer): void {
    const { id, result, error } = JSON.parse(String(data))
    if (id !== undefined) this.#waiting[id]?.(result ?? error)
  }

  ask(method: string, params: object = {}, sessionId?: string): Promise<any> {
    return new Promise(resolve => {
      const id = this.#waiting.push(resolve) - 1
      this.send(JSON.stringify({ id, method, params, sessionId }))
    })
  }
}

/** Starts the program. It ends with the test. */
async function launch(t: Test): Promise<DevTools> {
  const child = program(t, 'chromium', [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--remote-debugging-port=0',
    `--user-data-dir=${await folder(t)}`,
    'about:blank',
  ])
  const listening = /DevTools listening on (ws:\S+)\n/
  await until(() => listening.test(child.said()) || child.exitCode !== null)
  const [said, url] = listening.exec(child.said()) ?? []
  if (said === undefined) throw new Error(`it has ended: ${child.said()}`)
  const engine = new Engine({ log: message => t.fail(message) })
  return new DevTools({ engine }).connect(url as string).opened as Promise<DevTools>
}

async function end(tools: DevTools): Promise<void> {
  await tools.ask('Browser.close')
  await tools.closed
}

/** The program that all tests of this process use, if there is one: starting it takes seconds. */
let shared: DevTools | undefined

/** Starts one program for all tests of this process. Returns what ends it. */
export async function shareChromium(): Promise<() => Promise<void>> {
  if (noChromium) return async () => {}
  const ends: (() => unknown)[] = []
  const whole = { fail: t.fail.bind(t), teardown: (end: () => unknown) => ends.push(end) }
  const tools = (shared = await launch(whole as unknown as Test))
  return async () => {
    await end(tools)
    for (const end of ends) await end()
  }
}

/** A browser of one's own: it shares pages, cookies and storage with no other. */
export class Chromium {
  readonly #tools: DevTools
  readonly #browserContextId: string

  private constructor(tools: DevTools, browserContextId: string) {
    this.#tools = tools
    this.#browserContextId = browserContextId
  }

  static async start(t: Test): Promise<Chromium> {
    const tools = shared ?? (await launch(t))
    const { browserContextId } = await tools.ask('Target.createBrowserContext')
    return new Chromium(tools, browserContextId)
  }

  /** A page that has loaded. */
  async open(url: string): Promise<Page> {
    const target = { url, browserContextId: this.#browserContextId }
    const { targetId } = await this.#tools.ask('Target.createTarget', target)
    const attach = { targetId, flatten: true }
    const { sessionId } = await this.#tools.ask('Target.attachToTarget', attach)
    const page = new Page((method, params) => this.#tools.ask(method, params, sessionId))
    const isThere = `document.readyState === 'complete' && location.href === ${JSON.stringify(url)}`
    // The page that was there before may go in the middle of it.
    await until(() => page.run(isThere).catch(() => false))
    return page
  }

  async close(): Promise<void> {
    const browserContextId = this.#browserContextId
    await this.#tools.ask('Target.disposeBrowserContext', { browserContextId })
    if (this.#tools !== shared) await end(this.#tools)
  }
}

export class Page {
  /** A command of the DevTools protocol, to this page. */
  readonly ask: (method: string, params?: object) => Promise<any>

  constructor(ask: (method: string, params?: object) => Promise<any>) {
    this.ask = ask
  }

  /** The value of an expression in the page, or what its promise resolves to. */
  async run(expression: string): Promise<any> {
    const params = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = await this.ask('Runtime.evaluate', params)
    if (exceptionDetails === undefined) return result.value
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
  }

  async close(): Promise<void> {
    await this.ask('Page.close')
  }
}
