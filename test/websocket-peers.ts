/**
 * What scenarios of WebSocket with real peers have in common: an echo server, a client that calls
 * an echo server, and programs that this machine has.
 *
 * Programs that serve do so on unix sockets: nobody else can take those meanwhile, as it happens
 * to ports that were free a moment ago.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Engine } from '../src/index.ts'
import {
  WebSocketClient,
  WebSocketConnection,
  WebSocketServer,
  type WebSocketServerOptions,
} from '../src/protocols/websocket/index.ts'
import { until } from './kit.ts'

/** What every peer echoes: short, long, not ASCII, empty, compressible. */
export const TEXTS = ['hello', '', 'Grüße 😀', 'x'.repeat(70_000), 'word '.repeat(2000)]

export class Echo extends WebSocketConnection {
  override on_message(data: string | Buffer): void {
    this.send(data)
  }
  override on_close(reason: string): void {
    closes.push(`${reason} ${this.close_code} ${this.close_reason}`)
  }
}

/** How the connections of servers have closed. */
const closes: string[] = []

/** A peer may know it before the server does. */
export async function nextClose(): Promise<string | undefined> {
  await until(() => closes.length > 0)
  return closes.shift()
}

export interface Served {
  readonly port: number
  readonly url: string
  readonly engine: Engine
}

export async function serve(t: Test, options: WebSocketServerOptions = {}): Promise<Served> {
  // Those of a test before this one, which did not ask for them.
  closes.length = 0
  const engine = new Engine({ log: message => t.fail(message) })
  const all = { ConnectionClass: Echo, engine, ...options }
  const server = await new WebSocketServer(all).listen(['127.0.0.1', 0]).opened
  t.teardown(() => engine.stop({ timeout: 1000 }))
  const [, port] = server.local_address as [string, number]
  const scheme = options.tls ? 'wss' : 'ws'
  return { port, url: `${scheme}://127.0.0.1:${port}/path`, engine }
}

/** Sends all texts, and ends when they have come back. */
export class Caller extends WebSocketClient {
  readonly got: string[] = []
  override on_connect(): void {
    for (const text of TEXTS) this.send(text)
  }
  override on_message(data: string | Buffer): void {
    if (this.got.push(String(data)) === TEXTS.length) this.end(3000, 'bye')
  }
}

/** Does this machine have it? What CI installs it must have. */
export function isHere(command: string, ...argv: string[]): boolean {
  return process.env['CI'] === 'true' || spawnSync(command, argv).status === 0
}

/** Runs a program until the test has ended. `said`: what it has written so far. */
export function program(
  t: Test,
  command: string,
  argv: readonly string[],
  env: Record<string, string> = {},
): ChildProcess & { readonly said: () => string } {
  const child = spawn(command, argv, { env: { ...process.env, ...env } })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk))
  t.teardown(() => child.kill('SIGKILL'))
  return Object.assign(child, { said: () => text })
}

/**
 * Runs a program, and waits until it says what matches. Rejects with what it has said if it ends
 * before. `kill` ends it at once. A port that it had before may be taken for a moment, by the other
 * end of some connection: then it is started again.
 */
export async function saying(
  t: Test,
  pattern: RegExp,
  command: string,
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<{ found: RegExpExecArray; kill(): Promise<void> }> {
  const child = program(t, command, argv, env)
  await until(() => pattern.test(child.said()) || child.exitCode !== null)
  const found = pattern.exec(child.said())
  if (found === null && /EADDRINUSE/.test(child.said()))
    return saying(t, pattern, command, argv, env)
  if (found === null) throw new Error(child.said())
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return { found, kill }
}

/** All that it writes until it ends. */
export async function ended(child: ReturnType<typeof program>): Promise<string> {
  await once(child, 'close')
  return child.said()
}

/** A folder of the test, with room for the name of a socket. */
export async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-'))
  t.teardown(() => until(() => isRemoved(path)))
  return path
}

/** No if a process that was killed wrote into it meanwhile. Deno ignores `maxRetries`. */
async function isRemoved(path: string): Promise<boolean> {
  try {
    await rm(path, { recursive: true, force: true })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
    return false
  }
}

/** Waits until the program listens there. Throws if it ends instead, with what it has written. */
export async function listens(child: ReturnType<typeof program>, path: string): Promise<void> {
  while (!(await canConnect(path))) {
    if (child.exitCode !== null) throw new Error(`it has ended: ${child.said()}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function canConnect(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
