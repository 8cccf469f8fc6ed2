/** Group 6: text, valid and not. After Markus Kuhn's stress test of UTF-8, as the suite has it. */

import { Buffer } from 'node:buffer'
import { type Case, echoed, fragments, frame, step, TEXT } from './case.ts'

/** Bytes in hexadecimal. */
function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

function whole(id: string, text: string | Buffer): Case {
  return { id, steps: [echoed(TEXT, text)] }
}

function wrong(id: string, text: Buffer): Case {
  return { id, steps: [step([frame(TEXT, text)])], closes: 1007 }
}

/** Numbered from 1. */
function list(group: string, make: (id: string, text: Buffer) => Case, ...texts: string[]): Case[] {
  return texts.map((text, i) => make(`${group}.${i + 1}`, hex(text)))
}

/** Each byte is a fragment. */
function bytewise(text: Buffer): Buffer[] {
  return Array.from(text, byte => Buffer.from([byte]))
}

const GREETING = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!')
/** Its second letter is that of the block "Greek Extended", of three bytes. */
const KOSME = hex('ce ba e1 bd b9 cf 83 ce bc ce b5')
const SURROGATE = Buffer.concat([GREETING, hex('ed a0 80'), Buffer.from('edited')])

function fragmented(): Case[] {
  const echo = (id: string, ...pieces: (string | Buffer)[]): Case => {
    const all = Buffer.concat(pieces.map(piece => Buffer.from(piece as string)))
    return { id, steps: [step(fragments(TEXT, ...pieces), [frame(TEXT, all)])] }
  }
  return [
    whole('6.1.1', ''),
    echo('6.1.2', '', '', ''),
    echo('6.1.3', '', 'middle frame payload', ''),
    whole('6.2.1', GREETING),
    echo('6.2.2', GREETING.subarray(0, 12), GREETING.subarray(12)),
    echo('6.2.3', ...bytewise(GREETING)),
    echo('6.2.4', ...bytewise(KOSME)),
    wrong('6.3.1', SURROGATE),
    { id: '6.3.2', steps: [step(fragments(TEXT, ...bytewise(SURROGATE)))], closes: 1007 },
  ]
}

/** It has to be refused although the message has not ended: the last part is never sent. */
function early(): Case[] {
  const parts = (middle: string): Buffer[] => [KOSME, hex(middle), Buffer.from('edited')]
  const inFragments = (id: string, middle: string): Case => {
    const [first, second] = fragments(TEXT, ...parts(middle))
    return { id, steps: [step([first!]), step([second!])], closes: 1007 }
  }
  const inOne = (id: string, middle: string): Case => {
    const text = Buffer.concat(parts(middle))
    // What follows the second byte of the wrong character.
    const kept = text.length - KOSME.length - 2
    return { id, steps: [{ ...step([frame(TEXT, text)]), kept }], closes: 1007 }
  }
  return [
    inFragments('6.4.1', 'f4 90'),
    inFragments('6.4.2', 'f4 90 80 80'),
    inOne('6.4.3', 'f4 90 80 80'),
    inOne('6.4.4', 'f4 90'),
  ]
}

function prefixes(): Case[] {
  return Array.from({ length: KOSME.length }, (_, i) => {
    const text = KOSME.subarray(0, i + 1)
    const isWhole = Buffer.from(text.toString()).equals(text)
    return (isWhole ? whole : wrong)(`6.6.${i + 1}`, text)
  })
}

/** Unicode has 66 characters that are none; they are valid all the same. */
function nonCharacters(): Case[] {
  const planes = Array.from({ length: 17 }, (_, plane) =>
    [0xfffe, 0xffff].map(c => (plane << 16) | c),
  )
  return planes.flat().map((c, i) => whole(`6.22.${i + 1}`, String.fromCodePoint(c)))
}

const LONELY = ['c', 'd', 'e', 'f'].map(first =>
  Array.from({ length: 16 }, (_, i) => `${first}${i.toString(16)} 20`).join(' '),
)

const INCOMPLETE = ['c0', 'e0 80', 'f0 80 80', 'f8 80 80 80', 'fc 80 80 80 80']
const INCOMPLETE_LAST = ['df', 'ef bf', 'f7 bf bf', 'fb bf bf bf', 'fd bf bf bf bf']
const CONTINUATIONS = Array.from({ length: 64 }, (_, i) => (0x80 + i).toString(16)).join(' ')

export const UTF8: readonly Case[] = [
  ...fragmented(),
  ...early(),
  ...list('6.5', whole, 'ce ba e1 bd b9 cf 83 ce bc ce b5', '00', '7f', 'c2 80', 'df bf'),
  ...prefixes(),
  ...list('6.7', whole, '00', 'c2 80', 'e0 a0 80', 'f0 90 80 80'),
  ...list('6.8', wrong, 'f8 88 80 80 80', 'fc 84 80 80 80 80'),
  ...list('6.9', whole, '7f', 'df bf', 'ef bf bf', 'f4 8f bf bf'),
  ...list('6.10', wrong, 'f7 bf bf bf', 'fb bf bf bf bf', 'fd bf bf bf bf bf'),
  ...list('6.11', whole, 'ed 9f bf', 'ee 80 80', 'ef bf bd', 'f4 8f bf bf'),
  wrong('6.11.5', hex('f4 90 80 80')),
  ...list('6.12', wrong, ...[1, 2, 3, 4, 5, 6].map(n => CONTINUATIONS.slice(0, 3 * n))),
  ...[wrong('6.12.7', hex(CONTINUATIONS)), wrong('6.12.8', hex('bf'))],
  ...list('6.13', wrong, ...LONELY, 'f8 20 f9 20 fa 20 fb 20 fc 20 fd 20'),
  ...list('6.14', wrong, ...INCOMPLETE, ...INCOMPLETE_LAST),
  ...list('6.15', wrong, [...INCOMPLETE, ...INCOMPLETE_LAST].join(' ')),
  ...list('6.16', wrong, 'fe', 'ff', 'fe fe ff ff'),
  ...list('6.17', wrong, 'c0 af', 'e0 80 af', 'f0 80 80 af', 'f8 80 80 80 af', 'fc 80 80 80 80 af'),
  ...list('6.18', wrong, 'c1 bf', 'e0 9f bf', 'f0 8f bf bf', 'f8 87 bf bf bf', 'fc 83 bf bf bf bf'),
  ...list('6.19', wrong, 'c0 80', 'e0 80 80', 'f0 80 80 80', 'f8 80 80 80 80', 'fc 80 80 80 80 80'),
  ...list('6.20', wrong, 'ed a0 80', 'ed ad bf', 'ed ae 80', 'ed af bf', 'ed b0 80', 'ed be 80'),
  wrong('6.20.7', hex('ed bf bf')),
  ...list(
    '6.21',
    wrong,
    ...['ed a0 80', 'ed ad bf', 'ed ae 80', 'ed af bf'].flatMap(high => [
      `${high} ed b0 80`,
      `${high} ed bf bf`,
    ]),
  ),
  ...nonCharacters(),
  ...[0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff].map((c, i) =>
    whole(`6.23.${i + 1}`, String.fromCodePoint(c)),
  ),
]
