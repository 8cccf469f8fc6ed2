import t from 'tap'
import type { Message } from '../../../src/messages/message.ts'
import { MessageChannel } from '../../../src/messages/message-channel.ts'
import type { Params } from '../../../src/messages/params.ts'
import { Prefix } from '../../../src/messages/prefixes/prefix.ts'
import { channelClass, fault, type Stage, stage, watch } from '../kit.ts'

class Pass extends Prefix {
  static override readonly protocol = 'pass+'
}

class Upper extends Prefix {
  static override readonly protocol = 'upper+'
  override child_data(message: Message) {
    if (String(message.data) === 'throw') throw new Error('no')
    return this.emit({ ...message, data: message.data.toString().toUpperCase() })
  }
}

/** A prefix over a channel that opens and closes when the test says so. */
function make(
  stage: Stage,
  url = 'pass+slow://;name=p',
): { prefix: Prefix; child: MessageChannel; log: string[] } {
  const { context } = stage
  context.register(Pass)
  context.register(Upper)
  context.register(
    channelClass(
      'slow',
      {
        do_open: (params: Params) => (params.values, 'opening'),
        do_post() {},
        do_close() {},
      },
      { caps: ['long_close'] },
    ),
  )
  const prefix = context.init(url) as Prefix
  prefix.on_error = () => {}
  prefix.child.on_error = () => {}
  return { prefix, child: prefix.child, log: watch(prefix).slice(0, 0) }
}

stage(t, 'its life follows that of the child', async (t, stage) => {
  const { prefix, child } = make(stage)
  t.strictSame(
    [[...prefix.caps], [...prefix.children], child.name],
    [['parent', 'proxy', 'long_close'], [child], 'p/pass'],
  )
  const states = (): string => `${prefix.state} ${child.state}`
  prefix.open('a=1')
  t.equal(child.config.open, 'a=1', 'the parameters are passed on')
  t.equal(states(), 'opening opening')
  child.become_active()
  t.equal(states(), 'active active')
  t.notOk(prefix.dcaps.has('process'))
  prefix.close()
  t.equal(states(), 'closing closing')
  child.finish_close()
  t.equal(states(), 'closed closed')
  prefix.open()
  child.become_active()
  child.fail(new Error('x'))
  t.equal(states(), 'error error')
  prefix.close()
  child.finish_close()
  t.equal(states(), 'closed closed')
  prefix.open()
  child.close()
  t.equal(states(), 'closing closing', 'while it opens')
  child.finish_close('remote')
  t.equal(states(), 'closed closed')
  t.equal(await prefix.closed, 'remote', 'for the reason of the child')
  prefix.open()
  child.become_active()
  child.close(true)
  t.equal(states(), 'closed closed')
  prefix.open()
  prefix.close(true)
  t.equal(states(), 'closed closed')
})

stage(t, 'its own failure is not the child’s', async (t, stage) => {
  const { prefix, child } = make(stage, 'upper+slow://')
  prefix.open()
  child.become_active()
  child.emit('throw')
  t.strictSame([prefix.state, child.state], ['error', 'active'])
  prefix.close(true)
  child.open()
  prefix.on_error = () => {}
  t.equal(prefix.open().state, 'error', 'the child is open already')
  prefix.close(true)
  // The child closed by itself while the prefix was in 'error': there is nothing to wait for.
  prefix.open()
  child.become_active()
  prefix.fail(new Error('x'))
  child.close(true)
  prefix.close()
  t.equal(prefix.state, 'closed')
})

// The child reported the error, and the prefix did so again, without a code and with a stack: a
// program had other errors with `rate+` before its URL than without.
stage(t, 'an error of the child is reported once, by the prefix', async (t, stage) => {
  const { context } = stage
  context.register(Pass)
  const prefix = context.init('pass+tcp://127.0.0.1:1') as Prefix
  prefix.open()
  await stage.pump()
  t.match(prefix.error, { code: 'ECONNREFUSED' })
  t.equal(await prefix.opened.catch(error => error), prefix.error)
  t.match(stage.logged.splice(0), [/^noname-0 pass\+tcp:\/\/127.0.0.1:1: .*ECONNREFUSED.*$/])
  prefix.close(true)
  t.match(prefix.error, { code: 'ECONNREFUSED' }, 'also when it has closed')
  const errors: string[] = []
  prefix.on_error = error => {
    errors.push(error.message)
    if (error.message === 'two') prefix.close(true)
  }
  prefix.open()
  t.equal(prefix.error, undefined)
  prefix.child.on_control = () => {
    throw new Error('a hook of the child')
  }
  prefix.child.emit({ type: 'control' })
  prefix.child.fail(new Error('two'))
  t.strictSame(errors, ['a hook of the child', 'two'], 'also if on_error closes the channel')
  class Own extends MessageChannel {
    static override readonly protocol = 'own'
    override on_error(error: Error): void {
      errors.push(`own ${error.message}`)
    }
  }
  context.register(Own)
  errors.length = 0
  const other = context.init('pass+own://') as Prefix
  other.on_error = error => void errors.push(error.message)
  other.open()
  other.child.fail(new Error('x'))
  t.strictSame(errors, ['x', 'own x'], 'a child with its own on_error keeps it')
})

