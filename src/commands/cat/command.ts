/**
 * Layer 10. What the command `sluice-cat` does, in a process that is handed to it.
 *
 * command → runCommand → parseOptions → Run: open the channels, copy until one of them closes or a
 * signal comes, close them, say what was not taken, wait for the reader of stdout.
 *
 * Rules:
 * 1. The exit code is 0 only if everything that was read was taken by the other side. Otherwise a
 *    line says what was not, and how much.
 * 2. Whatever blocks, the command ends STOP_TIMEOUT after the first signal.
 */

import { Buffer } from 'node:buffer'
import { formatAddress } from '../../core/address.ts'
import { deferred } from '../../core/deferred.ts'
import { noop } from '../../core/noop.ts'
import { messageOf, OverflowError, UrlError, WriteError } from '../../errors.ts'
import { Context } from '../../messages/context.ts'
import { type Addr, Control, type Message } from '../../messages/message.ts'
import { MessageChannel } from '../../messages/message-channel.ts'
import { formatMessage } from '../../messages/tools/dump.ts'
import type { Cancel, Milliseconds, SocketAddress } from '../../types.ts'
import type { Host, Say } from '../host.ts'
import { runCommand } from '../run.ts'
import { STOP_TIMEOUT, stopOnSignals } from '../signals.ts'
import { copy, Target } from './copy.ts'
import { send } from './input.ts'
import { HELP, parseOptions, type Request } from './options.ts'
import { Output, type Stdout } from './output.ts'
import { ProgressLine, type Screen } from './progress-line.ts'

/** What the command needs of its process. */
export interface CatHost extends Host {
  /** On a terminal, `tcp://` speaks lines. */
  readonly stdin: AsyncIterable<Uint8Array> & { destroy(): unknown; readonly isTTY?: boolean }
  readonly stdout: Stdout
  /** On a terminal, a line shows how much was received so far. */
  readonly stderr: Screen & { readonly isTTY?: boolean }
}

const LINE_END = Buffer.of(10)

/** The frame on a terminal: whoever types there types lines. */
const TERMINAL = 'tcp.frame=line;tls.frame=line;unix.frame=line'

/** How long the input is read on when the channel has closed: what it has comes at once. */
const MORE_INPUT: Milliseconds = 250

/** Prefixes that need a frame with a msgid, or any bytes. */
const NEEDS_BYTES = /(deflate|filter)\+/

/** Runs the command with the arguments that follow its name; resolves with the exit code. */
export function command(argv: readonly string[], host: CatHost): Promise<number> {
  const run = async (request: Request, say: Say): Promise<number> =>
    new Run(request, host, say).run()
  return runCommand({ name: 'sluice-cat', help: HELP, parse: parseOptions, run }, argv, host)
}

class Run {
  readonly #request: Request
  readonly #host: CatHost
  readonly #say: Say
  readonly #output: Output
  readonly #from: MessageChannel
  readonly #to: MessageChannel | undefined
  readonly #progress: ProgressLine | undefined
  /** What is sent to, and the name of its channel. */
  readonly #targets: Target[] = []
  /** Resolves when there is no more time. */
  readonly #late = deferred<void>()
  #cancel: Cancel = noop
  #isStopping = false
  #code = 0

