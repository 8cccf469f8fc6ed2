/**
 * Layer 10. What the command `sluice-cat` does, in a process that is handed to it.
 *
 * command → parseOptions → cat (open, copy, until one of them closes or a signal comes) → the exit
 * code: 0 done, 1 a channel failed, 2 wrongly called.
 *
 * Rules:
 * 1. Data goes to stdout, and what was asked for (--help, --version, --dump); everything else is a
 *    line on stderr.
 * 2. A mistake of the user never shows a stack. A URL that cannot be is shown, and the part that is
 *    wrong.
 */

import { Buffer } from 'node:buffer'
import type { Engine } from '../../engine.ts'
import { UrlError } from '../../errors.ts'
import { Context } from '../../messages/context.ts'
import { formatMessage } from '../../messages/tools/dump.ts'
import type { MessageChannel } from '../../messages/message-channel.ts'
import type { Milliseconds } from '../../types.ts'
import { copy, Target } from './copy.ts'
import { HELP, parseOptions, type Request, UsageError } from './options.ts'
import { Progress } from './progress.ts'

/** What the command needs of its process; tests make one. */
export interface Host {
  readonly stdin: AsyncIterable<Uint8Array> & { destroy(): unknown }
  readonly stdout: {
    write(data: string | Uint8Array): unknown
    once(event: 'drain', listener: () => void): unknown
  }
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly signals: {
    on(signal: Signal, listener: (signal: Signal) => void): unknown
    off(signal: Signal, listener: (signal: Signal) => void): unknown
  }
  readonly version: string
  /** Ends the process now. */
  exit(code: number): void
  readonly engine: Engine
}

/**
 * The signals that stop it, and their numbers, which a shell adds to 128 for the exit code of what
 * they ended.
 */
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const
export type Signal = keyof typeof SIGNALS

type Cat = Extract<Request, { kind: 'cat' }>

/** How long closing may take after a signal: somebody waits for the prompt. */
const STOP_TIMEOUT: Milliseconds = 5_000

const LINE_END = 10

/**
 * Runs the command with the arguments that follow its name; resolves with the exit code when it is
 * done.
 */
export async function command(argv: readonly string[], host: Host): Promise<number> {
  const say = (text: string): void => void host.stderr.write(`sluice-cat: ${text}\n`)
  try {
    const request = parseOptions(argv)
    if (request.kind === 'cat') return await new Run(request, host, say).run()
    host.stdout.write(request.kind === 'help' ? HELP : `${host.version}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof UrlError)) throw error
    say(`${error.message}${error instanceof UsageError ? ' (--help lists the options)' : ''}`)
    return 2
  }
}

class Run {
  readonly #request: Cat
  readonly #host: Host
  readonly #from: MessageChannel
  readonly #to: MessageChannel | undefined
  readonly #progress: Progress | undefined
  #code = 0

  constructor(request: Cat, host: Host, say: (text: string) => void) {
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
      // Not in here: on_error is still to say why.
      queueMicrotask(() => channel.close(true))
    }
    const { name } = channel
    if (this.#request.dumps) {
      channel.callback_add(
        message => {
          return this.#out(`${name}: ${formatMessage('recv', message, 'yes')}\n`)
        },
        ['data', 'control', 'state'],
      )
    }
    channel.callback_add(({ data }) => this.#progress?.count(data.length), 'data')
  }

  async run(): Promise<number> {
    const forget = this.#stopOnSignals()
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

  /** The second is there before the first gives anything. */
  async #work(): Promise<void> {
    const from = this.#from
    const to = this.#to
    if (to === undefined) {
      this.#print(from)
      // An end of the input is no reason to stop reading a file. One that was destroyed as the
      // channel closed is no failure: that it is none, `fail` knows.
      return this.#openAll([from], () => {
        if (!onlyGives(from)) this.#send(from).catch(error => from.fail(error))
      })
    }
    copy(from, to)
    if (this.#request.isBoth) copy(to, from)
    await this.#openAll([to, from], () => {})
  }

  /** Opens them in order; when one has closed, the others do. */
  async #openAll(channels: readonly MessageChannel[], opened: () => void): Promise<void> {
    const { engine } = this.#host
    const closed: Promise<unknown>[] = []
    for (const channel of channels) {
      channel.open()
      closed.push(channel.closed)
      if (
        !(await channel.opened.then(
          () => true,
          () => false,
        ))
      )
        break
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

  /** Prints. Where who reads it is slow, the channel waits. */
  #out(data: string | Uint8Array): Promise<void> | undefined {
    const { stdout } = this.#host
    this.#progress?.clear()
    return stdout.write(data) === false ? new Promise(go => stdout.once('drain', go)) : undefined
  }

  /** The lines of the input; at its end a channel to one peer closes, a server stays. */
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

  #end(bytes: Buffer): number {
    return this.#request.isRaw ? bytes.length : bytes.indexOf(LINE_END) + 1
  }

  /**
   * The first signal lets the channels finish, the second ends the process. Returns what gives the
   * signals back.
   */
  #stopOnSignals(): () => void {
    const { engine, signals, exit } = this.#host
    let count = 0
    const onSignal = (signal: Signal): void => {
      if (++count > 1) return exit(128 + SIGNALS[signal])
      void engine.stop({ timeout: STOP_TIMEOUT })
    }
    const names = Object.keys(SIGNALS) as Signal[]
    for (const name of names) signals.on(name, onSignal)
    return () => {
      for (const name of names) signals.off(name, onSignal)
    }
  }
}

/** Is there nothing to be sent to it? Of a prefix that is known by what is below. */
function onlyGives(channel: MessageChannel): boolean {
  const [child] = channel.caps.has('proxy') ? channel.children : []
  return child === undefined ? channel.caps.has('in') && !channel.caps.has('out') : onlyGives(child)
}

function pause(engine: Engine, time: Milliseconds): Promise<void> {
  return time === 0 ? Promise.resolve() : new Promise(go => engine.defer(time, go))
}
