/** The primary, over workers that the test makes. Real processes: main.test.ts. */

import { EventEmitter } from 'node:events'
import t from 'tap'
import { type Cluster, type Worker, Workers } from '../../../src/commands/echo/workers.ts'

/** Stands for a process: it ends when the test says so, and keeps what it is told. */
class FakeWorker extends EventEmitter {
  readonly id: number
  readonly told: string[] = []
  #isConnected = true

  constructor(id: number) {
    super()
    this.id = id
  }

  isConnected(): boolean {
    return this.#isConnected
  }

  send(message: string): void {
    this.told.push(message)
  }

  kill(signal: string): void {
    this.end(null, signal)
  }

  end(code: number | null, signal: string | null = null): void {
    this.#isConnected = false
    this.emit('exit', code, signal)
  }
}

function kit(count: number) {
  const made: FakeWorker[] = []
  const log: string[] = []
  const clock = { now: 0 }
  const cluster: Cluster = {
    isPrimary: true,
    setupPrimary: ({ args }) => log.push(`with ${args.join(' ')}`),
    fork: () => made[made.push(new FakeWorker(made.length + 1)) - 1] as unknown as Worker,
  }
  const workers = new Workers(
    cluster,
    count,
    () => clock.now,
    text => log.push(text),
  )
  workers.start(['--port', '1'], () => log.push('ready'))
  return { made, log, clock, workers }
}

t.test('is ready once, when all of them listen; stops when all have ended', async t => {
  const { made, log, workers } = kit(2)
  t.equal(workers.size, 2)
  made[0]!.emit('message', 'listening')
  t.same(log, ['with --port 1'])
  made[1]!.emit('message', 'listening')
  t.same(log, ['with --port 1', 'ready'])
  workers.stop()
  t.same(
    made.map(({ told }) => told),
    [['stop'], ['stop']],
  )
  for (const worker of made) worker.end(0)
  t.equal(await workers.ended, 0)
  t.equal(log.length, 2, 'no worker takes the place of one that was stopped')
})

t.test('another one takes the place of one that died', async t => {
  const { made, log, workers } = kit(1)
  made[0]!.emit('message', 'listening')
  made[0]!.end(null, 'SIGSEGV')
  t.equal(made.length, 2)
  made[1]!.emit('message', 'listening')
  made[1]!.end(3)
  t.same(log, [
    'with --port 1',
    'ready',
    'worker 1 has ended (SIGSEGV); another one takes its place',
    'worker 2 has ended (3); another one takes its place',
  ])
  workers.stop()
  made[2]!.end(0)
  t.equal(await workers.ended, 0)
})

t.test('gives up when they die again and again, but not when that takes long', async t => {
  const { made, log, clock, workers } = kit(2)
  for (let deaths = 0; deaths < 20; deaths++, clock.now += 12_001) made.at(-1)!.end(1)
  t.equal(workers.size, 2)
  clock.now += 60_000
  log.length = 0
  for (let deaths = 0; deaths < 6; deaths++) made.at(-1)!.end(1)
  t.match(log.at(-1), /^worker 27 has ended \(1\), the last of 6 within 60 s: giving up$/)
  t.equal(log.length, 6)
  t.same(made[0]!.told, ['stop'], 'the others may finish')
  made[0]!.end(0)
  t.equal(await workers.ended, 1)
})

// A worker that was told to stop before it could hear it listened for ever: the command hung.
t.test(
  'one that begins to listen when it should stop is told again; one that is going is not told',
  async t => {
    const { made, workers } = kit(2)
    t.equal(made.length, 2)
    made[1]!.end(0)
    const [early, , going] = made as [FakeWorker, FakeWorker, FakeWorker]
    going.isConnected = () => false
    workers.stop()
    early.emit('message', 'listening')
    t.same([early.told, going.told], [['stop', 'stop'], []])
    workers.kill()
    t.equal(await workers.ended, 0)
  },
)