  constructor(request: Request, host: CatHost, say: Say) {
    const { engine, stdin, stderr } = host
    const { from, to } = request
    const isTyped = to === undefined && stdin.isTTY === true
    const hasLines = isTyped && !NEEDS_BYTES.test(from)
    const context = new Context({ engine, ...(hasLines && { defaults: TERMINAL }) })
    this.#request = request
    this.#host = host
    this.#output = new Output(host.stdout)
    this.#from = context.init(from, { name: to === undefined ? 'channel' : 'first' })
    this.#to = to === undefined ? undefined : context.init(to, { name: 'second' })
    // The line would mix with what is typed.
    this.#progress = stderr.isTTY && !isTyped ? new ProgressLine(engine, stderr) : undefined
    this.#say = text => {
      this.#progress?.clear()
      say(text)
    }
    engine.log = this.#say
    if (hasLines && !/[;.]frame=/.test(from) && this.#from.carries.data === 'line')
      this.#say('frame=line, as this is a terminal')
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
    channel.on_error = error => {
      // A message that could not be sent, as a packet that is too long. The channel goes on.
      if (error instanceof WriteError || error instanceof OverflowError) this.#code = 1
      MessageChannel.prototype.on_error.call(channel, error)
    }
    channel.callback_add(({ msgid, data }) => {
      if (msgid === Control.Disconnect && data.length > 0)
        this.#say(`${channel.name}: a peer has gone: ${data}`)
    }, 'control')
    if (this.#request.dumps)
      channel.callback_add(this.#dump(channel.name), ['data', 'control', 'state'])
    channel.callback_add(({ data }) => this.#progress?.count(data.length), 'data')
  }

  #dump(name: string): (message: Message) => Promise<void> | undefined {
    const peers = new Map<Addr, string>()
    return message => {
      const { type, msgid, addr, data } = message
      if (type === 'control' && msgid === Control.Connect && addr !== undefined)
        peers.set(addr, String(data))
      const peer = addr === undefined ? undefined : peers.get(addr)
      if (type === 'control' && msgid === Control.Disconnect && addr !== undefined)
        peers.delete(addr)
      return this.#out(`${clock()} ${name}: ${formatMessage('recv', message, 'yes', peer)}\n`)
    }
  }

  async run(): Promise<number> {
    const { engine, stdin, exit } = this.#host
    const forget = stopOnSignals(this.#host, () => void this.#stop(), exit)
    // A channel that only waits, as one in memory does, does not keep the process alive.
    void engine.start()
    try {
      await this.#work()
      await this.#account()
    } finally {
      for (const channel of this.#channels) channel.close(true)
      stdin.destroy()
      this.#progress?.stop()
      // A signal has done so, and what it then set is needed.
      if (!this.#isStopping) await engine.stop({ timeout: 0 })
    }
    await this.#finish()
    forget()
    this.#cancel()
    return this.#code
  }

  async #stop(): Promise<void> {
    const { engine } = this.#host
    const begin = engine.now
    this.#isStopping = true
    await engine.stop({ timeout: STOP_TIMEOUT })
    const left = STOP_TIMEOUT - (engine.now - begin)
    this.#cancel = engine.defer(Math.max(1, left), () => this.#late.resolve())
  }

  #work(): Promise<void> {
    return this.#to === undefined ? this.#talk(this.#from) : this.#copy(this.#from, this.#to)
  }

  // ---- one channel, and standard input ----------------------------------------------------------

  async #talk(channel: MessageChannel): Promise<void> {
    if (!this.#request.dumps)
      channel.callback_add(
        ({ data }) => this.#out(this.#request.isRaw ? data : Buffer.concat([data, LINE_END])),
        'data',
      )
    // It has to know the peers of a server from the first one on.
    const target = this.#target(channel)
    if (!(await this.#open(channel))) return
    // A channel that cannot send is read to its end, whatever becomes of the input.
    if (isReadOnly(channel)) return void (await channel.closed)
    const sent = this.#send(channel, target).catch(error => channel.fail(error))
    await channel.closed
    await this.#readOn(target, sent)
  }

  /** If the channel has closed first: what the input still has counts as not sent. */
  async #readOn(target: Target, sent: Promise<void>): Promise<void> {
    if (this.#isStopping || this.#code !== 0 || this.#host.stdin.isTTY) return
    const isRead = await this.#within(MORE_INPUT, sent)
    if (!isRead && target.lost.messages > 0)
      this.#say('the channel has closed before the input was read to its end')
  }

  /** At the end of the input: our side ends, and the answers are waited for. A server stays. */
  async #send(channel: MessageChannel, target: Target): Promise<void> {
    await send(this.#host.stdin, target, this.#request.isRaw)
    if (isServer(channel) || channel.state !== 'active') return
    const isHalf = channel.half_close()
    const { wait } = this.#request
    if (isHalf && wait === undefined) return
    await this.#pause(channel)
    channel.close()
  }

  // ---- two channels -----------------------------------------------------------------------------

  /** The second channel opens before the first, so that it misses nothing. */
  async #copy(from: MessageChannel, to: MessageChannel): Promise<void> {
    const target = this.#target(to)
    copy(from, target)
    if (this.#request.isBoth) copy(to, this.#target(from))
    if (!(await this.#open(to)) || !(await this.#open(from))) return
    const first = await Promise.race([from, to].map(each => each.closed.then(() => each)))
    if (first === to && !this.#request.isBoth && !this.#isStopping) {
      this.#code = 1
      this.#say('second has closed before first was read to its end')
    }
    if (first === from) {
      await Promise.race([target.idle, to.closed])
      await this.#pause(to)
    }
    for (const each of [from, to]) each.close()
    await Promise.all([from.closed, to.closed])
  }

  // ---- what both do -----------------------------------------------------------------------------

  #target(channel: MessageChannel): Target {
    const target = new Target(channel, error => {
      this.#code = 1
      this.#say(`${channel.name}: a message was not taken: ${messageOf(error)}`)
    })
    this.#targets.push(target)
    return target
  }

  /** Opens it. If that fails, the person who typed its URL is told why. */
  async #open(channel: MessageChannel): Promise<boolean> {
    // Taken before: an error that `opened` rejects with is not logged as well.
    const { opened } = channel
    channel.open(channel === this.#from ? this.#request.opening : '')
    try {
      await opened
    } catch (error) {
      if (error instanceof UrlError) throw error
      if (this.#code === 1)
        this.#say(`${channel.name} ${String(channel.params.url)}: ${messageOf(error)}`)
      return false
    }
    const local = channel.info.local as SocketAddress | undefined
    if (isServer(channel) && local !== undefined)
      this.#say(`${channel.name} is listening on ${formatAddress(local).replace('\0', '@')}`)
    return true
  }

  /** Goes on receiving for the time that was asked for, unless the channel closes. */
  async #pause(channel: MessageChannel): Promise<void> {
    const { wait = 0 } = this.#request
    if (wait === 0 || this.#code !== 0) return
    await this.#within(wait, channel.closed)
  }

  /** Waits for the promise, so long at most. Returns false if that was too short. */
  async #within(wait: Milliseconds, promise: Promise<unknown>): Promise<boolean> {
    const over = deferred<boolean>()
    const cancel = this.#host.engine.defer(wait, () => over.resolve(false))
    const isIn = await Promise.race([over.promise, promise.then(() => true)])
    cancel()
    return isIn
  }

  /** Prints. The promise makes the channel wait while the reader of stdout is slow. */
  #out(data: string | Uint8Array): Promise<void> | undefined {
    this.#progress?.clear()
    return this.#output.write(data)
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** Says what was read and not taken. */
  async #account(): Promise<void> {
    for (const target of this.#targets) {
      const { messages, bytes } = target.lost
      if (messages > 0)
        this.#lost(`${messages} ${messages === 1 ? 'message' : 'messages'} (${bytes} bytes)`)
    }
    for (const channel of this.#channels) {
      const { unsent } = channel.info as { readonly unsent?: number }
      if (unsent !== undefined && unsent > 0) this.#lost(`${unsent} bytes of what was taken`)
      else if (channel.state === 'closed' && (await channel.closed) === 'timeout')
        this.#lost(`what ${channel.name} was sent last: the other side did not take it in time`)
    }
  }

  #lost(what: string): void {
    this.#code = 1
    this.#say(`not sent: ${what}`)
  }

  /** Waits until the reader of stdout has taken everything, or there is no more time. */
  async #finish(): Promise<void> {
    const output = this.#output
    await Promise.race([output.idle(), this.#late.promise])
    if (output.waiting === 0) return
    this.#code = 1
    this.#say(`not printed: ${output.waiting} bytes, as nobody reads them`)
    // The process would wait for the reader.
    this.#host.exit(this.#code)
  }
}

function isServer(channel: MessageChannel): boolean {
  return channel.params.text('mode', '') === 'server'
}

/** Can it receive and not send? A prefix can do what the channel below it can. */
function isReadOnly(channel: MessageChannel): boolean {
  const [child] = channel.caps.has('proxy') ? channel.children : []
  return child === undefined
    ? channel.caps.has('in') && !channel.caps.has('out')
    : isReadOnly(child)
}

/** The time of day, to the millisecond. */
function clock(): string {
  const now = new Date()
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(11, 23)
}
