import { Buffer } from 'node:buffer'
import t from 'tap'
import { TimerMessage } from '../../../src/messages/carriers/timer.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { thrown } from '../../kit.ts'
import { fault, type Stage, stage } from '../kit.ts'

/** A timer, and the times of its messages, in ms of the clock. */
function rings({ context, engine }: Stage, url: string): [MessageChannel, number[]] {
  const channel = context.init(url)
  const times: number[] = []
  channel.on_message = ({ msgid, data }) => {
    t.strictSame([msgid, data.length], [TimerMessage.absolute, 8])
    times.push(engine.now)
  }
  return [channel, times]
}

const ns = (ms: number): Buffer => {
  const data = Buffer.alloc(8)
  data.writeBigInt64LE(BigInt(ms) * 1_000_000n)
  return data
}

stage(t, 'intervals', async (t, stage) => {
  const [channel, times] = rings(stage, 'timer://;interval=10ms')
  channel.open()
  t.strictSame([...channel.dcaps], ['process'])
  stage.clock.advance(35)
  t.strictSame(times, [10, 20, 30])
  channel.close()
  stage.clock.advance(50)
  t.equal(times.length, 3)
  channel.open('interval=20ms;oneshot=yes')
  stage.clock.advance(100)
  t.strictSame(times.slice(3), [105], 'parameters of the opening')
  t.strictSame([...channel.dcaps], [], 'after the one shot: nothing')
  t.equal(channel.process(), false)
})

stage(t, 'times that are posted', async (t, stage) => {
  const [channel, times] = rings(stage, 'timer://')
  channel.open()
  stage.clock.advance(100)
  t.strictSame([times, channel.dcaps.size], [[], 0])
  channel.post({ msgid: TimerMessage.relative, data: ns(5) })
  stage.clock.advance(100)
  t.strictSame([times, channel.dcaps.size], [[105], 0], 'once')
  channel.post({ msgid: TimerMessage.relative, data: ns(5) })
  channel.post({ msgid: TimerMessage.relative, data: ns(0) })
  stage.clock.advance(100)
  t.strictSame([times.length, channel.dcaps.size], [1, 0], '0 stops it')
  for (const wrong of [
    { msgid: 3, data: ns(1) },
    { msgid: 1, data: 'short' },
    { msgid: TimerMessage.absolute, data: ns(1) },
  ]) {
    t.equal(
      thrown(() => channel.post(wrong)),
      'ERR_INVALID_ARGUMENT',
    )
  }
})

stage(t, 'the time of day', async (t, stage) => {
  const [channel, times] = rings(stage, 'timer://;clock=realtime')
  channel.open()
  let time = 0n
  channel.callback_add(({ data }) => void (time = data.readBigInt64LE()), 'data')
  channel.post({ msgid: TimerMessage.absolute, data: ns(1) })
  stage.clock.advance(1)
  t.equal(times.length, 1, 'in the past: as soon as can be')
  t.ok(time > 1_700_000_000_000_000_000n)
})

/** The number of messages if the clock jumps from 10 to 45 ms while a timer is due. */
function late(stage: Stage, url: string): number {
  const [channel, times] = rings(stage, url)
  channel.open()
  const { clock } = stage
  clock.after(5, () => {
    // Timers that are due run after this one.
    Object.defineProperty(clock, 'now', { value: () => 45, configurable: true })
  })
  clock.advance(10)
  delete (clock as { now?: unknown }).now
  clock.advance(0)
  return times.length
}

stage(t, 'late', async (t, stage) => {
  t.equal(late(stage, 'timer://;interval=10ms'), 4)
})

stage(t, 'late, skip-old', async (t, stage) => {
  t.equal(late(stage, 'timer://;interval=10ms;skip-old=yes'), 1)
})

stage(t, 'suspended: messages that are due wait', async (t, stage) => {
  const [channel, times] = rings(stage, 'timer://;interval=10ms')
  channel.open()
  channel.suspend()
  stage.clock.advance(25)
  t.strictSame(times, [])
  channel.resume()
  stage.clock.advance(0)
  t.strictSame(times, [25, 25])
})

stage(t, 'parameters', async (t, { context }) => {
  for (const wrong of ['interval=10', 'oneshot=x', 'clock=sun', 'skip-old=x'])
    t.match(
      fault(() => context.init(`timer://;${wrong}`)),
      'must be',
    )
})
