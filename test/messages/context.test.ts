import t from 'tap'
import { Engine } from '../../src/engine.ts'
import { Context } from '../../src/messages/context.ts'
import type { Implementation, Init } from '../../src/messages/init.ts'
import { MessageChannel } from '../../src/messages/message-channel.ts'
import type { Prefix } from '../../src/messages/prefixes/prefix.ts'
import { Url } from '../../src/messages/url.ts'
import { thrown } from '../kit.ts'
import { channelClass, fault, stage } from './kit.ts'

const kind = (channel: MessageChannel): string =>
  (channel.constructor as typeof MessageChannel).protocol

t.test('the context of the process', async t => {
  t.equal(Context.instance(), Context.instance())
  const channel = Context.instance().init('null://')
  t.match(channel.name, /^noname-\d+$/)
  channel.destroy()
})

stage(t, 'registry', async (t, { context }) => {
  const One = channelClass('one', {})
  context.register(One)
  t.equal(kind(context.init('one://')), 'one')
  context.register(One, 'uno')
  t.equal(kind(context.init('uno://')), 'one')
  t.match(
    fault(() => context.register(One)),
    'register(): one is taken; choose another name',
  )
  t.equal(
    thrown(() => context.register(channelClass('a++b', {}))),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => context.register(undefined as never)),
    'ERR_INVALID_ARGUMENT',
  )
  for (const wrong of [
    { protocol: 'x' },
    { protocol: 'x', replace: 5 },
    class {
      static protocol = 'x'
    },
    5,
  ]) {
    t.match(
      fault(() => context.register(wrong as never)),
      'register: implementation must be MessageChannel, or a class that extends it',
    )
  }
  t.equal(
    thrown(() => context.unregister(undefined as never)),
    'ERR_INVALID_STATE',
  )
  t.match(
    fault(() => context.unregister(One, 'two')),
    'unregister(): two is not registered',
  )
  t.match(
    fault(() => context.unregister(channelClass('one', {}))),
    'unregister(): one is another implementation',
  )
  context.unregister(One)
  t.match(
    fault(() => context.init('one://x')),
    /^there is no protocol "one"; there are .*null.*\n {2}one:\/\/x\n {2}\^\^\^$/,
  )
})

stage(t, 'look-up: exact, then the prefix', async (t, { context }) => {
  context.register(channelClass('p+', {}))
  context.register(channelClass('q', {}))
  t.equal(kind(context.init('p+q://')), 'p+')
  t.equal(kind(context.init('p+nobody://')), 'p+', 'the prefix checks the rest itself')
  t.match(
    fault(() => context.init('q+p://')),
    /^there is no protocol "q\+p"/,
    'q is no prefix',
  )
  t.match(
    fault(() => context.init('p://')),
    /^there is no protocol "p"/,
  )
  t.match(
    fault(() => context.init('null+null://')),
    /^there is no protocol/,
  )
})

// Without its ';' a parameter was taken for a host, which these protocols do not look at.
stage(t, 'a parameter in place of the host', async (t, { context }) => {
  for (const protocol of ['null', 'zero', 'echo', 'direct', 'mem', 'timer', 'reopen+mem'])
    t.match(
      fault(() => context.init(`${protocol}://size=1mb`)),
      `a parameter comes after ';', as in ${protocol.split('+').at(-1)}://;size=1mb`,
    )
  t.match(
    fault(() => context.init('mem://size=1mb;mode=server')),
    'a parameter comes',
  )
  // What was refused has changed nothing. That the program has read a URL does not count.
  const url = Url.parse('direct://x=1;master=m')
  context.init(`direct://name;name=m`)
  for (const _ of ['once', 'again'])
    t.match(
      fault(() => context.init((url.host, url))),
      'a parameter comes',
    )
  context.init('direct://;master=m')
  // A program's own class, too, unless it reads the host in its constructor, or says that it will.
  class Reads extends MessageChannel {
    static override readonly protocol = 'reads'
    readonly shop: string
    constructor(init: Init) {
      super(init)
      this.shop = init.params.url.host
    }
  }
  context.register(Reads)
  context.register(channelClass('late', {}, { parameters: ['host'] }))
  context.register(channelClass('never', {}))
  const urls = ['reads', 'late', 'reopen+late', 'file'].map(each => `${each}://a=1`)
  t.strictSame(
    urls.map(each => String(context.init(each).params.url)),
    urls,
  )
  for (const each of ['never', 'reopen+never'])
    t.match(
      fault(() => context.init(`${each}://a=1`)),
      "a parameter comes after ';', as in never://;a=1",
    )
})

