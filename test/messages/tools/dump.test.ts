import t from 'tap'
import { Control, Message } from '../../../src/messages/message.ts'
import { formatMessage } from '../../../src/messages/tools/dump.ts'

t.test('one line', async t => {
  t.equal(
    formatMessage('recv', new Message({ msgid: 10, seq: 5n, data: 'abc', addr: 3 }), 'frame'),
    'recv: data, msgid 10, seq 5, addr 3, 3 bytes',
  )
  t.equal(
    formatMessage(
      'post',
      new Message({ type: 'control', msgid: Control.WriteFull, addr: ['::1', 5] }),
      'yes',
    ),
    'post: control, WriteFull, addr [::1]:5, 0 bytes',
  )
  t.equal(
    formatMessage('x', new Message({ type: 'state', msgid: 2 }), 'text'),
    'x: state, active, 0 bytes',
  )
  t.equal(
    formatMessage('x', new Message({ type: 'control', msgid: 99 }), 'text'),
    'x: control, msgid 99, 0 bytes',
  )
})

t.test('its peer', async t => {
  const message = new Message({ data: 'a', addr: 5 })
  t.equal(
    formatMessage('recv', message, 'frame', '1.2.3.4:5'),
    'recv: data, msgid 0, addr 5 (1.2.3.4:5), 1 bytes',
  )
})

t.test('with its data', async t => {
  const message = new Message({ data: 'grün\nab\x1b[2J' })
  t.equal(
    formatMessage('recv', message, 'text'),
    'recv: data, msgid 0, 12 bytes\n  grün\n  ab.[2J',
    'nothing that a terminal would obey',
  )
  t.equal(
    formatMessage('recv', message, 'yes'),
    'recv: data, msgid 0, 12 bytes\n' +
      '  0000  67 72 c3 bc 6e 0a 61 62 1b 5b 32 4a              gr..n.ab.[2J',
  )
  t.equal(
    formatMessage('recv', new Message({ data: 'x'.repeat(17) }), 'text+hex').split('\n')[2],
    `  0010  78${' '.repeat(46)} x`,
  )
  t.match(
    formatMessage('recv', new Message({ data: 'x'.repeat(1030) }), 'text'),
    /x\n {2}… and 6 bytes more$/,
  )
})

t.test('anything else is refused', async t => {
  const of = formatMessage as (...args: unknown[]) => string
  const message = new Message()
  for (const args of [
    [5],
    ['x', {}],
    ['x', message],
    ['x', message, 'all'],
    ['x', message, 'yes', 5],
  ])
    t.throws(() => of(...args), { code: 'ERR_INVALID_ARGUMENT' })
})
