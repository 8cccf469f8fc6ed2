/**
 * Stands in for tap where tap does not load: Bun has no serializer of node:v8, and under Deno its
 * processes cannot be told how to run. The part of tap that the tests use, with its own comparisons
 * (tcompare), in the same order: subtests one after the other, teardowns from the last to the
 * first. It prints a line for each test that has ended, which main.ts reads: see result.ts.
 *
 * Coverage and snapshots are not here. An error that nobody has caught fails the test that runs.
 */

import { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { match, same, strict } from 'tcompare'
import { ROOT } from '../built.ts'
import { DONE, LEFT_OUT, RESULT, type Result } from './result.ts'

type Body = (t: StandIn) => unknown

interface TestOptions {
  readonly skip?: boolean | string
  /** In ms. */
  readonly timeout?: number
}

/** In ms, for a test and for what is in it. */
const TIMEOUT = 90_000

const LEFT = process.env[LEFT_OUT] ?? ''

/** Where tap has them: a program in there finds sluice by its name. */
const FIXTURES = `${ROOT}.tap/fixtures/`
mkdirSync(FIXTURES, { recursive: true })

// Deno takes a child that was sent a signal for one that the signal has ended.
if (process.versions.deno !== undefined)
  ChildProcess.prototype.kill = function (signal) {
    if ((this.exitCode ?? this.signalCode) !== null) return false
    try {
      return process.kill(this.pid!, signal)
    } catch {
      return false
    }
  }

/** The tests that run: the innermost is the last. What nobody has caught fails it. */
const running: StandIn[] = []

class StandIn {
  readonly name: string
  readonly #path: readonly string[]
  readonly #parent: StandIn | undefined
  readonly #faults: string[] = []
  readonly #teardowns: (() => unknown)[] = []
  readonly #before: Body[] = []
  #passed = 0
  /** Settles when the subtests asked for so far have ended. */
  #queue: Promise<void> = Promise.resolve()

  constructor(path: readonly string[], parent?: StandIn) {
    this.#path = path
    this.#parent = parent
    this.name = path.at(-1) ?? 'all'
  }

  test(name: string, ...rest: [Body] | [TestOptions, Body]): Promise<void> {
    const body = rest.at(-1) as Body
    const options = rest.length === 2 ? (rest[0] as TestOptions) : {}
    const path = [...this.#path, name]
    const isLeftOut = LEFT !== '' && new RegExp(LEFT).test(path.join(' > '))
    if ((options.skip !== undefined && options.skip !== false) || isLeftOut) return this.#queue
    const test = new StandIn(path, this)
    this.#queue = this.#queue.then(() => test.#run(body, options.timeout ?? TIMEOUT))
    return this.#queue
  }

  async #run(body: Body, timeout: number): Promise<void> {
    running.push(this)
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(() => {
        this.fail(`not done after ${timeout} ms`)
        resolve()
      }, timeout)
    })
    await Promise.race([this.#body(body), late])
    clearTimeout(timer)
    await this.finish()
    running.splice(running.indexOf(this), 1)
  }

  async #body(body: Body): Promise<void> {
    try {
      if (this.#parent !== undefined) for (const before of this.#parent.#before) await before(this)
      await body(this)
      await this.#subtests()
    } catch (error) {
      this.caught(error)
    }
  }

  /** Waits for the subtests, also for those that are asked for meanwhile. */
  async #subtests(): Promise<void> {
    for (let queue; queue !== this.#queue;) await (queue = this.#queue)
  }

  /** Waits for the subtests, tears down, and notes what came of it. */
  async finish(): Promise<void> {
    if (this.#parent === undefined) await this.#subtests()
    for (const teardown of this.#teardowns.splice(0).reverse()) {
      try {
        await teardown()
      } catch (error) {
        this.caught(error)
      }
    }
    const result: Result = { path: this.#path, passed: this.#passed, faults: this.#faults }
    print(`\n${RESULT}${JSON.stringify(result)}\n`)
  }

  /** Before the subtests that are asked for after this. */
  before(body: () => unknown): void {
    this.#queue = this.#queue.then(async () => void (await body()))
  }

  beforeEach(body: Body): void {
    this.#before.push(body)
  }

  teardown(teardown: () => unknown): void {
    this.#teardowns.push(teardown)
  }

  caught(error: unknown): void {
    this.fail(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }

  pass(_message?: string): true {
    this.#passed++
    return true
  }

  fail(message = 'failed', ..._extra: unknown[]): false {
    this.#faults.push(message)
    return false
  }

  bailout(message: string): never {
    throw new Error(`bailout: ${message}`)
  }

  comment(..._text: unknown[]): void {}

  #check(ok: boolean, otherwise: () => string): boolean {
    return ok ? this.pass() : this.fail(otherwise())
  }

  ok(value: unknown, message = 'should be truthy'): boolean {
    return this.#check(Boolean(value), () => at(message))
  }

  notOk(value: unknown, message = 'should be falsy'): boolean {
    return this.#check(!value, () => at(message))
  }

  equal(found: unknown, wanted: unknown, message = 'should be equal'): boolean {
    return this.#check(Object.is(found, wanted), () => at(message, strict(found, wanted).diff))
  }

  not(found: unknown, other: unknown, message = 'should not be equal'): boolean {
    return this.#check(!Object.is(found, other), () => at(message))
  }

  same(found: unknown, wanted: unknown, message = 'should be equivalent'): boolean {
    const { match: ok, diff } = same(found, wanted)
    return this.#check(ok, () => at(message, diff))
  }

  notSame(found: unknown, other: unknown, message = 'should not be equivalent'): boolean {
    return this.#check(!same(found, other).match, () => at(message))
  }

  strictSame(found: unknown, wanted: unknown, message = 'should be equivalent'): boolean {
    const { match: ok, diff } = strict(found, wanted)
    return this.#check(ok, () => at(message, diff))
  }

  match(found: unknown, pattern: unknown, message = 'should match'): boolean {
    const { match: ok, diff } = match(found, pattern)
    return this.#check(ok, () => at(message, diff))
  }

  notMatch(found: unknown, pattern: unknown, message = 'should not match'): boolean {
    return this.#check(!match(found, pattern).match, () => at(message))
  }

  type(found: unknown, type: string | (abstract new (...args: never) => unknown)): boolean {
    const ok = typeof type === 'string' ? typeof found === type : found instanceof type
    return this.#check(ok, () => at(`should be of type ${String(type)}`))
  }

  throws(call: () => unknown, pattern?: unknown, message = 'should throw'): unknown {
    try {
      call()
    } catch (error) {
      return this.#thrown(error, pattern, message)
    }
    return this.fail(at(message))
  }

  doesNotThrow(call: () => unknown, message = 'should not throw'): boolean {
    try {
      call()
    } catch (error) {
      return this.fail(at(message, String(error)))
    }
    return this.pass()
  }

  async rejects(
    promise: Promise<unknown> | (() => Promise<unknown>),
    pattern?: unknown,
    message = 'should reject',
  ): Promise<unknown> {
    try {
      await (typeof promise === 'function' ? promise() : promise)
    } catch (error) {
      return this.#thrown(error, pattern, message)
    }
    return this.fail(at(message))
  }

  async resolves(promise: Promise<unknown> | (() => Promise<unknown>)): Promise<boolean> {
    try {
      await (typeof promise === 'function' ? promise() : promise)
    } catch (error) {
      return this.fail(at('should resolve', String(error)))
    }
    return this.pass()
  }

  #thrown(error: unknown, pattern: unknown, message: string): unknown {
    if (pattern === undefined || typeof pattern === 'string') return this.pass()
    const named = error instanceof Error ? withName(error) : error
    this.match(pattern instanceof RegExp ? (error as Error).message : named, pattern, message)
    return error
  }

  /** A folder with these files; it is removed when the test has ended. */
  testdir(files: Readonly<Record<string, string>> = {}): string {
    const folder = mkdtempSync(`${FIXTURES}sluice-`)
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    this.teardown(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }

  /** Puts another property in its place until the test has ended. */
  intercept(object: object, name: string, descriptor: PropertyDescriptor): void {
    const before = Object.getOwnPropertyDescriptor(object, name)
    Object.defineProperty(object, name, { configurable: true, ...descriptor })
    this.teardown(() => {
      if (before === undefined) delete (object as Record<string, unknown>)[name]
      else Object.defineProperty(object, name, before)
    })
  }

  /** Notes the arguments of each call of a method, instead of calling it. */
  capture(object: object, name: string): () => { args: unknown[] }[] {
    let calls: { args: unknown[] }[] = []
    const value = (...args: unknown[]): void => void calls.push({ args })
    this.intercept(object, name, { value, writable: true })
    return () => calls.splice(0)
  }
}

/** `error.name` is inherited; a pattern that has it must see it. */
function withName(error: Error): Error {
  Object.defineProperty(error, 'name', { value: error.name, enumerable: true, writable: true })
  return error
}

/** A message with the line of the test that failed. */
function at(message: string, diff = ''): string {
  const line = /\/test\/(?!runtimes\/)[^\s()]+/.exec(new Error(message).stack ?? '')
  return [`${message} (${line?.[0].slice(1) ?? 'unknown'})`, diff]
    .filter(part => part !== '')
    .join('\n')
}

/** A test may have put another `write` in the place of this one. */
const print = process.stdout.write.bind(process.stdout)

const top = new StandIn([])
for (const event of ['uncaughtException', 'unhandledRejection'])
  process.on(event, error => (running.at(-1) ?? top).caught(error))

// What a file asks for at once, and after each `await` of its own, has its turn before the end.
process.once('beforeExit', async () => {
  await top.finish()
  print(`${DONE}\n`, () => process.exit(0))
})

export type { StandIn as Test }
export default top
