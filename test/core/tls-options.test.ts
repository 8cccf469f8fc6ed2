/** The options of TLS: which names and values are refused where they are given. */

import t from 'tap'
import { checkTls, checkTlsOptions } from '../../src/core/tls-options.ts'

const check = (options: object): unknown => checkTlsOptions('tls', options)

t.test('null and undefined are none for a setting', async t => {
  const options = { ca: 'x', session: null, port: undefined }
  t.equal(checkTls('tls', options), options)
  for (const ALPNProtocols of [[], ['h2', Buffer.from('a')], Buffer.from('\x02h2\x01a'), null])
    check({ ALPNProtocols })
  for (const none of [null, undefined]) t.equal(checkTls('tls', none), undefined)
  for (const value of ['cert', 5, true, [], new Map()])
    t.throws(() => checkTls('tls', value), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^tls must be an object of Node/,
    })
})

// Node ignores what it does not know, so that no client was asked for its certificate, and it
// judges the type of some when a client connects. What it threw there ended the process.
t.test('names that Node does not know, names that are ours, values of a wrong type', async t => {
  for (const [name, value, said] of [
    ['requestCerts', true, 'tls: there is no option "requestCerts"; did you mean requestCert?'],
    [
      'rejectUnathorized',
      false,
      'tls: there is no option "rejectUnathorized"; did you mean rejectUnauthorized?',
    ],
    ['serverName', 'a', 'tls: there is no option "serverName"; did you mean servername?'],
    ['Key', 'x', 'tls: there is no option "Key"; did you mean key?'],
    ['alpn_protocols', [], 'tls: there is no option "alpn_protocols"; did you mean ALPNProtocols?'],
    ['agent', 1, /^tls: there is no option "agent"; there are: ALPNCallback, /],
    [
      'handshakeTimeout',
      5,
      'tls: handshakeTimeout must be left out: that is what handshake_timeout is for; got 5',
    ],
    ['noDelay', true, 'tls: noDelay must be left out: that is what no_delay is for; got true'],
    ...['h2', [5], [''], ['a'.repeat(256)], Buffer.from('\x02a'), Buffer.from('\0')].map(
      value =>
        [
          'ALPNProtocols',
          value,
          /^tls: ALPNProtocols must be an array of names, each of 1 to 255 bytes; got /,
        ] as const,
    ),
    ['checkServerIdentity', true, 'tls: checkServerIdentity must be a function; got true'],
    ['enableTrace', 1, 'tls: enableTrace must be a boolean; got 1'],
    ['highWaterMark', '5', 'tls: highWaterMark must be a number; got "5"'],
    ['minDHSize', '5', 'tls: minDHSize must be a number; got "5"'],
    ['pskCallback', {}, 'tls: pskCallback must be a function; got an object (Object)'],
    [
      'secureContext',
      'x',
      'tls: secureContext must be what tls.createSecureContext returns; got "x"',
    ],
    ['servername', 5, 'tls: servername must be a string; got 5'],
    ['session', 'x', 'tls: session must be a Buffer; got "x"'],
  ] as const)
    t.throws(() => check({ ca: 'x', [name]: value }), {
      code: 'ERR_INVALID_ARGUMENT',
      message: said,
    })
})