// Invalid data from one client ended the server, and with it all other clients.
stage(t, 'an error with the data of one peer', async (t, stage) => {
  const { context } = stage
  context.register(Upper)
  const server = context.init('upper+tcp://:1;mode=server').open()
  await stage.pump()
  const [bad, good] = [context.init('tcp://:1').open(), context.init('tcp://:1').open()]
  await stage.pump()
  const log = watch(server)
  for (const data of ['throw', 'not any more']) bad.post(data)
  good.post('a')
  await stage.pump()
  t.strictSame([server.state, bad.state, good.state], ['active', 'closed', 'active'])
  t.strictSame(log.sort(), ['A', 'Disconnect'])
  t.match(stage.logged.splice(0), [/^noname-0 upper\+tcp:.*: Error: no/])
})

stage(t, 'posted before it is active', async (t, stage) => {
  const { prefix, child } = make(stage, 'upper+slow://;stat=yes')
  t.strictSame(
    [prefix.stat !== undefined, child.stat],
    [true, undefined],
    'stat is of the prefix alone',
  )
  prefix.open()
  t.match(
    fault(() => prefix.post('early')),
    'post(): the channel is opening',
    'the child says whether it can',
  )
})

stage(t, 'messages in both directions, suspending', async (t, { context }) => {
  context.register(Upper)
  const prefix = context.init('upper+echo://;name=u').open() as Prefix
  prefix.child.process()
  const log: string[] = []
  prefix.callback_add(({ type, data }) => void log.push(`${type} ${data}`), ['data', 'control'])
  prefix.post('abc')
  prefix.post({ type: 'control', data: 'x' })
  t.strictSame(log, ['data ABC', 'control x'])
  const waits = new Promise<void>(() => {})
  prefix.on_message = () => waits
  t.type(prefix.child.emit('y'), Promise, 'the child waits for a slow hook')
  t.strictSame(prefix.info, {})
  context.register(Pass)
  const plain = context
    .init('pass+direct://', { master: context.init('direct://;name=m').open() })
    .open()
  plain.on_message = ({ data }) => void log.push(String(data))
  context.get('m')?.post('z')
  t.equal(log.at(-1), 'z')
  prefix.suspend()
  t.equal(prefix.child.suspended, true)
})

stage(t, 'URLs', async (t, { context }) => {
  context.register(Pass)
  const prefix = context.init(
    'pass+pass+mem://h;name=m;size=2kb;pass.stat=no;mem.frame=full',
  ) as Prefix
  t.equal(String(prefix.child.params.url), 'pass+mem://h;size=2kb;mem.frame=full')
  t.equal(prefix.client_url, 'mem://;master=m')
  t.equal(
    fault(() => context.init('pass+nothing://'))
      .split('\n')
      .slice(1)
      .join('|'),
    '  pass+nothing://|       ^^^^^^^',
    'the rest is pointed at',
  )
  t.match(
    fault(() => context.init('pass+mem://;size=x')),
    'pass+mem://;size=x\n                   ^',
  )
  t.equal((context.init('pass+null://') as Prefix).client_url, undefined)
})

stage(t, 'a child that is attached later', async (t, { context }) => {
  class Later extends Prefix {
    static override readonly protocol = 'later'
    constructor(init: ConstructorParameters<typeof Prefix>[0]) {
      super(init, 'later')
    }
    override do_open(): 'opening' {
      return 'opening'
    }
  }
  context.register(Later)
  const later = context.init('later://') as Later
  t.strictSame([later.client_url, later.info], [undefined, {}])
  t.match(
    fault(() => later.open().post('x')),
    'child: noname-0 has nothing below it yet; wait for `opened`',
  )
  later.close()
  t.equal(later.state, 'closed', 'nothing to wait for')
})

stage(t, 'what is below', async (t, { context }) => {
  context.register(Pass)
  const prefix = context.init('pass+pass+tcp://h:1;frame=line') as Prefix
  t.equal(prefix.carrier.params.url.protocol, 'tcp')
  t.equal(prefix.carries.data, 'line')
  t.equal(prefix.half_close(), true)
  const later = context.init('pass+js://;class=./x.js:X') as Prefix
  t.equal(later.carrier, later.child, 'there is nothing below that one yet')
  t.equal(later.carries.data, 'any')
})

stage(t, 'it fails if a control message is too much for it', async (t, { context }) => {
  class Picky extends Prefix {
    static override readonly protocol = 'picky+'
    override child_control(): never {
      throw new Error('no')
    }
  }
  context.register(Picky)
  const prefix = context.init('picky+direct://') as Prefix
  prefix.on_error = () => {}
  prefix.open()
  prefix.child.emit({ type: 'control', msgid: 1 })
  t.strictSame([prefix.state, prefix.error?.message], ['error', 'no'])
})
