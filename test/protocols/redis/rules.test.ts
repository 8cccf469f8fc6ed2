import t from 'tap'
import { Command } from '../../../src/protocols/redis/command.ts'
import {
  blocks,
  isSpecial,
  mayRunTwice,
  partRefusal,
  refusal,
  silences,
} from '../../../src/protocols/redis/rules.ts'

const words = (text: string): string[] => text.split(' ')

t.test('what may run twice', async t => {
  t.ok(mayRunTwice(new Command(['get', 'a'])))
  t.notOk(mayRunTwice(new Command(['INCR', 'a'])))
  t.notOk(mayRunTwice(new Command(['GET', 'a'], 'utf8', true)), 'not alone')
})

t.test('what waits on the server', async t => {
  const cases: [text: string, isSo: boolean][] = [
    ['BLPOP a 0', true],
    ['GET a', false],
    ['XREAD COUNT 1 BLOCK 0 STREAMS s 0', true],
    ['XREAD block 0 STREAMS s 0', true],
    ['XREAD STREAMS BLOCK 0', false],
    ['XREAD', false],
    ['XREADGROUP GROUP block c STREAMS s >', false],
    ['XREADGROUP GROUP g c BLOCK 5 STREAMS s >', true],
  ]
  for (const [text, isSo] of cases) {
    const all = words(text)
    t.equal(blocks(all[0]!, all), isSo, text)
    t.ok(isSpecial(all[0]!) || !isSo, text)
  }
})

t.test('when a silence is no sign', async t => {
  const [get, wait, multi] = ['GET', 'WAIT', 'MULTI'].map(name => new Command([name]))
  const part = new Command(['MULTI'], 'utf8', true)
  const all = [get!, wait!, multi!, part]
  t.same(all.map(silences), [false, true, true, false])
  get!.isBlocking = true
  t.equal(silences(get!), true)
})

t.test('what cannot be sent, and why', async t => {
  t.match(refusal('SUBSCRIBE', words('SUBSCRIBE a')), /use subscribe\(\)/)
  t.match(refusal('MONITOR', words('MONITOR')), /nobody has asked for/)
  t.match(refusal('CLIENT', words('CLIENT reply OFF')), /whose/)
  t.equal(refusal('CLIENT', words('CLIENT ID')), '')
  t.equal(refusal('GET', words('GET a')), '')
  t.match(partRefusal('EXEC', ['EXEC']), /exec\(\)/)
  t.match(partRefusal('MONITOR', ['MONITOR']), /nobody/)
  t.equal(refusal('TOSTRING', words('toString')), '')
  t.ok(isSpecial('SELECT') && isSpecial('QUIT') && isSpecial('CLIENT'))
})
