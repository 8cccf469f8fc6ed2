/**
 * What every relay promises (src/relay/relay.ts), as a function that any relay can be handed. It
 * gets two relays to one server, as two processes have them; they may be one object.
 */

import type { Test } from 'tap'
import type { Relay } from '../../src/relay/relay.ts'
import { fate, until } from '../kit.ts'

/** What is tested. */
export interface Relays {
  readonly a: Relay
  readonly b: Relay
}

/** A topic with everything in it that could be taken for something else. */
const HARD = 'a b.*>é\r\n"[x]?:{1}'

interface Heard {
  readonly texts: string[]
  readonly seqs: (number | undefined)[]
  readonly listener: (bytes: Buffer, seq: number | undefined) => void
}

function hear(): Heard {
  const texts: string[] = []
  const seqs: (number | undefined)[] = []
  return {
    texts,
    seqs,
    listener: (bytes, seq) => {
      texts.push(bytes.toString())
      seqs.push(seq)
    },
  }
}

/** Logs who is present after each change. */
function see(): {
  seen: string[]
  listener: (came: readonly string[], went: readonly string[]) => void
} {
  const members = new Set<string>()
  const seen: string[] = []
  return {
    seen,
    listener: (came, went) => {
      for (const each of came) {
        if (members.has(each)) seen.push(`${each} came twice`)
        members.add(each)
      }
      for (const each of went) if (!members.delete(each)) seen.push(`${each} went unseen`)
      seen.push([...members].sort().join())
    },
  }
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`)
}

/** `make` gives relays that are open; the suite closes them. A history holds 20 entries. */
export async function conformance(
  t: Test,
  name: string,
  make: (t: Test) => Promise<Relays> | Relays,
): Promise<void> {
  const rule = async (title: string, body: (t: Test, relays: Relays) => Promise<void>) =>
    t.test(`${name}: ${title}`, async t => {
      const relays = await make(t)
      await relays.a.opened
      await relays.b.opened
      await body(t, relays)
      await relays.a.close()
      await relays.b.close()
    })

  await rule(
    'who is subscribed hears it, in order and once, the sender too',
    async (t, { a, b }) => {
      const [one, two, other] = [hear(), hear(), hear()]
      await a.subscribe('x', one.listener)
      await b.subscribe('x', two.listener)
      await b.subscribe('x', two.listener)
      await b.subscribe('y', other.listener)
      t.equal(a.publish('x', 'first'), true)
      t.strictSame(one.texts, [], 'not inside the call')
      for (const text of numbered('', 100)) a.publish('x', Buffer.from(text))
      b.publish('y', 'last é')
      await until(() => one.texts.length > 100 && two.texts.length > 100 && other.texts.length > 0)
      for (const { texts } of [one, two]) t.strictSame(texts, ['first', ...numbered('', 100)])
      t.strictSame(other.texts, ['last é'])
      t.ok(two.seqs.every(seq => seq === undefined))
    },
  )

  await rule('the bytes are those of the moment of the call', async (t, { a, b }) => {
    const heard = hear()
    await b.subscribe('x', heard.listener)
    const bytes = new Uint8Array([97, 98])
    a.publish('x', bytes)
    const appended = a.append('x', bytes.subarray(1))
    bytes.fill(0)
    a.publish('x', new Uint8Array(0))
    await appended
    await until(() => heard.texts.length === 3)
    t.strictSame([...heard.texts].sort(), ['', 'ab', 'b'])
  })

  await rule('what was appended has seqs by one, whoever appends', async (t, { a, b }) => {
    const [one, two] = [hear(), hear()]
    await a.subscribe('x', one.listener)
    await b.subscribe('x', two.listener)
    const seqs = await Promise.all(
      numbered('', 10).flatMap(text => [a.append('x', `a${text}`), b.append('x', `b${text}`)]),
    )
    const sorted = [...seqs].sort((x, y) => x - y)
    t.ok(sorted[0]! > 1e15, 'the first is high')
    t.ok(
      sorted.every((seq, index) => seq === sorted[0]! + index),
      sorted.join(),
    )
    await until(() => one.texts.length === 20 && two.texts.length === 20)
    for (const { texts, seqs: heard } of [one, two]) {
      t.strictSame(heard, sorted, 'in the order of seq')
      for (const who of ['a', 'b'])
        t.strictSame(
          texts.filter(text => text.startsWith(who)),
          numbered(who, 10),
        )
    }
    t.strictSame(one.texts, two.texts)
    const { entries, first, last } = await b.read_after('x', 0)
    t.strictSame([first, last], [sorted[0], sorted.at(-1)])
    t.strictSame(
      entries.map(({ seq, bytes }) => [seq, bytes.toString()]),
      one.texts.map((text, index) => [sorted[index], text]),
    )
  })

  await rule('a part of the history; what is trimmed', async (t, { a, b }) => {
    t.strictSame(await a.read_after('x', 0), { entries: [], first: 1, last: 0 }, 'nothing yet')
    const seqs: number[] = []
    for (const text of numbered('', 50)) seqs.push(await a.append('x', text))
    const start = seqs[0]!
    const texts = async (seq: number, limit?: number): Promise<string[]> =>
      (await b.read_after('x', seq, limit)).entries.map(({ bytes }) => bytes.toString())
    t.strictSame(await texts(start + 47), ['48', '49'])
    t.strictSame(await texts(start + 40, 3), ['41', '42', '43'])
    t.strictSame(await texts(start + 49), [], 'seen all of it')
    t.strictSame(await texts(start + 1000), [])
    const { entries, first, last } = await b.read_after('x', start)
    t.equal(last, start + 49)
    t.ok(first > start + 1 && first <= start + 30, `20 at least are held: ${first - start}`)
    t.strictSame(
      entries.map(({ seq }) => seq),
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    )
    t.strictSame((await b.read_after('y', 0)).entries, [], 'another topic')
  })

  await rule('topics are any text', async (t, { a, b }) => {
    const [hard, star] = [hear(), hear()]
    await b.subscribe(HARD, hard.listener)
    await b.subscribe('*', star.listener)
    await b.subscribe('>', star.listener)
    await a.append(HARD, 'appended')
    a.publish(HARD, 'published')
    a.publish('*', 'star')
    await until(() => hard.texts.length === 2 && star.texts.length > 0)
    t.strictSame([...hard.texts].sort(), ['appended', 'published'])
    t.strictSame(star.texts, ['star'], 'a name, not a pattern')
    t.equal((await a.read_after(HARD, 0)).entries.length, 1)
    const { seen, listener } = see()
    await b.watch(HARD, listener)
    await a.present(HARD, HARD)
    await until(() => seen.length === 2)
    t.strictSame(seen, ['', HARD])
  })

  await rule('after unsubscribe nothing comes', async (t, { a, b }) => {
    const [gone, stays] = [hear(), hear()]
    await b.subscribe('x', gone.listener)
    await b.subscribe('x', stays.listener)
    a.publish('x', '1')
    await until(() => gone.texts.length === 1 && stays.texts.length === 1)
    b.unsubscribe('x', gone.listener)
    b.unsubscribe('x', gone.listener)
    b.unsubscribe('never', gone.listener)
    a.publish('x', '2')
    await until(() => stays.texts.length === 2)
    b.unsubscribe('x', stays.listener)
    const again = hear()
    await b.subscribe('x', again.listener)
    a.publish('x', '3')
    await until(() => again.texts.length > 0)
    t.strictSame([gone.texts, stays.texts, again.texts], [['1'], ['1', '2'], ['3']])
  })

  await rule('who is present', async (t, { a, b }) => {
    const [early, late] = [see(), see()]
    await b.watch('x', early.listener)
    t.strictSame(early.seen, [''], 'the first call, with nobody')
    await a.present('x', 'ann')
    await a.present('x', 'ann')
    await b.present('x', 'bob')
    await until(() => early.seen.at(-1) === 'ann,bob')
    await a.watch('x', late.listener)
    t.strictSame(late.seen, ['ann,bob'], 'the first call has all')
    await a.absent('x', 'ann')
    await a.absent('x', 'ann')
    await until(() => early.seen.at(-1) === 'bob' && late.seen.at(-1) === 'bob')
    b.unwatch('x', early.listener)
    const before = early.seen.length
    await b.absent('x', 'bob')
    await until(() => late.seen.at(-1) === '')
    t.equal(early.seen.length, before, 'it was not called again')
    t.notMatch([...early.seen, ...late.seen].join(), /twice|unseen/)
  })

  await rule('a listener that throws, subscribes or ends itself', async (t, { a, b }) => {
    const [inner, heard] = [hear(), hear()]
    const once = (): void => {
      b.unsubscribe('x', once)
      void b.subscribe('x', inner.listener)
      throw new Error('the listener')
    }
    await b.subscribe('x', once)
    await b.subscribe('x', heard.listener)
    a.publish('x', '1')
    await until(() => heard.texts.length === 1)
    await b.subscribe('x', inner.listener)
    a.publish('x', '2')
    await until(() => heard.texts.length === 2 && inner.texts.includes('2'))
    t.strictSame(heard.texts, ['1', '2'])
  })

  await rule('wrong calls', async (t, { a }) => {
    const wrong = async (call: () => unknown): Promise<string> => {
      try {
        await call()
      } catch (error) {
        return (error as { code: string }).code
      }
      return 'nothing'
    }
    const no = undefined as never
    for (const [title, call] of Object.entries({
      'no topic': () => a.publish(no, 'x'),
      'an empty topic': () => a.append('', 'x'),
      'a long topic': () => a.subscribe('x'.repeat(1025), () => {}),
      'no data': () => a.publish('x', no),
      'a number as data': () => a.append('x', 5 as never),
      'no listener': () => a.subscribe('x', no),
      'an option that does not exist': () => a.subscribe('x', () => {}, { gap: 1 } as never),
      'no seq': () => a.read_after('x', NaN),
      'a limit of 0': () => a.read_after('x', 0, 0),
      'no member': () => a.present('x', no),
      'no watcher': () => a.watch('x', no),
    }))
      t.equal(await wrong(call), 'ERR_INVALID_ARGUMENT', title)
  })

  await rule('after close', async (t, { a }) => {
    const heard = hear()
    const { seen, listener } = see()
    await a.subscribe('x', heard.listener)
    await a.watch('x', listener)
    a.publish('x', 'dropped, or not heard')
    await Promise.all([a.close(), a.close()])
    t.equal(a.publish('x', '1'), false)
    const closed = 'rejected ERR_RELAY_CLOSED'
    for (const call of [
      a.append('x', '1'),
      a.subscribe('x', heard.listener),
      a.read_after('x', 0),
      a.present('x', 'ann'),
      a.absent('x', 'ann'),
      a.watch('x', listener),
    ])
      t.equal(await fate(call), closed)
    a.unsubscribe('x', heard.listener)
    a.unwatch('x', listener)
    t.strictSame([heard.texts, seen], [[], ['']])
  })
}
