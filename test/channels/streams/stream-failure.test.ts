/** Which hook is told of which failure, by how far the stream has come. */

import t from 'tap'
import { LIFE } from '../../../src/channels/life.ts'
import { failStream } from '../../../src/channels/streams/stream-failure.ts'
import { Bare } from '../bare.ts'

const HOOKS = [
  'on_connect_error',
  'on_read_error',
  'on_write_error',
  'on_tls_handshake_error',
  'on_tls_error',
]

/** The hook that is called, and with which error. */
function told(state: 'opening' | 'active', ending: string, code: string, syscall: string): string {
  const channel = new Bare()
  if (state === 'opening') channel.begin()
  else channel.open()
  const hooks: string[] = []
  for (const hook of HOOKS)
    Object.assign(channel, {
      [hook]: (error: { name: string; code: string; cause: unknown }) =>
        hooks.push(`${hook} ${error.name} ${error.code} ${error.cause === failure}`),
    })
  const failure = Object.assign(new Error('it failed'), { ...(code && { code }), syscall })
  failStream(channel[LIFE], failure, ending)
  channel.finish()
  return hooks.join(', ')
}

t.test('the hook, the error and its code', async t => {
  const cases: [state: 'opening' | 'active', ending: string, failure: string, told: string][] = [
    ['opening', 'no', 'ECONNREFUSED connect', 'on_connect_error ConnectError ECONNREFUSED true'],
    ['opening', 'no', ' connect', 'on_connect_error ConnectError ERR_UNKNOWN true'],
    ['active', 'no', 'ECONNRESET read', 'on_read_error ReadError ECONNRESET true'],
    ['active', 'no', 'EPIPE write', 'on_write_error WriteError EPIPE true'],
    ['active', 'no', 'ENOTCONN shutdown', 'on_write_error WriteError ENOTCONN true'],
    ['active', 'sending', 'ECONNRESET read', 'on_write_error WriteError ECONNRESET true'],
    [
      'active',
      'connecting',
      'ECONNREFUSED connect',
      'on_connect_error ConnectError ECONNREFUSED true',
    ],
    ['active', 'sent', 'ECONNRESET read', ''],
    ['opening', 'no', 'ERR_X handshake', 'on_tls_handshake_error TlsHandshakeError ERR_X true'],
    ['active', 'sent', 'ERR_X tls', 'on_tls_error TlsError ERR_X true'],
  ]
  for (const [state, ending, failure, expected] of cases) {
    const [code, syscall] = failure.split(' ') as [string, string]
    t.equal(told(state, ending, code, syscall), expected, `${state}, ${ending}: ${failure}`)
  }
})