stage(t, 'aliases', async (t, { context }) => {
  t.equal(
    String(context.init('mudp://239.1.2.3:9;mode=server').params.url),
    'udp://239.1.2.3:9;mode=server;udp.multicast=yes',
  )
  context.alias('small', 'mem://;size=1kb')
  t.equal(String(context.init('small://;stat=no').params.url), 'mem://;stat=no;size=1kb')
  context.alias('smaller', 'small://;frame=full')
  t.equal(
    String(context.init('smaller://').params.url),
    'mem://;frame=full;size=1kb',
    'of an alias',
  )
  t.match(
    fault(() => context.init('small://;size=2kb')),
    'size is given twice\n  mem://;size=1kb',
  )
  context.register(channelClass('p+', {}, { parameters: ['x'] }))
  context.alias('pp+', 'p+://;x=1')
  t.equal(
    String(context.init('pp+null://h').params.url),
    'p+null://h;x=1',
    'of a prefix: the rest is kept',
  )
  context.alias('pnull', 'p+null://')
  t.equal(String(context.init('pnull://').params.url), 'p+null://')
  for (const wrong of ['a b', 'a;', '', '+', 5])
    t.equal(
      thrown(() => context.alias(wrong as never, 'null://')),
      'ERR_INVALID_ARGUMENT',
    )
  t.match(
    fault(() => context.alias('x', 'null://host')),
    'an alias has no host\n  null://host\n         ^^^^',
  )
  t.match(
    fault(() => context.alias('x', 'null://;name=n')),
    'name must be left out of an alias; got "n"',
  )
  t.match(
    fault(() => context.alias('x', 'nothing://')),
    'there is no protocol "nothing"',
  )
  t.match(
    fault(() => context.alias('mem', 'null://')),
    'alias(): mem is taken',
  )
  t.match(
    fault(() => context.alias('small', 'null://')),
    'alias(): small is taken',
  )
  t.ok(context.protocols.includes('small'))
  // The target of the first alias was unregistered, and its name given to an alias of the first.
  const One = channelClass('one', {})
  context.register(One)
  context.alias('two', 'one://')
  context.unregister(One)
  context.alias('one', 'two://')
  t.match(
    fault(() => context.init('one://')),
    'the aliases one, two, one form a circle\n  one://\n  ^^^',
  )
})

stage(t, 'implementations that choose another', async (t, { context }) => {
  const Server = channelClass('server', {})
  const choose: Implementation = {
    protocol: 'choose',
    replace: ({ params }: Init) => (params.text('mode', '') === 'server' ? Server : loop),
  }
  const loop: Implementation = { protocol: 'loop', replace: () => choose }
  context.register(choose)
  t.equal(kind(context.init('choose://;mode=server')), 'server')
  t.match(
    fault(() => context.init('choose://')),
    'the implementations choose, loop, choose choose each other in a circle\n  choose://\n  ^^^^^^',
  )
  const Self: Implementation = { protocol: 'self', replace: () => Self }
  context.register(Self)
  t.match(
    fault(() => context.init('self://')),
    'self, self choose each other',
  )
  context.register({ protocol: 'none', replace: () => undefined })
  t.match(
    fault(() => context.init('none://')),
    'init(): none is not a class of channels, and chose none for none://; ' +
      'return one from `replace`',
  )
})

