/**
 * The multicast groups of a Datagram by themselves: what is remembered, and what a socket is told.
 */

import t from 'tap'
import { Groups } from '../../../src/channels/datagrams/groups.ts'
import { ChannelError, InvalidArgumentError } from '../../../src/errors.ts'
import type { PacketSocket } from '../../../src/transport.ts'

/** A socket that writes down what it is told, or refuses it. */
function make(refusal?: Error) {
  const told: string[] = []
  const tell = (what: string) => (group: string, network_interface?: string, source?: string) => {
    if (refusal !== undefined) throw refusal
    told.push([what, group, network_interface, source].filter(Boolean).join(' '))
  }
  return { told, socket: { join: tell('join'), leave: tell('leave') } as unknown as PacketSocket }
}

t.test('an open socket is told at once, and only what is new', async t => {
  const { told, socket } = make()
  const groups = new Groups()
  groups.join('239.1.2.3', {}, socket)
  groups.join('239.1.2.3', {}, socket)
  groups.join('239.1.2.3', '127.0.0.1', socket)
  groups.leave('ff02::1', {}, socket)
  groups.leave('239.1.2.3', {}, socket)
  groups.leave('239.1.2.3', {}, socket)
  t.same(told, ['join 239.1.2.3', 'join 239.1.2.3 127.0.0.1', 'leave 239.1.2.3'])
})

t.test('a new socket joins all groups that are left', async t => {
  const { told, socket } = make()
  const groups = new Groups()
  groups.join('224.0.0.1', {}, undefined)
  groups.join('FF02::114', '::%eth1', undefined)
  groups.join('239.9.9.9', {}, undefined)
  groups.leave('224.0.0.1', {}, undefined)
  groups.joinAll(socket)
  t.same(told, ['join FF02::114 ::%eth1', 'join 239.9.9.9'])
})

t.test('what the socket refuses is thrown, and not remembered', async t => {
  const { told, socket } = make()
  const groups = new Groups()
  t.throws(
    () =>
      groups.join(
        '239.1.2.3',
        {},
        make(Object.assign(new Error('addMembership ENODEV'), { code: 'ENODEV' })).socket,
      ),
    {
      name: 'ChannelError',
      code: 'ENODEV',
      message: 'join 239.1.2.3: addMembership ENODEV',
    },
  )
  groups.joinAll(socket)
  t.same(told, [])
  const refusal = new ChannelError('ERR_OWN', 'as it is')
  t.throws(() => groups.join('239.1.2.3', {}, make(refusal).socket), refusal)
  groups.join('239.1.2.3', {}, undefined)
  t.throws(() => groups.joinAll(make(refusal).socket), refusal)
})

t.test('an invalid group or interface', async t => {
  const groups = new Groups()
  for (const wrong of ['10.0.0.1', '', 7, 'example.com', '2240.0.0.1', undefined]) {
    for (const call of ['join', 'leave'] as const) {
      t.throws(() => groups[call](wrong as string, {}, undefined), {
        code: 'ERR_INVALID_ARGUMENT',
        message: new RegExp(`^${call}: group must be the address`),
      })
    }
  }
  for (const wrong of [
    '',
    7,
    null,
    { network_interface: '' },
    { source: 7 },
    { sauce: '10.0.0.1' },
  ])
    t.throws(() => groups.join('224.0.0.1', wrong as string, undefined), InvalidArgumentError)
})

t.test('one source', async t => {
  const { told, socket } = make()
  const groups = new Groups()
  const both = { source: '10.0.0.1', network_interface: '127.0.0.1' }
  groups.join('232.1.2.3', both, socket)
  groups.join('232.1.2.3', { ...both }, socket)
  groups.join('232.1.2.3', { source: '10.0.0.2' }, socket)
  groups.leave('232.1.2.3', both, socket)
  t.same(told, [
    'join 232.1.2.3 127.0.0.1 10.0.0.1',
    'join 232.1.2.3 10.0.0.2',
    'leave 232.1.2.3 127.0.0.1 10.0.0.1',
  ])
})
