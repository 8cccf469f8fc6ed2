/** The table of senders, without a channel around it. */

import t from 'tap'
import {
  DATAGRAM_DEFAULTS,
  type DatagramValues,
} from '../../../src/channels/datagrams/datagram-settings.ts'
import { Senders, type SendersOwner } from '../../../src/channels/datagrams/senders.ts'
import { checkDelimiter } from '../../../src/core/delimiters.ts'
import type { SocketAddress } from '../../../src/types.ts'

class Owner implements SendersOwner {
  readonly told: unknown[] = []
  values: DatagramValues
  readonly senders: Senders
  isHeld = false
  /** What on_read does, besides being noted. */
  hook: (data: unknown) => unknown = () => {}

  constructor(values: Partial<DatagramValues>) {
    this.values = { ...DATAGRAM_DEFAULTS, read_delimiter: '\n', encoding: 'utf8', ...values }
    this.senders = new Senders(this, this.values)
  }

  set(values: Partial<DatagramValues>): void {
    this.values = { ...this.values, ...values }
    this.senders.use(this.values)
  }

  hold(): void {
    this.isHeld = true
    this.senders.hold()
  }

  release(): void {
    this.isHeld = false
    while (!this.isHeld && this.senders.step());
  }

  receive(port: number, text: string): void {
    this.senders.receive(Buffer.from(text), ['10.0.0.1', port])
  }

  read(data: unknown[], from: SocketAddress): unknown {
    this.told.push([...data, from[1]])
    return this.hook(data[0])
  }

  hookReturned(result: unknown): void {
    this.told.push(['returned', result])
  }

  hookFailed(error: unknown): void {
    this.told.push(['failed', (error as Error).message])
  }

  overflowed(limit: number, _size: number | undefined, from: SocketAddress): void {
    this.told.push(['overflow', limit, from[1]])
    this.hook('overflow')
  }

  broken(error: unknown, from: SocketAddress): void {
    this.told.push(['broken', (error as Error).message, from[1]])
  }

  dropped(reason: string, from: SocketAddress, bytes: number): void {
    this.told.push([reason, from[1], bytes])
    this.hook('dropped')
  }
}

t.test('each sender has its own stream; only who has begun a message is kept', async t => {
  const owner = new Owner({})
  owner.receive(1, 'whole\n')
  t.equal(owner.senders.size, 0)
  owner.receive(1, 'a')
  owner.receive(2, 'x')
  owner.receive(1, '')
  t.same([owner.senders.size, owner.senders.bytes], [2, 2])
  owner.receive(1, 'b\nc')
  owner.receive(2, 'y\n')
  t.same(owner.told, [
    ['whole', 1],
    ['ab', 1],
    ['xy', 2],
  ])
  t.same([owner.senders.size, owner.senders.bytes], [1, 1])
  owner.receive(1, '\n')
  t.same(owner.told.at(-1), ['c', 1])
  t.same([owner.senders.size, owner.senders.bytes], [0, 0])
})

// The second half of a message that was lost became the beginning of the next one, for ever.
t.test('whole packets: each is cut by itself', async t => {
  const owner = new Owner({ whole_packets: true })
  owner.receive(1, 'a\nb\nrest')
  owner.receive(1, 'c\n')
  owner.receive(2, '')
  owner.receive(2, 'x')
  t.same(owner.told, [
    ['a', 1],
    ['b', 1],
    ['incomplete', 1, 4],
    ['c', 1],
    ['incomplete', 2, 0],
    ['incomplete', 2, 1],
  ])
  t.same([owner.senders.size, owner.senders.bytes], [0, 0])
})

t.test('whole packets: held in the middle, and a match that could go on', async t => {
  const owner = new Owner({ whole_packets: true, read_delimiter: checkDelimiter(/\d+/) })
  owner.hook = data => {
    if (data === 'a') owner.hold()
  }
  owner.receive(1, 'a1b22c')
  t.same(owner.told, [['a', 1]])
  owner.release()
  t.same(owner.told.slice(1), [
    ['b', 1],
    ['incomplete', 1, 1],
  ])
  owner.receive(1, 'd4')
  owner.receive(1, '5e')
  t.same(owner.told.slice(3), [
    ['d', 1],
    ['', 1],
    ['incomplete', 1, 1],
  ])
})

