import t from 'tap'
import { TlsHandshakeError } from '../../../src/errors.ts'
import { LossRules } from '../../../src/packets/channel/loss-rules.ts'
import { HandshakeError } from '../../../src/protocols/websocket/errors.ts'

const refused = (): Error => Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })

t.test('by default it hopes', async t => {
  const rules = new LossRules()
  t.equal(rules.maxOutage, 60_000)
  const lost = Array.from({ length: 1000 }, () => rules.failed(refused()))
  t.same([...new Set(lost)], [undefined])
  t.equal(rules.failed(undefined), undefined)
  t.match(rules.overdue(undefined), { code: 'ERR_LOST', message: /no connection for 60000 ms$/ })
  t.match(rules.overdue(refused()), { message: /the last error: refused/ })
})

t.test('so many attempts in a row', async t => {
  const rules = new LossRules({ max_attempts: 2 })
  t.equal(rules.failed(refused()), undefined)
  rules.connected()
  t.equal(rules.failed(refused()), undefined)
  t.match(rules.failed(refused()), { code: 'ERR_LOST', message: /2 attempts to connect/ })
})

t.test('a refusal that will not change', async t => {
  for (const status of [401, 403, 404, 410])
    t.match(new LossRules().failed(new HandshakeError('no', status)), {
      code: 'ERR_LOST',
      message: new RegExp(`refuses it \\(${status}\\)`),
    })
  for (const status of [0, 429, 500, 503])
    t.equal(new LossRules().failed(new HandshakeError('no', status)), undefined)
  t.equal(new LossRules({ refusals: [] }).failed(new HandshakeError('no', 404)), undefined)
  t.ok(new LossRules({ refusals: [503] }).failed(new HandshakeError('no', 503)))
})

t.test('a certificate', async t => {
  for (const code of [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ]) {
    const error = new TlsHandshakeError(code, 'not trusted')
    t.match(new LossRules().failed(error), { message: /certificate is not trusted/ })
    t.equal(new LossRules({ certificates: false }).failed(error), undefined)
  }
  t.equal(new LossRules().failed(new TlsHandshakeError('ECONNRESET', 'gone')), undefined)
})

/*
 * `ws://` without an address never connects, and an agent with that URL tried for a minute; with
 * `max_outage: Infinity` for ever, and its `opened` never settled.
 */
t.test('a URL that cannot be connected to', async t => {
  for (const code of ['ERR_INVALID_URL', 'ERR_INVALID_ADDRESS', 'ERR_INVALID_ARGUMENT'])
    t.match(new LossRules().failed(Object.assign(new Error('no address'), { code })), {
      code: 'ERR_LOST',
      message: /its URL cannot be connected to; the last error: no address$/,
    })
})

t.test('invalid options', async t => {
  for (const options of [
    { max_attempts: 0 },
    { max_attempts: 1.5 },
    { max_outage: 0 },
    { max_outage: '1' },
    { refusals: 404 },
    { refusals: ['404'] },
    { certificates: 1 },
    { attempts: 1 },
  ])
    t.throws(() => new LossRules(options as never), { code: 'ERR_INVALID_ARGUMENT' })
})
