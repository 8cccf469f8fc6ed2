/** What both ends agree on, for the offers that real clients make. */

import t from 'tap'
import {
  deflateRules,
  type DeflateOptions,
  type DeflateRules,
} from '../../../../src/protocols/websocket/deflate/deflate-options.ts'
import { answerTo, offerOf, readAnswer } from '../../../../src/protocols/websocket/deflate/terms.ts'

const rules = (options: DeflateOptions = {}): DeflateRules => deflateRules(options) as DeflateRules

t.test('what a client offers', async t => {
  t.equal(offerOf(rules()), 'permessage-deflate; client_max_window_bits')
  t.equal(
    offerOf(
      rules({
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: 10,
        client_max_window_bits: 11,
      }),
    ),
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover; ' +
      'server_max_window_bits=10; client_max_window_bits=11',
  )
})

t.test('what a server answers to the offers of real clients', async t => {
  const own = { server_no_context_takeover: true, server_max_window_bits: 12 }
  const bound = { client_no_context_takeover: true, client_max_window_bits: 10 }
  const rows: [string, DeflateOptions, string | undefined][] = [
    ['permessage-deflate', {}, ''],
    ['permessage-deflate; client_max_window_bits', {}, ''],
    ['permessage-deflate; client_max_window_bits=15', {}, ''],
    ['permessage-deflate; client_max_window_bits=8', {}, '; client_max_window_bits=8'],
    ['permessage-deflate; server_max_window_bits=8', {}, '; server_max_window_bits=8'],
    ['permessage-deflate; server_max_window_bits="10"', {}, '; server_max_window_bits=10'],
    ['permessage-deflate; server_max_window_bits=15', {}, ''],
    ['permessage-deflate; server_no_context_takeover', {}, '; server_no_context_takeover'],
    ['permessage-deflate; client_no_context_takeover', {}, '; client_no_context_takeover'],
    ['permessage-deflate', own, '; server_no_context_takeover; server_max_window_bits=12'],
    ['permessage-deflate', bound, '; client_no_context_takeover'],
    [
      'permessage-deflate; client_max_window_bits',
      bound,
      '; client_no_context_takeover; client_max_window_bits=10',
    ],
    ['permessage-deflate; server_max_window_bits=7, permessage-deflate', {}, ''],
    ['x-webkit-deflate-frame, permessage-deflate', {}, ''],
    ['x-webkit-deflate-frame', {}, undefined],
    ['permessage-deflate; unknown', {}, undefined],
    ['permessage-deflate; server_max_window_bits', {}, undefined],
    ['permessage-deflate; server_max_window_bits=16', {}, undefined],
    ['permessage-deflate; server_max_window_bits=09', {}, undefined],
    ['permessage-deflate; client_no_context_takeover=1', {}, undefined],
    ['', {}, undefined],
    ['permessage-deflate;', {}, undefined],
  ]
  for (const [offer, options, answer] of rows)
    t.equal(
      answerTo(offer, rules(options))?.text,
      answer === undefined ? undefined : `permessage-deflate${answer}`,
      `${offer} ${JSON.stringify(options)}`,
    )
  t.same(answerTo('permessage-deflate; client_max_window_bits=9', rules(own))?.terms, {
    server: { forgets: true, bits: 12 },
    client: { forgets: false, bits: 9 },
  })
  t.same(answerTo('permessage-deflate', rules(bound))?.terms.client, { forgets: true, bits: 15 })
})

t.test('what a client understands', async t => {
  t.same(readAnswer('permessage-deflate', rules()), {
    server: { forgets: false, bits: 15 },
    client: { forgets: false, bits: 15 },
  })
  t.same(
    readAnswer(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; ' +
        'server_max_window_bits=9; client_max_window_bits=8',
      rules(),
    ),
    { server: { forgets: true, bits: 9 }, client: { forgets: true, bits: 8 } },
  )
  t.match(readAnswer('permessage-deflate', rules({ client_no_context_takeover: true })), {
    client: { forgets: true },
  })
  const rows: [string, DeflateOptions?][] = [
    ['x'],
    [''],
    ['permessage-deflate, permessage-deflate'],
    ['permessage-deflate; client_max_window_bits'],
    ['permessage-deflate; server_max_window_bits=16'],
    ['permessage-deflate; x'],
    ['permessage-deflate; server_max_window_bits=12', { server_max_window_bits: 10 }],
    ['permessage-deflate', { server_max_window_bits: 10 }],
    ['permessage-deflate', { server_no_context_takeover: true }],
  ]
  for (const [answer, options] of rows)
    t.equal(readAnswer(answer, rules(options)), undefined, answer)
})