t.test('whole packets: what had begun is dropped when the setting is made', async t => {
  const owner = new Owner({ buffer_size: 2 })
  owner.receive(1, 'a')
  owner.set({ whole_packets: true })
  owner.senders.lookAgain()
  owner.release()
  owner.receive(2, 'too long')
  t.same(owner.told, [
    ['incomplete', 1, 1],
    ['overflow', 2, 2],
  ])
  t.equal(owner.senders.size, 0)
})

t.test('what the hook returns and throws goes to the owner', async t => {
  const owner = new Owner({})
  owner.hook = data => {
    if (data === 'bad') throw new Error('oh')
    return data
  }
  owner.receive(1, 'good\nbad\nlast\n')
  t.same(owner.told, [
    ['good', 1],
    ['returned', 'good'],
    ['bad', 1],
    ['failed', 'oh'],
    ['last', 1],
    ['returned', 'last'],
  ])
})

t.test('max_senders: who has been unheard for longest goes first', async t => {
  const owner = new Owner({ max_senders: 2 })
  owner.receive(1, 'one')
  owner.receive(2, 'two')
  owner.receive(1, '+')
  owner.receive(3, 'three')
  t.same(owner.told, [['max_senders', 2, 3]])
  t.same([owner.senders.size, owner.senders.bytes], [2, 9])
  owner.receive(1, '\n')
  owner.receive(2, '\n')
  owner.receive(3, '\n')
  t.same(owner.told.slice(1), [
    ['one+', 1],
    ['', 2],
    ['three', 3],
  ])
})

t.test(
  'senders_buffer_size: bytes over all senders; one sender alone over it goes too',
  async t => {
    const owner = new Owner({ senders_buffer_size: 10 })
    owner.receive(1, '12345')
    owner.receive(2, '12345')
    t.same(owner.told, [])
    owner.receive(3, '6')
    t.same(owner.told.splice(0), [['senders_buffer_size', 1, 5]])
    owner.receive(3, '1234567890')
    t.same(owner.told, [
      ['senders_buffer_size', 2, 5],
      ['senders_buffer_size', 3, 11],
    ])
    t.same([owner.senders.size, owner.senders.bytes], [0, 0])
  },
)

t.test('on_drop may forget everybody', async t => {
  const owner = new Owner({ max_senders: 1 })
  owner.hook = () => owner.senders.reset()
  owner.receive(1, 'a')
  owner.receive(2, 'b')
  t.same(owner.told, [['max_senders', 1, 1]])
  t.equal(owner.senders.size, 0)
})

t.test(
  'a message that is too long is forgotten, with all that its sender has sent; nobody is disturbed',
  async t => {
    const owner = new Owner({ buffer_size: 4 })
    owner.receive(2, 'abc')
    owner.receive(1, 'ok\n123456\nmore\n')
    t.same(owner.told.splice(0), [
      ['ok', 1],
      ['overflow', 4, 1],
    ])
    t.same([owner.senders.size, owner.senders.bytes], [1, 3])
    owner.receive(1, 'new\n')
    owner.receive(2, '\n')
    t.same(owner.told, [
      ['new', 1],
      ['abc', 2],
    ])
  },
)

t.test('unless the hook changes a setting', async t => {
  const owner = new Owner({ buffer_size: 4 })
  owner.hook = data => void (data === 'overflow' && owner.set({ buffer_size: 6 }))
  owner.receive(1, '123456\nmore\n')
  t.same(owner.told, [
    ['overflow', 4, 1],
    ['123456', 1],
    ['more', 1],
  ])
})

t.test('a delimiter that throws', async t => {
  const read_delimiter = checkDelimiter({
    cut(): number {
      throw new Error('cannot cut')
    },
  })
  const owner = new Owner({ read_delimiter })
  owner.receive(1, 'abc')
  t.same(owner.told, [['broken', 'cannot cut', 1]])
  t.equal(owner.senders.size, 0)
})

/**
 * As with a stream (read-path.test.ts): a hook that put back a delimiter, made anew, was called for
 * the same packet for ever.
 */
