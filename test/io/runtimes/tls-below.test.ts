import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import { belowOf, overSockets } from '../../../src/io/runtimes/tls-below.ts'
import type { SystemError } from '../../../src/transport.ts'

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

// Over a Duplex, a server on Bun 1.4 that answered after the end of its client answered in vain.
t.test('TLS over any stream, but on Bun over sockets only', async t => {
  const begun: Duplex[] = []
  const failed: (string | undefined)[] = []
  const sink = {
    known() {},
    secured() {},
    failed: (error: SystemError) => void failed.push(error.code, error.message),
  }
  const begin = (below: Duplex): void => void begun.push(below)
  const socket = new Socket()
  overSockets(begin, { node: '20.0.0' })(BELOW, sink)
  overSockets(begin, { bun: '1.4.5' })(socket, sink)
  overSockets(begin, { bun: '1.4.5' })(BELOW, sink)
  t.same([begun.splice(0), failed], [[BELOW, socket], []])
  await Promise.resolve()
  t.match(failed, ['ERR_UNSUPPORTED_OPTION', /^tls needs a TCP or unix socket: .* Bun 1\.4\.5/])
})
