/** TLS contexts: made once for each object of options, and again when that is asked for. */

import t from 'tap'
import { contextFor, renewContext } from '../../../src/channels/streams/tls-contexts.ts'
import type { Tls, TlsOptions, TlsSide } from '../../../src/transport.ts'

/** Counts what it makes, and refuses `{ ca: 'bad' }`. */
class Made implements Tls {
  readonly log: string[] = []

  context(side: TlsSide, options: TlsOptions) {
    if (options.ca === 'bad') throw new Error('bad')
    this.log.push(`${side} ${options.ca}`)
    return { secure: transport => transport } as ReturnType<Tls['context']>
  }
}

t.test('the same context for the same object of options', async t => {
  const tls = new Made()
  const options = { ca: 'a' }
  const client = contextFor(tls, 'client', options)
  t.equal(contextFor(tls, 'client', options), client)
  t.not(contextFor(tls, 'server', options), client, 'each side has its own')
  t.not(contextFor(tls, 'client', { ca: 'a' }), client, 'an equal object is another one')
  t.not(contextFor(new Made(), 'client', options), client, 'and so is another network')
  t.same(tls.log, ['client a', 'server a', 'client a'])
})

t.test('a change of the object is looked at when it is renewed', async t => {
  const tls = new Made()
  const options = { ca: 'a' }
  const first = contextFor(tls, 'server', options)
  options.ca = 'b'
  t.equal(contextFor(tls, 'server', options), first)
  const second = renewContext(tls, 'server', options)
  t.not(second, first)
  t.equal(contextFor(tls, 'server', options), second)
  t.same(tls.log, ['server a', 'server b'])
  options.ca = 'bad'
  t.throws(() => renewContext(tls, 'server', options), { message: 'bad' })
  t.equal(contextFor(tls, 'server', options), second, 'what is invalid changes nothing')
})
