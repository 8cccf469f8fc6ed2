import t from 'tap'
import {
  checkDeflate,
  deflateRules,
} from '../../../../src/protocols/websocket/deflate/deflate-options.ts'
import { thrown } from '../../../kit.ts'

t.test('what may be said about compression', async t => {
  const options = {
    threshold: 0,
    level: 9,
    memory_level: 1,
    server_no_context_takeover: true,
    client_no_context_takeover: true,
    server_max_window_bits: 9,
    client_max_window_bits: 15,
  }
  for (const value of [true, false, {}, options, { level: undefined }] as const)
    t.equal(checkDeflate('deflate', value), value)
  t.equal(deflateRules(false), undefined)
  t.same(deflateRules(options), options)
  t.match(deflateRules(true), { threshold: 1024, level: 6, server_max_window_bits: 15 })
  t.match(deflateRules({ level: 1, threshold: undefined as never }), { threshold: 1024, level: 1 })
})

t.test('and what not', async t => {
  for (const value of [
    null,
    'yes',
    5,
    { levle: 5 },
    { level: 10 },
    { level: 0 },
    { threshold: -1 },
    { memory_level: 1.5 },
    { server_no_context_takeover: 1 },
    { server_max_window_bits: 8 },
    { client_max_window_bits: 16 },
  ])
    t.equal(
      thrown(() => checkDeflate('deflate', value)),
      'ERR_INVALID_ARGUMENT',
    )
})
