/** Addresses: names of this machine, other hosts, paths, and errors that name them. */

import t from 'tap'
import { addressOf, nameOf, systemError } from '../../../src/io/memory/place.ts'
import { at, path } from './kit.ts'

t.test('this machine has one name, other hosts and paths have their own', async t => {
  for (const host of ['', '0.0.0.0', '::', 'localhost', '127.0.0.1', '::1'])
    t.same(addressOf(at(7, host)), ['127.0.0.1', 7], host)
  t.same(addressOf(at(7, '10.0.0.1')), ['10.0.0.1', 7])
  t.equal(addressOf(path('/tmp/s')), '/tmp/s')
  t.equal(nameOf(at(7)), nameOf(at(7, '::1')))
  t.not(nameOf(at(7)), nameOf(at(8)))
  t.equal(nameOf(path('/tmp/s')), '/tmp/s')
})

t.test('errors say what, doing what, and where', async t => {
  const message = 'connect ECONNREFUSED 127.0.0.1:7'
  t.match(systemError('ECONNREFUSED', 'connect', at(7)), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
    message,
  })
  t.match(systemError('ENOENT', 'connect', path('/s')), { message: 'connect ENOENT /s' })
  t.equal(systemError('EPIPE', 'write').message, 'write EPIPE')
})