stage(t, 'names', async (t, { context }) => {
  const [first, second] = [context.init('null://'), context.init('null://;name=')]
  t.strictSame([first.name, second.name], ['noname-0', 'noname-1'])
  const named = context.init('null://;name=n')
  t.equal(context.get('n'), named)
  t.equal(context.channels.size, 3)
  t.match(
    fault(() => context.init('null://;name=n')),
    'name must be a name that no other channel has; got "n"\n  null://;name=n\n               ^',
  )
  t.match(
    fault(() => context.init('null://', { name: 'n' })),
    'init(): there is already a channel "n"',
  )
  t.equal(context.get('n'), named, 'the first one is untouched')
  named.open().close()
  t.equal(context.get('n'), named, 'also when it has closed')
  named.destroy()
  t.equal(context.get('n'), undefined)
  t.equal(context.init('null://', { name: 'n' }).name, 'n', 'free again')
  const internal = context.init('null://;name=n', { name: 'p/x', is_internal: true })
  t.strictSame([internal.name, context.get('p/x')], ['p/x', undefined])
  internal.destroy()
  t.equal(
    thrown(() => context.init('zero://;name=z;size=x')),
    'ERR_INVALID_URL',
  )
  t.equal(context.get('z'), undefined, 'a channel that could not be made has no name')
})

stage(t, 'master', async (t, { context }) => {
  const master = context.init('direct://;name=m')
  t.equal(context.init('direct://;master=m').master, master)
  t.equal(context.init('null://', { master }).master, master)
  // The client_url of stream+ over mem:// named its request channel, and nobody found that.
  const below = context.init('rate+filter+direct://;name=a/b;speed=1kb;messages=1') as Prefix
  t.equal(context.init('direct://;master=a/b/rate/filter').master, below.carrier)
  for (const nobody of ['a/b/rate/other', 'nobody/rate'])
    t.match(
      fault(() => context.init(`direct://;master=${nobody}`)),
      'master must be the name of a channel',
    )
  t.equal(
    thrown(() => context.init('direct://', { master: {} as never })),
    'ERR_INVALID_ARGUMENT',
  )
  t.equal(
    thrown(() => context.init('direct://', null as never)),
    'ERR_INVALID_ARGUMENT',
  )
  t.match(
    fault(() => context.init('direct://;master=nobody')),
    'master must be the name of a channel; got "nobody"\n' +
      '  direct://;master=nobody\n                   ^^^^^^',
  )
})

stage(t, 'defaults, and URLs that are parsed already', async (t, { engine }) => {
  const context = new Context({ engine, defaults: { 'zero.size': '2b' } })
  t.equal(context.init(Url.parse('zero://')).params.size('size'), 2)
  t.equal(context.init('null://').params.size('size', 4), 4, 'of another protocol')
  // It was ignored in silence.
  t.match(
    fault(() => new Context({ defaults: { size: '3b' } })),
    'a default is protocol.name=value, for example mem.size\n  size=3b\n  ^^^^',
  )
  t.equal(context.init('null://').engine, engine)
  t.equal(context.engine, engine)
  t.equal(new Context().engine, Engine.instance())
  t.equal(
    thrown(() => new Context({ defaults: 'x' })),
    'ERR_INVALID_URL',
  )
})

// `frmae=line` was ignored, so the frame was std, and bytes of a binary header went out.
stage(t, 'a parameter that nobody asked for is refused', async (t, { context }) => {
  const at = (spaces: number, length: number): string => ' '.repeat(spaces) + '^'.repeat(length)
  t.equal(
    fault(() => context.init('tcp://h:1;frmae=line')),
    'tcp:// has no parameter frmae; did you mean frame?\n' +
      `  tcp://h:1;frmae=line\n  ${at(10, 5)}`,
  )
  t.match(
    fault(() => context.init('rate+mem://;speed=1kb;rate.sped=2kb')),
    /^rate\+mem:\/\/ has no parameter rate.sped; did you mean rate.speed\?/,
    'with a prefix',
  )
  t.match(
    fault(() => context.init('rate+mem://;speed=1kb;bucket.x.speed=1kb;bucket.x.unti=byte')),
    /has no parameter bucket.x.unti; did you mean bucket.x.unit\?/,
  )
  t.match(
    fault(() => context.init('rate+mem://;speed=1kb;rate.size=2kb')),
    /has no parameter rate.size/,
    'a parameter of another channel of the chain',
  )
  t.match(
    fault(() => context.init('null://;zzz=1')),
    /^null:\/\/ has no parameter zzz; there are: dir, dump, master, name, stat/,
  )
  t.match(
    fault(() => context.init('tcp://h:1;servername=x')),
    /has no parameter servername/,
    'of tls+tcp only',
  )
  context.alias('lines', 'tcp://;frmae=line')
  t.match(
    fault(() => context.init('lines://h:1')),
    /has no parameter frmae; did you mean frame\?\n {2}tcp:\/\/;frmae=line/,
    'of an alias: it is shown where it stands',
  )
  t.equal(context.channels.size, 0, 'nothing was made')
})

