/** How the errors of buffers are worded. */

import t from 'tap'
import { engineOverflow, receiveOverflow, sendOverflow } from '../../src/channels/overflow.ts'

t.test('the buffer, its limit, and what was too much', async t => {
  t.match(receiveOverflow(5, undefined, 'a read'), {
    buffer: 'receive',
    limit: 5,
    message: 'a read has more than 5 bytes (buffer_size) without reaching its read_delimiter',
  })
  t.match(
    receiveOverflow(5, undefined, 'it', '; it is dropped').message,
    /read_delimiter; it is dropped$/,
  )
  t.match(receiveOverflow(5, 9, 'a read'), {
    limit: 5,
    message:
      'a read has at least 9 bytes, as its read_delimiter says; ' +
      'at most 5 are allowed (buffer_size)',
  })
  t.match(sendOverflow(6, '7 bytes'), {
    buffer: 'send',
    limit: 6,
    message: '7 bytes wait to be sent, more than send_buffer_size (6); the write was dropped',
  })
  t.match(engineOverflow(8, 9), {
    buffer: 'engine',
    limit: 8,
    message:
      'the channels of the engine hold more than 8 bytes (buffer_limit), and this one most: 9',
  })
})
