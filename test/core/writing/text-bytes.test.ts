/** Text as bytes: as Node has it, but nothing of it is lost in silence. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import {
  bytesAfter,
  canJoin,
  endsInHalf,
  holdsAscii,
  mostPerUnit,
  textBytes,
} from '../../../src/core/writing/text-bytes.ts'
import { pick, rounds, seeded } from '../oracle.ts'

t.test('every text in a text encoding', async t => {
  for (const encoding of ['utf8', 'latin1', 'ascii', 'utf16le'] as const)
    t.same(textBytes('x', 'é\n=', encoding), Buffer.from('é\n=', encoding), encoding)
})

t.test('hex and base64: what Node writes is read as it was', async t => {
  const random = seeded(1)
  for (let size = 0; size < 50; size++) {
    const bytes = Buffer.from(Array.from({ length: size }, () => random(256)))
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      t.same(textBytes('x', bytes.toString(encoding), encoding), bytes)
    t.same(textBytes('x', bytes.toString('hex').toUpperCase(), 'hex'), bytes)
    t.same(textBytes('x', bytes.toString('base64').replaceAll('=', ''), 'base64'), bytes)
    t.same(textBytes('x', bytes.toString('base64'), 'base64url'), bytes)
  }
})

// `write(line + '\n')` with the encoding hex or base64 lost the line end in silence.
t.test('REGRESSION: what Node would leave out or cut off is refused', async t => {
  const rows = [
    ['hex', ['\n', '0a\n', '0', '0x0a', 'gg', ' 0a', '0a 0b', '0a0']],
    ['base64', ['AA==\n', 'A', 'AA=', 'AA=A', 'AAA==', '=', 'AAAA====', 'é', 'A A=', 'AA*=']],
    ['base64url', ['\n', 'AAAAA', '==']],
  ] as const
  for (const [encoding, texts] of rows) {
    for (const text of texts)
      t.throws(
        () => textBytes('write: data', text, encoding),
        {
          code: 'ERR_INVALID_ARGUMENT',
          message: `write: data must be text in ${encoding} (the channel's encoding) or bytes`,
        },
        JSON.stringify(text),
      )
  }
})

t.test('PROPERTY: what is accepted is what Node makes of it, to the last character', async t => {
  const random = seeded(2)
  let accepted = 0
  for (let n = 0; n < rounds(4000); n++) {
    const encoding = pick(random, ['hex', 'base64', 'base64url'] as const)
    const text = Array.from({ length: random(9) }, () =>
      pick(random, ['a', 'F', '0', '9', '-', '_', '+', '/', '=', '\n', 'z']),
    ).join('')
    try {
      const bytes = textBytes('x', text, encoding)
      accepted++
      const size = encoding === 'hex' ? text.length / 2 : (text.replace(/=/g, '').length * 6) >> 3
      if (bytes.length !== size) t.fail(`${encoding} ${JSON.stringify(text)}`)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_INVALID_ARGUMENT') t.fail(String(error))
    }
  }
  t.ok(accepted > 400, `${accepted} accepted`)
})

t.test('the bytes that are added to a text, in every encoding', async t => {
  for (const encoding of ['utf8', 'latin1', 'ascii', 'utf16le'] as const) {
    for (const text of ['', 'a', 'é', '\ud83d', 'a\ud83d'])
      for (const more of ['', 'b', 'é', '\ude00', '\ude00c', '\ud83d']) {
        const whole = Buffer.byteLength(text + more, encoding)
        t.equal(
          bytesAfter(text, more, encoding),
          whole - Buffer.byteLength(text, encoding),
          JSON.stringify([text, more, encoding]),
        )
        t.ok(whole <= (text + more).length * mostPerUnit(encoding))
      }
    t.ok(canJoin(encoding))
    t.equal(holdsAscii(encoding), Buffer.byteLength('abc', encoding) === 3, encoding)
  }
  t.same([endsInHalf(''), endsInHalf('a\ud83d'), endsInHalf('\ude00')], [false, true, false])
  t.notOk(canJoin('hex') || canJoin('base64') || canJoin('base64url'))
})
