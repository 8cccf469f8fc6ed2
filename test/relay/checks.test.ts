import t from 'tap'
import { thrown } from '../kit.ts'
import {
  checkCount,
  checkListener,
  checkMember,
  checkPrefix,
  checkSeq,
  checkTopic,
  toBuffer,
} from '../../src/relay/checks.ts'

t.test('what is refused, by name', async t => {
  const message = (call: () => unknown): string => {
    try {
      call()
    } catch (error) {
      return (error as Error).message
    }
    return 'nothing'
  }
  t.equal(
    message(() => checkTopic('publish', 'x'.repeat(1024))),
    'nothing',
  )
  t.match(
    message(() => checkTopic('publish', '')),
    'publish: topic must be text of 1 to 1024',
  )
  t.match(
    message(() => checkMember('present', 'x', 5)),
    'present: member must be text',
  )
  t.match(
    message(() => checkListener('watch', {})),
    'watch: listener must be a function',
  )
  t.match(
    message(() => checkCount('history', 1.5)),
    'history must be a whole number',
  )
  t.match(
    message(() => checkSeq(-1)),
    'read_after: seq must be',
  )
  t.match(
    message(() => toBuffer('append', null as never)),
    'append: data must be a string or',
  )
  t.equal(checkCount('history', 1), 1)
  t.strictSame(
    [toBuffer('publish', 'é').length, toBuffer('publish', Buffer.from('a')).length],
    [2, 1],
  )
  t.match(
    message(() => checkSeq(1.5)),
    'read_after: seq must be',
  )
  checkSeq(0)
  checkListener('watch', () => {})
})

t.test('prefixes', async t => {
  t.strictSame([checkPrefix('my_app'), checkPrefix()], ['my_app', 'sluice'])
  for (const wrong of ['', 'a.b', '*', 'x'.repeat(65), 5, null])
    t.equal(
      thrown(() => checkPrefix(wrong)),
      'ERR_INVALID_ARGUMENT',
    )
})
