/**
 * Layer 10. What the command `sluice-cat` does, in a process that is handed to it.
 *
 * command → runCommand → parseOptions → Run: open the channels, copy until one of them closes or a
 * signal comes, close them.
 *
 * Exit codes: 0 done, 1 a channel failed, 2 the command line is invalid.
 */

import { Buffer } from 'node:buffer'
import type { Engine } from '../../engine.ts'
import { Context } from '../../messages/context.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import { formatMessage } from '../../messages/tools/dump.ts'
import type { Milliseconds } from '../../types.ts'
import type { Host, Say } from '../host.ts'
import { runCommand } from '../run.ts'
import { STOP_TIMEOUT, stopOnSignals } from '../signals.ts'
import { copy, Target } from './copy.ts'
import { HELP, parseOptions, type Request } from './options.ts'
import { Progress } from './progress.ts'

/** What the command needs of its process. */
export interface CatHost extends Host {
  readonly stdin: AsyncIterable<Uint8Array> & { destroy(): unknown }
  readonly stdout: {
    /** False: it has taken the data and wants no more until 'drain'. */
    write(data: string | Uint8Array): unknown
    once(event: 'drain', listener: () => void): unknown
  }
  /** On a terminal, a line shows how much was received so far. */
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean }
}

const LINE_END = 10

/** Runs the command with the arguments that follow its name; resolves with the exit code. */
export function command(argv: readonly string[], host: CatHost): Promise<number> {
  const run = async (request: Request, say: Say): Promise<number> =>
    new Run(request, host, say).run()
  return runCommand({ name: 'sluice-cat', help: HELP, parse: parseOptions, run }, argv, host)
}

class Run {
  readonly #request: Request
  readonly #host: CatHost
  readonly #from: MessageChannel
  readonly #to: MessageChannel | undefined
  readonly #progress: Progress | undefined
  #code = 0

  constructor(request: Request, host: CatHost, say: Say) {
    const { engine, stderr } = host
    const context = new Context({ engine })
    this.#request = request
    this.#host = host
    this.#from = context.init(request.from, {
      name: request.to === undefined ? 'channel' : 'first',
    })
    this.#to = request.to === undefined ? undefined : context.init(request.to, { name: 'second' })
    this.#progress = stderr.isTTY
      ? new Progress(engine, text => void stderr.write(text))
      : undefined
    engine.log = text => {
      this.#progress?.clear()
      say(text)
    }
    for (const channel of this.#channels) this.#watch(channel)
  }

  get #channels(): MessageChannel[] {
    return this.#to === undefined ? [this.#from] : [this.#from, this.#to]
  }

  #watch(channel: MessageChannel): void {
    channel.on_state = state => {
      if (state !== 'error') return
      this.#code = 1
      // Not at once: on_error comes next, and says why.
      queueMicrotask(() => channel.close(true))
    }
    const { name } = channel
    if (this.#request.dumps) {
      channel.callback_add(
        message => this.#out(`${name}: ${formatMessage('recv', message, 'yes')}\n`),
        ['data', 'control', 'state'],
      )
    }
    channel.callback_add(({ data }) => this.#progress?.count(data.length), 'data')
  }

  async run(): Promise<number> {
    const { engine, exit } = this.#host
    const stop = (): void => void engine.stop({ timeout: STOP_TIMEOUT })
    const forget = stopOnSignals(this.#host, stop, exit)
    try {
      await this.#work()
    } finally {
      forget()
      this.#progress?.stop()
      for (const channel of this.#channels) channel.close(true)
      this.#host.stdin.destroy()
    }
    return this.#code
  }

  /** The second channel opens before the first, so that it misses nothing. */
  async #work(): Promise<void> {
    const from = this.#from
    const to = this.#to
    if (to === undefined) {
      this.#print(from)
      return this.#openAll([from], () => {
        // A channel that cannot send is read to its end, whatever becomes of the input.
        if (isReadOnly(from)) return
        // The input is also destroyed when the channel closes. Then `fail` does nothing.
        this.#send(from).catch(error => from.fail(error))
      })
    }
    copy(from, to)
    if (this.#request.isBoth) copy(to, from)
    await this.#openAll([to, from], () => {})
  }

  /** If it could not be opened, the person who typed its URL is told why. */
  #hasOpened(channel: MessageChannel): Promise<boolean> {
    return channel.opened.then(
      () => true,
      (error: Error) => {
        if (channel.state === 'error') this.#host.engine.log(reasonOf(channel, error))
        return false
      },
    )
  }

  /** Opens the channels in order. When one of them has closed, closes the others. */
  async #openAll(channels: readonly MessageChannel[], opened: () => void): Promise<void> {
    const { engine } = this.#host
    const closed: Promise<unknown>[] = []
    for (const channel of channels) {
      channel.open()
      closed.push(channel.closed)
      if (!(await this.#hasOpened(channel))) break
    }
    if (channels.every(each => each.state === 'active')) opened()
    await Promise.race(closed)
    await pause(engine, this.#code === 0 ? this.#request.wait : 0)
    for (const channel of channels) channel.close()
    await Promise.all(closed)
  }

  #print(channel: MessageChannel): void {
    if (this.#request.dumps) return
    channel.callback_add(
      ({ data }) =>
        this.#out(this.#request.isRaw ? data : Buffer.concat([data, Buffer.of(LINE_END)])),
      'data',
    )
  }

  /** Prints. The promise makes the channel wait while the reader of stdout is slow. */
  #out(data: string | Uint8Array): Promise<void> | undefined {
    const { stdout } = this.#host
    this.#progress?.clear()
    return stdout.write(data) === false ? new Promise(go => stdout.once('drain', go)) : undefined
  }

  /** Sends the lines of the input. At its end a channel to one peer is closed; a server stays. */
  async #send(channel: MessageChannel): Promise<void> {
    const target = new Target(channel)
    let rest = Buffer.alloc(0)
    for await (const chunk of this.#host.stdin) {
      rest = Buffer.concat([rest, chunk])
      for (let end = this.#end(rest); end > 0; end = this.#end(rest)) {
        const data = this.#request.isRaw ? rest.subarray(0, end) : rest.subarray(0, end - 1)
        rest = rest.subarray(end)
        await target.post({ data })
      }
    }
    if (rest.length > 0) await target.post({ data: rest })
    if (channel.params.text('mode', '') === 'server') return
    await pause(this.#host.engine, this.#request.wait)
    channel.close()
  }

  /** The end of the next message in `bytes`; 0 if there is none yet. */
  #end(bytes: Buffer): number {
    return this.#request.isRaw ? bytes.length : bytes.indexOf(LINE_END) + 1
  }
}

/** Can it receive and not send? A prefix can do what the channel below it can. */
function isReadOnly(channel: MessageChannel): boolean {
  const [child] = channel.caps.has('proxy') ? channel.children : []
  return child === undefined
    ? channel.caps.has('in') && !channel.caps.has('out')
    : isReadOnly(child)
}

/** As a channel logs what is wrong with it. */
function reasonOf({ name, params }: MessageChannel, { message }: Error): string {
  return `${name} ${String(params.url)}: ${message}`
}

function pause(engine: Engine, time: Milliseconds): Promise<void> {
  return time === 0 ? Promise.resolve() : new Promise(go => engine.defer(time, go))
}
