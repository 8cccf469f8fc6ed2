/** The suite for channels: a good one passes, and what cannot be tried is skipped. */

import t from 'tap'
import {
  check_packet_channel,
  type ConformanceError,
} from '../../../src/packets/channel/conformance.ts'
import { check, engine, world } from './conformance-kit.ts'

t.test('a good channel', async t => {
  const { passed, failed, skipped } = await check(world().fixture())
  t.strictSame([passed.length, failed, skipped], [12, [], []])
})

t.test('what the fixture cannot do is skipped, and said', async t => {
  const { make } = world().fixture()
  const { passed, skipped } = await check({ make, engine })
  t.equal(passed.length, 7)
  t.match(skipped, [
    { why: 'there is no received' },
    { why: 'there is no push' },
    { why: 'there is no drop, restore' },
    { why: 'there is no push' },
    { why: 'there is no make_hopeless' },
  ])
})

t.test('a channel that breaks every promise', async t => {
  const close = (): never => {
    throw new Error('no')
  }
  const fixture = { ...world().fixture(), make: () => ({ close }) as never }
  const error: Partial<ConformanceError> = await check(fixture).then(
    () => ({}),
    error => error,
  )
  t.match(error, { name: 'ConformanceError', code: 'ERR_CONFORMANCE', message: /: make\(\) must/ })
  const { passed = [], failed = [] } = error.report ?? {}
  t.strictSame([passed.length, failed.length], [1, 11])
})

t.test('an invalid fixture', async t => {
  await t.rejects(check_packet_channel({} as never), { code: 'ERR_INVALID_ARGUMENT' })
  await t.rejects(check_packet_channel({ mkae: 5 } as never), { message: /did you mean make\?/ })
})
