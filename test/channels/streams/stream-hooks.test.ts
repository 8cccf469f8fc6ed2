/** The hooks of a Stream: what each does by default. */

import { Buffer } from 'node:buffer'
import t from 'tap'
import { Client } from '../../../src/channels/basic.ts'
import { StreamHooks } from '../../../src/channels/streams/stream-hooks.ts'
import { TlsError, TlsHandshakeError } from '../../../src/errors.ts'
import { kit } from '../link-kit.ts'

class Some extends StreamHooks {
  readonly log: string[] = []

  override close(flush = false): void {
    this.log.push(`close ${flush}`)
  }

  override on_error(error: Error): void {
    this.log.push(error.message)
  }
}

t.test('what a hook does by default', async t => {
  const some = new Some()
  t.same([some.on_read('data'), some.on_tls_handshake()], [undefined, undefined])
  some.on_read_end()
  some.on_tls_handshake_error(new TlsHandshakeError('', 'handshake'))
  some.on_tls_error(new TlsError('', 'tls'))
  t.same(some.log, ['close true', 'handshake', 'tls'])
})

t.test('an on_read that is assigned is a field, as every hook', async t => {
  class Other extends Some {}
  const some = new Some()
  some.on_read = () => 'own'
  Other.prototype.on_read = () => 'of the class'
  t.same([some.on_read(), new Other().on_read()], ['own', 'of the class'])
  t.match(Object.keys(some), ['log', 'on_read'])
  delete (some as Partial<Some>).on_read
  t.equal(some.on_read(), undefined)
  const { stream } = await kit(t, Client)
  stream.on_read = () => 'later'
  t.equal(stream.on_read(), 'later')
})

t.test('a timeout gives up, and says what took so long', async t => {
  const connecting = await kit(t, Client, { connect_timeout: 5 }, false)
  connecting.clock.advance(5)
  t.match(connecting.logged, [/: connecting to .*:1 took longer than connect_timeout, 5 ms/])
  const reading = await kit(t, Client, { read_timeout: 8 })
  reading.clock.advance(10)
  t.match(reading.logged, [/: nothing was received for longer than read_timeout, 8 ms/])
})

t.test('become: another hook gets the reads', async t => {
  const { stream, sink, news } = await kit(t, Client)
  const reads: string[] = []
  stream.become(2, data => void reads.push(String(data)))
  sink.received(Buffer.from('abc'))
  t.same([reads, news()], [['ab'], []])
  stream.become(1, undefined, { encoding: 'utf8' })
  sink.received(Buffer.from('d'))
  t.same([reads, news()], [['ab'], ['read c', 'read d']])
})
