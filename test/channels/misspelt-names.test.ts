/**
 * Names that are misspelt. A field or a hook of a subclass that was spelt wrong (`onRead`,
 * `read_delimeter`) was ignored without a word, where an option spelt wrong throws.
 */

import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import { Datagram } from '../../src/channels/datagrams/datagram.ts'
import { misspeltNames, tellMisspeltNames } from '../../src/channels/misspelt-names.ts'
import { scene } from '../kit.ts'

const meant = (channel: object): string[] =>
  misspeltNames(channel).map(text => text.replace(/ of class.*did you mean/, ':'))

t.test('hooks and fields', async t => {
  class Base extends Client {
    on_red() {}
    on_conect_error() {}
  }
  class Camel extends Base {
    onRead() {}
    onrecieve = () => {}
    on_recieve() {}
    read_delimeter = '\n'
    readDelimiter = '\n'
    TLS = {}
    get buffersize() {
      return 5
    }
    override on_close() {
      this.readDelimiter = 'x'
    }
  }
  const expected = [
    'onrecieve: on_read?',
    'read_delimeter: read_delimiter?',
    'readDelimiter: read_delimiter?',
    'TLS: tls?',
    'onRead: on_read?',
    'on_recieve: on_read?',
    'buffersize: buffer_size?',
    'on_red: on_read?',
    'on_conect_error: on_connect_error?',
  ]
  t.same(meant(new Camel()), expected)
  t.same(meant(new Camel()), [], 'once a class')
  t.same(
    meant(
      new (class extends Server {
        onListen() {}
      })(),
    ),
    ['onListen: on_listen?'],
  )
  t.same(
    meant(
      new (class extends Datagram {
        onDrop() {}
      })(),
    ),
    ['onDrop: on_drop?'],
  )
})

t.test("the program's own names", async t => {
  class Own extends Client {
    tlv = 1
    delimiter = 1
    override read_delimiter = '\n'
    _encoding = 1
    $tls = 1
    on_message = () => {}
    override encoding = 'utf8' as const
    on_line() {}
    on_end() {}
    on_send() {}
    on_start() {}
    online() {}
    reconnect() {}
    on_ready() {}
    override on_read() {}
    override on_read_end() {}
    override on_connect() {
      this.on_ready()
    }
  }
  t.same(meant(new Own()), [])
  t.same(meant(new Client()), [])
  t.same(meant(new (class Own {})()), [], 'no channel of ours')
})

// `on_data` and `on_message` are what other toolkits call it. Nothing was read, and nothing said.
t.test('names of other toolkits', async t => {
  class Chat extends Connection {
    on_data() {}
    onmessage() {}
    on_line() {}
    on_packet() {}
    onEnd() {}
    on_ready() {}
    on_send() {}
    on_open() {}
    on_disconnect() {}
  }
  class Room extends Server {
    on_connection() {}
    on_open() {}
  }
  t.same(meant(Object.create(Chat.prototype)), [
    'on_data: on_read?',
    'onmessage: on_read?',
    'on_line: on_read?',
    'on_packet: on_read?',
    'onEnd: on_read_end?',
    'on_ready: on_connect?',
    'on_open: on_connect?',
    'on_disconnect: on_close?',
  ])
  t.same(meant(new Room()), ['on_connection: on_accept?'])
  class Lines extends Client {
    delimiter = '\n'
    highWaterMark = 1
  }
  const settings = ['delimiter: read_delimiter?', 'highWaterMark: send_high_water?']
  t.same(meant(new Lines()), settings)
})

// In plain JavaScript one assigns. Of the class itself only the first object was looked at.
t.test('assigned to an object of a class of ours', async t => {
  const [first, second, third] = [new Client(), new Client(), new Client()]
  Object.assign(first, { onRead: () => {} })
  Object.assign(second, { read_delimeter: '\n', onRead: () => {} })
  t.same(meant(first), ['onRead: on_read?'])
  t.same(meant(second), ['read_delimeter: read_delimiter?'])
  t.same([...meant(second), ...meant(third)], [], 'each name once')
})

// Whoever wrote them in the class of the server waited for reads that never came.
t.test('what belongs to the connections of a server', async t => {
  class Room extends Server {
    read_delimiter = '\n'
    on_read() {}
    on_line() {}
    on_connect() {}
    write() {}
    override on_close() {}
  }
  class Chat extends Connection {
    override on_connect() {
      ;(this.server as Room).on_connect()
    }
  }
  t.same(misspeltNames(new Room(Chat)), [
    'read_delimiter of class Room means nothing here; did you mean that of its connections?',
    'on_read of class Room means nothing here; did you mean that of its connections?',
  ])
})

// A static field is what a class attribute of Python looks like, and a getter hides the setting of
// which nobody asks it.
t.test('in the wrong place', async t => {
  class Base extends Client {
    static read_delimiter = '\n'
    static on_read() {}
  }
  class Lines extends Base {}
  Object.defineProperty(Lines.prototype, 'encoding', { get: () => 'utf8' })
  Object.defineProperty(Lines.prototype, 'buffer_size', { get: () => 5, set: () => {} })
  Object.defineProperty(Lines.prototype, 'no_delay', { value() {} })
  t.same(misspeltNames(Object.create(Lines.prototype)), [
    'encoding of class Lines is no field, so it means nothing; assign it',
    'no_delay of class Lines is no field, so it means nothing; assign it',
    'read_delimiter of class Base is static, so it means nothing',
    'on_read of class Base is static, so it means nothing',
  ])
})

await scene(
  t,
  'a class of ours that is no channel says what it has',
  async (t, { engine, logged }) => {
    class Ours {
      limit = 1
      size = 1
      on_done() {}
    }
    class Own extends Ours {
      override limit = 2
      limits = 1
      onDone() {}
    }
    for (const each of [new Own(), new Own(), new Ours()])
      tellMisspeltNames(each, Ours.prototype, engine, ['limit'])
    t.same(logged, [
      'limits of class Own means nothing here; did you mean limit?',
      'onDone of class Own means nothing here; did you mean on_done?',
    ])
  },
)

await scene(t, 'is logged once a class, also of accepted connections', async (t, world) => {
  const { engine, logged, pump } = world
  class Typo extends Connection {
    onRead() {}
  }
  new Server(Typo, { engine }).listen(1)
  await pump()
  for (const _ of [1, 2]) new Client({ engine }).connect(1)
  await pump()
  t.equal(logged.length, 1)
  t.match(logged[0], /Typo.*onRead of class Typo means nothing here; did you mean on_read\?$/)
})
