/** The instrument on one transport. It judges its log by rules 2 to 5 of the seam. */

import { Buffer } from 'node:buffer'
import type { Test } from 'tap'
import type { SystemError, Transport } from '../../../src/transport.ts'
import type { Bytes } from '../../../src/types.ts'
import type { Watch } from './watch.ts'

/** Every report of a transport. */
export const REPORTS = ['opened', 'received', 'drained', 'ended', 'failed', 'closed'] as const
export type Report = (typeof REPORTS)[number]

/** Records what one transport reports and what is done to it. */
export class Probe {
  readonly transport: Transport
  /** Reports, and calls in brackets. */
  readonly log: string[] = []
  /** What a scenario does inside a report. */
  readonly hooks: Partial<Record<Report, () => void>> = {}
  error: SystemError | undefined
  /** How many bytes were received. */
  size: Bytes = 0
  readonly #watch: Watch
  readonly #side: 'called' | 'accepted'
  readonly #chunks: { chunk: Buffer; copy: Buffer }[] = []
  readonly #counts: Record<Report, number> = {
    opened: 0,
    received: 0,
    drained: 0,
    ended: 0,
    failed: 0,
    closed: 0,
  }

  constructor(watch: Watch, transport: Transport, side: 'called' | 'accepted') {
    this.#watch = watch
    this.transport = transport
    this.#side = side
    transport.sink = {
      opened: () => this.#note('opened'),
      received: chunk => {
        this.#chunks.push({ chunk, copy: Buffer.from(chunk) })
        this.size += chunk.length
        this.#note('received')
      },
      drained: () => this.#note('drained'),
      ended: () => this.#note('ended'),
      failed: error => {
        this.error = error
        this.#note('failed')
      },
      closed: () => this.#note('closed'),
    }
  }

  #note(report: Report): void {
    this.log.push(report)
    this.#counts[report]++
    this.#watch.noted(report)
    this.hooks[report]?.()
  }

  count(report: Report): number {
    return this.#counts[report]
  }

  /** The reports without the bytes: a network is free to cut these. */
  get course(): string {
    return this.log
      .filter(
        entry => REPORTS.includes(entry as Report) && entry !== 'received' && entry !== 'drained',
      )
      .join(' ')
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks.map(({ copy }) => copy))
  }

  /** The chunk of the latest report. */
  get last(): Buffer {
    return this.#chunks.at(-1)!.copy
  }

  get text(): string {
    return this.bytes.toString()
  }

  #call<Result>(name: string, made: () => Result): Result {
    this.log.push(`(${name})`)
    return this.#watch.call(made)
  }

  write(data: string | Uint8Array, encoding: BufferEncoding = 'utf8'): boolean {
    return this.#call('write', () => this.transport.write(data, encoding))
  }

  /** Resumes. Returns the probe, as this is often the first call. */
  flow(): this {
    this.#call('resume', () => this.transport.resume())
    return this
  }

  pause(): void {
    this.#call('pause', () => this.transport.pause())
  }

  end(): void {
    this.#call('end', () => this.transport.end())
  }

  destroy(): void {
    this.#call('destroy', () => this.transport.destroy())
  }

  /** Checks rules 2 to 5 over the whole log. */
  judge(t: Test): void {
    const { log } = this
    const rule = (number: number, holds: boolean, what: string): void => {
      if (!holds) t.fail(`rule ${number}: ${what}`, { log: log.join(' ').slice(-600) })
    }
    const first = (entry: string): number => (log.includes(entry) ? log.indexOf(entry) : Infinity)
    const after = (entry: string): string[] =>
      log.slice(first(entry) + 1).filter(other => REPORTS.includes(other as Report))
    const reports = log.filter(entry => REPORTS.includes(entry as Report))
    rule(
      2,
      this.count('closed') === 1 && reports.at(-1) === 'closed',
      'exactly one closed, and it is the last',
    )
    for (const once of ['opened', 'ended', 'failed'] as const)
      rule(2, this.count(once) <= 1, `at most one ${once}`)
    rule(
      2,
      after('ended').every(other => other !== 'received'),
      'nothing is received after ended',
    )
    rule(
      2,
      after('failed').join() === (this.count('failed') > 0 ? 'closed' : ''),
      'only closed follows failed',
    )
    if (this.#side === 'accepted')
      rule(2, this.count('opened') === 0, 'what was accepted is open, and does not report it')
    else
      rule(
        2,
        this.count('opened') === 1
          ? reports[0] === 'opened'
          : /^(failed,)?closed$/.test(reports.join()),
        'opened is first',
      )
    rule(3, !(first('received') < first('(resume)')), 'nothing is received before the first resume')
    rule(3, mostWhilePaused(log) <= 1, 'one chunk at most is received while paused')
    rule(4, /^(closed)?$/.test(after('(destroy)').join()), 'only closed follows destroy')
    rule(
      5,
      this.#chunks.every(({ copy }) => copy.length > 0),
      'no chunk is empty',
    )
    const isLent = this.transport.lends_chunks === true
    rule(
      5,
      this.#chunks.every(
        ({ chunk, copy }) => Buffer.isBuffer(chunk) && (isLent || chunk.equals(copy)),
      ),
      'a chunk belongs to the sink, unless it is lent',
    )
  }
}

function mostWhilePaused(log: readonly string[]): number {
  let [most, count, paused] = [0, 0, true]
  for (const entry of log) {
    if (entry === '(pause)' || entry === '(resume)') [paused, count] = [entry === '(pause)', 0]
    if (entry === 'received' && paused) most = Math.max(most, ++count)
  }
  return most
}
