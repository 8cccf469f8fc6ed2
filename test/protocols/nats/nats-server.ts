/**
 * A real nats-server for tests: on a port that it chose, in a folder of its own, ended by its pid.
 * It can be killed, stopped for a while, and started again on its port with its folder.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Debian has it in /usr/sbin, which is not in everybody's path.
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }

/** Is it installed? CI installs it. */
export const HAS_NATS =
  process.env.CI === 'true' || !spawnSync('nats-server', ['--version'], { env: ENV }).error

export class NatsServer {
  /** -1: any that is free. Once it has started, it keeps the one that it got. */
  port = -1
  readonly folder: string
  readonly #config: string
  #process: ChildProcess | undefined

  private constructor(folder: string, config: string) {
    this.folder = folder
    this.#config = config
  }

  /**
   * `config`: more lines of its file; the port and JetStream are there already. 'none': without
   * JetStream.
   */
  static async start(config = ''): Promise<NatsServer> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-nats-'))
    const server = new NatsServer(folder, config)
    await server.start()
    return server
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }

  get #store(): string {
    return join(this.folder, 'store')
  }

  /** Drops what it has stored. It must not be running. */
  async clear(): Promise<void> {
    await rm(this.#store, { recursive: true, force: true })
  }

  async start(): Promise<void> {
    const file = join(this.folder, 'nats.conf')
    const store = `store_dir: "${this.#store}", max_memory_store: 64MB, max_file_store: 256MB`
    const more = this.#config === 'none' ? '' : `jetstream { ${store} }\n${this.#config}\n`
    await writeFile(file, `listen: "127.0.0.1:${this.port}"\n${more}`)
    const child = spawn('nats-server', ['-c', file], {
      env: ENV,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    let said = ''
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', chunk => {
        said += chunk
        if (said.includes('Server is ready')) resolve()
      })
      child.on('error', reject)
      child.on('exit', () => reject(new Error(`nats-server ended: ${said}`)))
    })
    const [, port] = /Listening for client connections on \S+:(\d+)/.exec(said) ?? []
    this.port = Number(port)
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Ends it, and waits for that. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process as ChildProcess
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }

  async stop(): Promise<void> {
    await this.kill()
    await rm(this.folder, { recursive: true, force: true })
  }
}
