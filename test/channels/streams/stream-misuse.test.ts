/** What a program must not do with a Stream: what is thrown, and what is allowed. */

import { Socket } from 'node:net'
import t from 'tap'
import {
  checkMayConnect,
  checkMayStartTls,
  checkSocket,
  notConnected,
  protocolOnly,
} from '../../../src/channels/streams/stream-misuse.ts'
import type { State } from '../../../src/types.ts'
import { thrown } from '../../kit.ts'

const STATES: readonly State[] = ['closed', 'opening', 'active', 'closing', 'error']

t.test('only a closed stream that nobody accepted connects', async t => {
  const outcomes = (isAccepted: boolean): string[] =>
    STATES.map(state => thrown(() => checkMayConnect(state, isAccepted)))
  const refused = 'ERR_INVALID_STATE'
  t.same(outcomes(false), ['nothing', refused, refused, refused, refused])
  t.same(outcomes(true), [refused, refused, refused, refused, refused])
  t.throws(() => checkMayConnect('closing', false), {
    message: /is closing; await its `closed` first$/,
  })
  t.throws(() => checkMayConnect('active', false), { message: /is active; close\(\) it first$/ })
  t.throws(() => checkMayConnect('closed', true), { message: /accepted by a server/ })
})

t.test('only a connection that is free is taken over', async t => {
  const socket = { set_no_delay() {} } as never
  checkSocket(socket, false, 'Echo')
  t.throws(() => checkSocket(socket, true, 'Echo'), {
    code: 'ERR_INVALID_STATE',
    message: /new Echo.*taken over already/,
  })
  for (const value of [undefined, null, 5, {}])
    t.equal(
      thrown(() => checkSocket(value as never, false, 'Echo')),
      'ERR_INVALID_ARGUMENT',
    )
  // `new Stream({ socket })` with a socket of Node's was taken, and no hook ever came.
  t.throws(() => checkSocket(new Socket() as never, false, 'Echo'), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /^socket must be a connection that on_accept got, not .*; got an object \(Socket\)$/,
  })
})

t.test('TLS starts while a stream is open, or before it is', async t => {
  const outcomes = (isAccepted: boolean): string[] =>
    STATES.map(state => thrown(() => checkMayStartTls(state, isAccepted)))
  const refused = 'ERR_INVALID_STATE'
  t.same(outcomes(false), ['nothing', 'nothing', 'nothing', refused, refused])
  t.same(outcomes(true), [refused, 'nothing', 'nothing', refused, refused])
})

t.test('to go around a protocol', async t => {
  t.match(protocolOnly('read()'), { code: 'ERR_INVALID_STATE', message: /read\(\).*hooks/ })
})

t.test('a write before it is connected', async t => {
  t.match(notConnected('write()'), {
    code: 'ERR_INVALID_STATE',
    message: /write\(\).*not connected; connect\(\) it first/,
  })
})