t.test('REGRESSION: what a hook changes in vain does not call it again', async t => {
  const owner = new Owner({ buffer_size: 4 })
  let calls = 0
  owner.hook = data => {
    if (data !== 'overflow') return
    if (++calls > 100) throw new Error('it is called for ever')
    owner.set({ read_delimiter: /\r?\n/ })
  }
  owner.receive(1, '123456\n')
  t.equal(calls, 1)
  t.same([owner.senders.size, owner.senders.bytes], [0, 0], 'what it has sent is forgotten')
  owner.receive(1, '123456\n')
  t.equal(calls, 2, 'new bytes are told anew')
  owner.receive(1, 'ok\n')
  t.same(owner.told.at(-1), ['ok', 1])
})

t.test('held halfway: goes on where it stopped, when it is asked', async t => {
  const owner = new Owner({})
  owner.hook = data => void (data === 'a' && owner.hold())
  owner.receive(1, 'a\nb\nc')
  t.same(owner.told, [['a', 1]])
  owner.senders.lookAgain()
  t.same([owner.senders.size, owner.senders.bytes], [1, 5])
  owner.release()
  t.same(owner.told, [
    ['a', 1],
    ['b', 1],
  ])
  t.equal(owner.senders.bytes, 1)
  t.equal(owner.senders.step(), false)
  owner.receive(1, '\na\n')
  t.same(owner.told.slice(2), [
    ['c', 1],
    ['a', 1],
  ])
  owner.release()
  t.same([owner.senders.size, owner.senders.bytes], [0, 0])
  owner.receive(1, 'after\n')
  t.same(owner.told.slice(4), [['after', 1]])
})

t.test('held and released in one hook', async t => {
  const owner = new Owner({})
  owner.hook = data => {
    if (data !== 'a') return
    owner.hold()
    owner.isHeld = false
    owner.senders.release()
  }
  owner.receive(1, 'a\nb\n')
  t.same(owner.told, [
    ['a', 1],
    ['b', 1],
  ])
  t.equal(owner.senders.size, 0)
  owner.senders.hold()
  owner.senders.release()
})

t.test(
  'a new delimiter: at once for who is being read, for the others when they are looked at',
  async t => {
    const owner = new Owner({})
    owner.receive(2, 'x;y')
    owner.receive(3, 'z')
    owner.hook = data => void (data === 'go' && owner.set({ read_delimiter: ';' }))
    owner.receive(1, 'go\na;b')
    t.same(owner.told, [
      ['go', 1],
      ['a', 1],
    ])
    owner.senders.lookAgain()
    owner.receive(3, ';')
    t.same(owner.told.slice(2), [['z', 3]])
    owner.release()
    t.same(
      owner.told.slice(3),
      [['x', 2]],
      'in the order of the table; who is gone from it meanwhile is left out',
    )
    t.same([owner.senders.size, owner.senders.bytes], [2, 2])
  },
)

t.test(
  'no delimiter any more: what is buffered is delivered, half a character included; none is kept',
  async t => {
    const owner = new Owner({})
    owner.receive(1, 'abc')
    owner.senders.receive(Buffer.from([0x61, 0xc3]), ['10.0.0.1', 2])
    owner.set({ read_delimiter: null })
    owner.senders.lookAgain()
    owner.release()
    t.same(owner.told, [
      ['abc', 1],
      ['a', 2],
      ['\ufffd', 2],
    ])
    t.same([owner.senders.size, owner.senders.bytes], [0, 0])
  },
)

t.test('a smaller bound holds when everybody is looked at', async t => {
  const owner = new Owner({})
  for (const port of [1, 2, 3]) owner.receive(port, 'a')
  owner.set({ max_senders: 1 })
  owner.senders.lookAgain()
  t.same(owner.told, [
    ['max_senders', 1, 1],
    ['max_senders', 2, 1],
  ])
  owner.release()
  t.equal(owner.senders.size, 1)
})

t.test('forgetting everybody in the middle of a read ends it', async t => {
  const owner = new Owner({})
  owner.receive(2, 'x')
  owner.hook = () => owner.senders.reset()
  owner.receive(1, 'a\nb\n')
  t.same(owner.told, [['a', 1]])
  t.same([owner.senders.size, owner.senders.bytes], [0, 0])
  owner.hook = () => {}
  owner.receive(1, 'c\n')
  t.same(owner.told, [
    ['a', 1],
    ['c', 1],
  ])
})
