/**
 * A Chromium without a window, driven over its DevTools protocol, which is WebSocket and is spoken
 * by our own client. CI installs it.
 */

import type { Test } from 'tap'
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

export class Chromium {
  readonly #tools: DevTools

  private constructor(tools: DevTools) {
    this.#tools = tools
  }

  static async start(t: Test): Promise<Chromium> {
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
    return new Chromium(await new DevTools({ engine }).connect(url as string).opened)
  }

  /** A page that has loaded. */
  async open(url: string): Promise<Page> {
    const { targetId } = await this.#tools.ask('Target.createTarget', { url })
    const attach = { targetId, flatten: true }
    const { sessionId } = await this.#tools.ask('Target.attachToTarget', attach)
    const page = new Page((method, params) => this.#tools.ask(method, params, sessionId))
    const isThere = `document.readyState === 'complete' && location.href === ${JSON.stringify(url)}`
    // The page that was there before may go in the middle of it.
    await until(() => page.run(isThere).catch(() => false))
    return page
  }

  async close(): Promise<void> {
    await this.#tools.ask('Browser.close')
    await this.#tools.closed
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
