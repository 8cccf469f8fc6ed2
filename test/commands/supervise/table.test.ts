import t from 'tap'
import { type Row, Table } from '../../../src/commands/supervise/table.ts'

const ROWS: Row[] = [
  { name: 'router', state: '2 there', queued: 1, sent: 0, received: 1234, lost: 0, retries: 0 },
  { name: 'agents', state: '1 of 1 alive', queued: 0, sent: 9, received: 9, lost: 1, retries: 2 },
]

t.test('a table on a terminal, drawn again in its place', async t => {
  let out = ''
  const table = new Table({ write: text => (out += text) }, true)
  table.clear()
  table.draw(ROWS)
  t.equal(
    out,
    [
      '        state         queued  sent  received  lost  retries',
      'router  2 there            1     0      1234     0        0',
      'agents  1 of 1 alive       0     9         9     1        2',
      '',
    ].join('\n'),
  )
  out = ''
  table.draw(ROWS.slice(1))
  t.ok(out.startsWith('\x1b[3A\r\x1b[J '), 'three lines up, and cleared')
  out = ''
  table.clear()
  t.equal(out, '\x1b[2A\r\x1b[J')
  table.draw(ROWS)
  t.notOk(out.slice(8).startsWith('\x1b'))
})

// On a terminal of 40 columns each line was wrapped, and each table was drawn into the last one.
t.test('a terminal that is narrow, or becomes so', async t => {
  let out = ''
  const screen = { columns: 61, write: (text: string) => (out += text) }
  const table = new Table(screen, true)
  table.draw(ROWS)
  screen.columns = 40
  out = ''
  table.draw(ROWS)
  t.equal(
    out,
    [
      '\x1b[6A\r\x1b[Jrouter: 2 there, queued 1, sent 0,',
      '  received 1234, lost 0, retries 0',
      'agents: 1 of 1 alive, queued 0, sent 9,',
      '  received 9, lost 1, retries 2',
      '',
    ].join('\n'),
  )
  out = ''
  screen.columns = 0
  table.draw(ROWS)
  t.match(out, /^\x1b\[4A\r\x1b\[J +state/, 'a width that is not known')
})

t.test('lines elsewhere', async t => {
  let out = ''
  const table = new Table({ write: text => (out += text) }, false)
  table.draw(ROWS)
  table.clear()
  t.equal(
    out,
    'router: 2 there, queued 1, sent 0, received 1234, lost 0, retries 0\n' +
      'agents: 1 of 1 alive, queued 0, sent 9, received 9, lost 1, retries 2\n',
  )
})