stage(t, 'a class that asks later names its parameters', async (t, { context }) => {
  context.register(channelClass('late', {}, { parameters: ['greeting'] }))
  context.init('late://;greeting=x;late.greeting=y')
  t.match(
    fault(() => context.init('late://;greting=x')),
    /has no parameter greting; did you mean greeting\?/,
  )
  class Whole extends channelClass('whole', {}) {
    constructor(init: Init) {
      super(init)
      void init.params.values
      init.params.names('x')
    }
  }
  context.register(Whole)
  context.init('whole://;a=1;b.c=2')
  class Embedding extends channelClass('embedding', {}) {
    constructor(init: Init) {
      super(init)
      init.params.embedded('inner')
    }
  }
  context.register(Embedding)
  context.init('embedding://;inner.url=null://;inner.stat=yes')
  context.init('embedding://;inner=null://')
})

// The slave was made before the prefix threw. Its master was never free again.
stage(t, 'if init throws, nothing is left of what was made', async (t, { context }) => {
  context.init('direct://;name=m')
  for (const wrong of ['speed=0b', 'speed=1kb;x=1'])
    t.equal(
      thrown(() => context.init(`rate+direct://;master=m;${wrong}`)),
      'ERR_INVALID_URL',
    )
  t.equal(context.init('rate+direct://;master=m;speed=1kb').state, 'closed')
  class Two extends channelClass('two', {}, { caps: ['parent'] }) {
    readonly inner = this.make_child('null://', 'a')
    readonly other = this.context.init('null://;name=beside')
  }
  context.register(Two)
  const two = context.init('two://') as Two
  t.strictSame([...two.children], [two.inner])
  t.ok(context.get('beside'))
  two.make_child('null://', 'b')
  t.equal(two.children.size, 2)
})

// A client of rooms found out that nobody knows its protocol only when it connected.
t.test('a URL without a channel', async t => {
  const context = new Context()
  context.alias('lines', 'tcp://;frame=line')
  context.alias('slow+', 'rate+://;speed=1kb')
  for (const url of ['null://', 'tls+tcp://a:1', 'lines://a:1', 'slow+reopen+ws://a'])
    context.check_url(url)
  t.match(
    fault(() => context.check_url('x://y')),
    /^there is no protocol "x"; there are .*null/,
  )
  context.check_url(Url.parse('mem://;size=nonsense'))
  for (const url of ['reopen+x://a', 'x+null://', 'nothing'])
    t.equal(
      thrown(() => context.check_url(url)),
      'ERR_INVALID_URL',
    )
  t.equal(context.channels.size, 0)
})

t.test('options that do not exist, or are of the wrong kind', async t => {
  const engine = new Engine()
  const context = new Context({ engine })
  for (const [call, message] of [
    [() => new Context({ engin: engine } as never), /did you mean engine\?/],
    [() => new Context({ engine: 5 as never }), /new Context: engine must be an Engine/],
    [() => new Context(engine as never), /^new Context/],
    [() => context.init('null://', { nmae: 'x' } as never), /did you mean name\?/],
    [() => context.init('null://', { name: 5 as never }), /init: name must be text/],
    [() => context.init('null://', { engine: {} as never }), /init: engine must be an Engine/],
    [
      () => context.init('null://', { is_internal: 1 as never }),
      /is_internal must be true or false/,
    ],
  ] as const)
    t.match(fault(call), message)
  t.equal(context.channels.size, 0)
})
