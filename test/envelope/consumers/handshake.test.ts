import t from 'tap'
import { language_of } from '../../../src/envelope/consumers/handshake.ts'

t.test('the language that a peer wants', async t => {
  const of = (headers: Record<string, string>) => language_of({ headers }, ['en', 'sv', 'pt-BR'])
  t.equal(of({}), 'en')
  t.equal(of({ 'accept-language': 'sv-FI, en;q=0.8' }), 'sv')
  t.equal(of({ 'accept-language': 'de, en;q=0.3, pt-br;q=0.5, sv;q=0' }), 'pt-BR')
  t.equal(of({ 'accept-language': 'de,,fr;q=x;a=1' }), 'en')
  t.equal(of({ cookie: 'a=b; language=sv; c', 'accept-language': 'en' }), 'sv')
  t.equal(of({ cookie: 'language', 'accept-language': 'sv' }), 'sv')
  t.equal(language_of({ headers: { cookie: 'l=sv' } }, ['en', 'sv'], 'l'), 'sv')
  for (const call of [
    () => language_of(undefined as never, ['en']),
    () => language_of({} as never, ['en']),
    () => language_of({ headers: {} }, 'en' as never),
  ])
    t.throws(call, { code: 'ERR_INVALID_ARGUMENT' })
})
