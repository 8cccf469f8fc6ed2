/** Relays to a real server, for tests. */

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { Engine } from '../../../src/engine.ts'
import { RedisRelay, type RedisRelayOptions } from '../../../src/relay/redis/redis-relay.ts'
import { bareNode } from '../../built.ts'
import { until } from '../../kit.ts'
import { HAS_REDIS, RedisServer } from '../../redis-server.ts'

/** Why a test is left out. */
export const skip = HAS_REDIS ? false : 'redis-server is not installed'

/** Attempts to connect again come quickly. */
const redis = { reconnect: { first: 5, longest: 20 } }

/** A relay whose engine keeps what it logs. It is closed at the end of the test. */
export function relay(
  t: Test,
  url: string,
  options: RedisRelayOptions = {},
): RedisRelay & { readonly logged: string[] } {
  const logged: string[] = []
  const engine = new Engine({ log: message => void logged.push(message) })
  const it = new RedisRelay(url, { engine, history: 20, redis, ...options })
  t.teardown(() => it.close())
  return Object.assign(it, { logged })
}

/** A server that ends with the test. */
export async function server(t: Test, ...options: string[]): Promise<RedisServer> {
  const started = await new RedisServer(...options).start()
  t.teardown(() => started.remove())
  return started
}

/** What keeps everything, whatever happens to the server. */
export const KEEPING = ['--appendonly', 'yes', '--appendfsync', 'always']

export function wait(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

/** What a subscriber heard, with its gaps. */
export async function hear(it: RedisRelay, topic = 'x'): Promise<string[]> {
  const heard: string[] = []
  const listener = (bytes: Buffer, seq?: number): void =>
    void heard.push(`${bytes}${seq === undefined ? '' : '!'}`)
  await it.subscribe(topic, listener, { on_gap: () => void heard.push('gap') })
  return heard
}

/** Another process, which says each thing that it has done in one line. */
export async function other(
  t: Test,
  url: string,
): Promise<{ child: ChildProcess; said: string[] }> {
  const program = fileURLToPath(new URL('other-process.js', import.meta.url))
  const child = spawn(...bareNode([program, url]), { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const said: string[] = []
  child.stdout.on('data', (text: Buffer) => said.push(...String(text).trim().split('\n')))
  await until(() => said.includes('present'))
  return { child, said }
}

/** The code of the error of a promise; '' if it resolves. */
export function code(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => '',
    error => error.code,
  )
}
