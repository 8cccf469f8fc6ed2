import t from 'tap'
import { changeRule, ruleOf } from '../../../src/protocols/websocket/rules.ts'

t.test('the rules of a server', async t => {
  const server = {}
  t.equal(ruleOf(server), undefined)
  changeRule(server, 'path', '/a')
  changeRule(server, 'message_size', 5)
  changeRule(server, 'pong_timeout', 6)
  changeRule(server, 'message_size', undefined)
  t.same(ruleOf(server), { path: '/a', values: { pong_timeout: 6 } })
})
