/** A real redis-server, or a valkey-server, for tests, in a folder of its own, on a unix socket. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { RedisClient } from '../src/protocols/redis/client.ts'

/** What is installed here. Without any, tests that need a server are skipped. */
const PROGRAM = ['redis-server', 'valkey-server'].find(
  name => spawnSync(name, ['--version']).status === 0,
)

export const HAS_REDIS = PROGRAM !== undefined

export class RedisServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-redis-'))
  readonly path = join(this.folder, 'redis.sock')
  readonly url = `redis+unix://${this.path}`
  readonly #options: readonly string[]
  #process: ChildProcess | undefined

  /** `options` as on its command line. */
  constructor(...options: string[]) {
    this.#options = options
  }

  /** Resolves when it listens. */
  async start(): Promise<this> {
    const usual = ['--port', '0', '--unixsocket', this.path, '--dir', this.folder, '--save', '']
    const child = spawn(PROGRAM!, [...usual, ...this.#options], { stdio: 'pipe' })
    this.#process = child
    let said = ''
    for await (const text of child.stdout) {
      said += text
      if (said.includes('eady to accept connections')) break
    }
    if (!said.includes('eady to accept connections')) throw new Error(said)
    // What it says later must not fill the pipe.
    child.stdout.destroy()
    return this
  }

  /** A client of it, which closes at the end of the test. */
  async client(t: Test): Promise<RedisClient> {
    const client = new RedisClient().connect(this.url)
    client.on_disconnect = () => {}
    t.teardown(() => client.close())
    return client.ready
  }

  /** SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Ends it, as a power failure does. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Ends it for good, and removes what it wrote. */
  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
