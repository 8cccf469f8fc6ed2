import { EventEmitter } from 'node:events'
import t from 'tap'
import { ignoreSignals, stopOnSignals } from '../../src/commands/signals.ts'
import { Engine } from '../../src/engine.ts'
import { ManualClock } from '../../src/io/manual-clock.ts'

function kit(isUnderNpm?: boolean) {
  const clock = new ManualClock()
  const signals = new EventEmitter()
  const engine = new Engine({ clock })
  const log: unknown[] = []
  const host = { signals, engine, ...(isUnderNpm !== undefined && { isUnderNpm }) }
  const forget = stopOnSignals(
    host,
    signal => log.push(signal),
    code => log.push(code),
  )
  const send = (signal: string): void => void signals.emit(signal, signal)
  const listeners = (): number[] =>
    ['SIGINT', 'SIGTERM'].map(signal => signals.listenerCount(signal))
  return { clock, log, send, forget, listeners }
}

t.test('the first signal stops, each further one exits with its code', async t => {
  const { log, send, forget, listeners } = kit()
  t.strictSame(listeners(), [1, 1])
  send('SIGTERM')
  t.strictSame(log, ['SIGTERM'])
  send('SIGINT')
  send('SIGTERM')
  t.strictSame(log, ['SIGTERM', 130, 143])
  forget()
  t.strictSame(listeners(), [0, 0])
})

t.test('under npm a Ctrl-C comes twice, and counts once', async t => {
  const { clock, log, send } = kit(true)
  send('SIGINT')
  clock.advance(250)
  send('SIGINT')
  t.strictSame(log, ['SIGINT'])
  clock.advance(1)
  send('SIGINT')
  t.strictSame(log, ['SIGINT', 130])
})

t.test('signals that are ignored do nothing', async t => {
  const signals = new EventEmitter()
  ignoreSignals({ signals, engine: new Engine({ clock: new ManualClock() }) })
  t.ok(signals.emit('SIGINT', 'SIGINT'))
  t.ok(signals.emit('SIGTERM', 'SIGTERM'))
})
