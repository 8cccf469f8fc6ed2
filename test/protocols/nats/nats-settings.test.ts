/** The settings of a client: which values are valid. */

import t from 'tap'
import { NATS_CHECKS, NATS_DEFAULTS } from '../../../src/protocols/nats/nats-settings.ts'
import { thrown } from '../../kit.ts'

const SEED = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY'
const CREDS = `-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------
-----BEGIN USER NKEY SEED-----\n${SEED}\n------END USER NKEY SEED------`

type Name = keyof typeof NATS_CHECKS

t.test('defaults are valid', async t => {
  for (const [name, value] of Object.entries(NATS_DEFAULTS))
    t.same(NATS_CHECKS[name as Name](name, value), value)
})

t.test('values', async t => {
  // prettier-ignore
  const rows: [Name, unknown[], unknown[]][] = [
    ['user', ['a', undefined], [5, null]],
    ['nkey', [SEED, undefined], ['x', 5]],
    ['creds', [CREDS, undefined], ['x', CREDS.replace(SEED, 'SUX'), 5]],
    ['tls', [{}], ['x', 5]],
    ['tls_first', [true], ['yes']],
    ['inbox_prefix', ['me.in'], ['', 'a.*', '>', 'a b', 5]],
    ['connect_timeout', [1, Infinity], [0, '1']],
    ['ping_max', [1], [0, 1.5]],
    ['queue_size', [0, 5, Infinity], [-1]],
    ['message_size', [1], [0]],
    ['pending_size', [1], [0]],
    ['max_reconnects', [0, Infinity], [-1]],
    ['wait_for_first', [true], [1]],
    ['backoff', [{}, { first: 5, longest: 6, lasting: 7 }, { first: undefined }],
      [5, null, { first: 0 }, { last: 5 }, { longest: '1' }]],
  ]
  for (const [name, valid, invalid] of rows) {
    for (const value of valid) t.same(NATS_CHECKS[name](name, value), value, `${name} ${value}`)
    for (const value of invalid)
      t.equal(
        thrown(() => NATS_CHECKS[name](name, value)),
        'ERR_INVALID_ARGUMENT',
        `${name} ${value}`,
      )
  }
  t.equal(NATS_CHECKS.nkey('nkey', ` ${SEED}\n`), SEED)
})
