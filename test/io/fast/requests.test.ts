/** What a handle is given with a write, and what it answers, in both forms. */

import { constants } from 'node:os'
import t from 'tap'
import {
  chunksOf,
  isNotConnected,
  nextRequest,
  requestUnderWay,
  statusOf,
  systemError,
} from '../../../src/io/fast/requests.ts'
import { FakeRequest, useRules } from './kit.ts'

t.test('up to Node 24 a request is made ahead, and used up only by a write that waits', async t => {
  useRules(t, 'request')
  const request = nextRequest() as FakeRequest
  t.ok(request instanceof FakeRequest)
  t.equal(requestUnderWay(), undefined)
  t.equal(nextRequest(), request, 'the system took everything: it serves again')
  request.id = 5
  t.equal(requestUnderWay(), request)
  const other = nextRequest() as FakeRequest
  t.not(other, request)
  other.id = 6
  t.equal(requestUnderWay(), other)
  t.equal(requestUnderWay(), undefined, 'there is no other')
})

t.test('since Node 26 there is none', async t => {
  useRules(t, 'none')
  t.equal(nextRequest(), null)
  t.equal(requestUnderWay(), undefined)
})

t.test('what a request will never report', async t => {
  const request = new FakeRequest()
  request.id = 7
  t.equal(statusOf(request), undefined, 'it is under way')
  request.writeStatus = null
  t.equal(statusOf(request), undefined)
  request.writeStatus = 0
  t.equal(statusOf(request), 0, 'it was complete at once')
  const refused = new FakeRequest()
  t.equal(statusOf(refused), -constants.errno.EPIPE, 'it was never under way')
})

t.test('what was corked, as writev takes it', async t => {
  const bytes = new Uint8Array([1])
  t.same(chunksOf(['a', 'latin1', bytes, 'utf8', 'ff', 'hex']), [
    'a',
    'latin1',
    bytes,
    'buffer',
    'ff',
    'hex',
  ])
})

t.test('errors are those that Node makes', async t => {
  const { EPIPE, ENOTCONN } = constants.errno
  const error = systemError(-EPIPE, 'write')
  t.match(error, { message: 'write EPIPE', code: 'EPIPE', errno: -EPIPE, syscall: 'write' })
  t.same([isNotConnected(-ENOTCONN), isNotConnected(-EPIPE)], [true, false])
})
