import t from 'tap'
import type { Envelope } from '../../../src/envelope/envelope.ts'
import type { Message } from '../../../src/envelope/message.ts'
import {
  ADD,
  currentTransaction,
  type Outbound,
  Transaction,
  transactions_from,
} from '../../../src/envelope/outside/transaction.ts'
import { scene, thrown } from '../../kit.ts'
import { outside, Tick, Tock } from './kit.ts'

type Sent = (message: Message, to?: Partial<Outbound>) => Outbound

/** Makes what is to be sent; what was sent is logged as text. */
function made(envelope: Envelope<any>): { outbound: Sent; sent: string[] } {
  const sent: string[] = []
  const outbound: Sent = (message, to = {}) => ({
    envelope,
    message,
    event: envelope.transport!.wrap(envelope, message),
    channel_name: 'a',
    isGroup: false,
    send: ({ text_data, t, p }) => sent.push(text_data ?? JSON.stringify([t, p])) > 0,
    ...to,
  })
  return { outbound, sent }
}

const tick = (x: number, state: string | null = null): Tick => new Tick({ x, mm: { state } })

// The others were lost without a word.
scene(t, 'what cannot be sent does not keep the others', async (t, { engine }) => {
  const { outbound, sent } = made(outside(engine).outgoing)
  const refuse = (): never => {
    throw new Error('too long')
  }
  const transaction = new Transaction()
  transaction[ADD](outbound(tick(1), { send: refuse }))
  transaction[ADD](outbound(new Tock()))
  t.throws(() => transaction.commit(), { message: 'too long' })
  t.strictSame([sent.length, transaction.state], [1, 'committed'])
})

scene(t, 'equal messages are merged, at the place of the first', async (t, { engine }) => {
  const { outbound, sent } = made(outside(engine).outgoing)
  const transaction = new Transaction()
  for (const each of [
    outbound(tick(1)),
    outbound(new Tock()),
    outbound(tick(2), { channel_name: 'b' }),
    outbound(tick(3)),
    outbound(new Tock()),
    outbound(tick(4, 's')),
    outbound(tick(5), { isGroup: true }),
    outbound(tick(6)),
    outbound(new Tock()),
  ])
    transaction[ADD](each)
  t.strictSame([transaction.size, transaction.state, sent], [9, 'open', []])
  transaction.commit()
  t.strictSame(sent, [
    '{"t":"s.batch","p":{"t":"tick","payloads":[{"x":1},{"x":3},{"x":6}]},"i":null,"s":null}',
    '{"t":"tock","p":null,"i":null,"s":null}',
    '{"t":"tick","p":{"x":2},"i":null,"s":null}',
    '{"t":"tock","p":null,"i":null,"s":null}',
    '{"t":"tick","p":{"x":4},"i":null,"s":"s"}',
    '{"t":"tick","p":{"x":5},"i":null,"s":null}',
    '{"t":"tock","p":null,"i":null,"s":null}',
  ])
  t.strictSame([transaction.size, transaction.state], [0, 'committed'])
})

scene(t, 'where it is not allowed, and where a list would be too long', async (t, { engine }) => {
  const { outgoing, inside } = outside(engine)
  const plain = made(inside)
  const few = new Transaction()
  for (const x of [1, 2, 3]) few[ADD](plain.outbound(tick(x)))
  few.commit()
  t.equal(plain.sent.length, 3, 'the envelope does not allow it')
  const { outbound, sent } = made(outgoing)
  const many = new Transaction()
  const one = outbound(tick(1))
  for (let count = 0; count < 10_001; count++) many[ADD]({ ...one })
  many.commit()
  t.strictSame(
    sent.map(text => JSON.parse(text).p.payloads.length),
    [10_000, 1],
  )
})

scene(t, 'a rollback drops it', async (t, { engine }) => {
  const { outbound, sent } = made(outside(engine).outgoing)
  const transaction = new Transaction()
  transaction[ADD](outbound(tick(1)))
  transaction.rollback()
  t.strictSame([sent, transaction.state, transaction.size], [[], 'rolled back', 0])
  for (const call of [
    () => transaction[ADD](outbound(tick(1))),
    () => transaction.commit(),
    () => transaction.rollback(),
  ])
    t.equal(thrown(call), 'ERR_INVALID_STATE')
})

t.test('how it is found', async t => {
  const transaction = new Transaction()
  t.equal(currentTransaction(), undefined)
  transactions_from(() => transaction)
  t.equal(currentTransaction(), transaction)
  // It was a TypeError in the call that sends.
  transactions_from((async () => transaction) as never)
  t.equal(thrown(currentTransaction), 'ERR_INVALID_ARGUMENT')
  transactions_from()
  t.equal(currentTransaction(), undefined)
  t.equal(
    thrown(() => transactions_from(5 as never)),
    'ERR_INVALID_ARGUMENT',
  )
})
