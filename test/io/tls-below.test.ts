import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import { belowOf } from '../../src/io/tls-below.ts'

const BELOW = new Duplex()

const below = (socket: object): Duplex | undefined => belowOf(socket as TLSSocket)

// That each runtime has one of these is what tls-transport.test.ts checks, on each of them.
t.test('where a runtime keeps what a TLSSocket was made of', async t => {
  t.equal(below({ _parent: BELOW, _handle: {} }), BELOW)
  t.equal(below({ _parent: null, _handle: { _parentWrap: { stream: BELOW } } }), BELOW)
  t.equal(below({ _parent: null, _handle: {}, [Symbol('kupgraded')]: BELOW }), BELOW)
})

t.test('a socket that has closed', async t => {
  t.equal(below({ _parent: null, _handle: null }), undefined)
  t.equal(below({}), undefined)
})
