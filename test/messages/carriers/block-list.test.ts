import t from 'tap'
import { parseBlockList } from '../../../src/messages/carriers/block-list.ts'

t.test('hosts and networks', async t => {
  const list = parseBlockList(['10.0.0.0/8', '192.168.1.5', 'fd00::/8', '::1', '1:2:3:4:5:6:7:8'])!
  t.strictSame(
    [
      '10.1.2.3',
      '11.0.0.0',
      '192.168.1.5',
      '192.168.1.6',
      'fd12::5',
      'fe80::1',
      '::1',
      '::2',
      'x',
    ].map(host => list.check(host)),
    [true, false, true, false, true, false, true, false, false],
  )
  t.equal(list.check('1:2:3:4:5:6:7:8'), true)
  t.equal(parseBlockList(['0.0.0.0/0'])!.check('::1'), false, 'of another family')
})

t.test('what is none', async t => {
  for (const text of [
    '',
    'host',
    '1.2.3',
    '1.2.3.256',
    '1.2.3.4/33',
    '1.2.3.4/x',
    '1.2.3.4/8/8',
    '1::2::3',
    '1:2',
    'g::1',
    '1:2:3:4:5:6:7::8',
    '::12345',
  ])
    t.equal(parseBlockList([text]), undefined, text)
})
