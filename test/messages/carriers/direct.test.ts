import t from 'tap'
import type { ChannelError } from '../../../src/errors.ts'
import { Message, STATES } from '../../../src/messages/message.ts'
import type { MessageChannel } from '../../../src/messages/message-channel.ts'
import { dataOf, fault, type Stage, stage, watch } from '../kit.ts'

function two({ context }: Stage, master = '', slave = ''): [MessageChannel, MessageChannel] {
  return [
    context.init(`direct://;name=m${master}`),
    context.init(`direct://;master=m;name=s${slave}`),
  ]
}

const state = (name: string): Message =>
  new Message({ type: 'state', msgid: (STATES as readonly string[]).indexOf(name) })

stage(t, 'a message is received before post returns', async (t, stage) => {
  const [master, slave] = two(stage)
  t.strictSame([master.client_url, slave.client_url], ['direct://;master=m', undefined])
  const [toMaster, toSlave] = [watch(master), watch(slave)]
  master.open()
  t.equal(master.post('nobody'), true, 'dropped')
  slave.open()
  toMaster.length = toSlave.length = 0
  master.post({ data: 'a', msgid: 5, seq: 6n })
  slave.post({ type: 'control', msgid: 10 })
  slave.post('b')
  t.strictSame([toMaster, toSlave], [['Connect', 'b'], ['a #5 @6']])
  t.strictSame([master.dcaps.size, slave.dcaps.size], [0, 0])
  slave.destroy()
  t.equal(master.post('nobody'), true)
  t.equal(
    stage.context.init('direct://;master=m;name=again').open().state,
    'active',
    'there is room for another',
  )
})

stage(t, 'state messages set the state of the other side', async (t, stage) => {
  const [master, slave] = two(stage, '', ';manual-open=yes')
  const codes: unknown[] = []
  slave.on_error = error => void codes.push((error as Partial<ChannelError>).code)
  master.open()
  slave.open()
  t.equal(slave.state, 'opening')
  master.post(state('active'))
  t.equal(slave.state, 'active')
  master.post(state('error'))
  t.strictSame([slave.state, codes], ['error', ['ERR_DIRECT']])
  master.post(state('closing'))
  t.equal(slave.state, 'closed')
  slave.open()
  master.post(state('opening'))
  t.equal(slave.state, 'opening', 'others change nothing')
  master.post(state('closed'))
  t.equal(slave.state, 'closed')
})

stage(t, 'notify-state, autoseq', async (t, stage) => {
  const [master, slave] = two(stage, ';notify-state=yes;autoseq=yes', ';autoseq=yes')
  slave.open().close()
  master.open()
  const states = dataOf(master)
  master.on_control = ({ msgid, data }) => void states.push(`${msgid === 0x7f000001} ${data}`)
  slave.open()
  const seqs: bigint[] = []
  slave.on_message = ({ seq }) => void seqs.push(seq)
  master.post({ data: 'x', seq: 50n })
  master.post({ data: 'x', seq: 50n })
  slave.destroy()
  t.strictSame(
    [states, seqs],
    [
      ['true opening', 'true active', 'true closing', 'true closed', 'true destroy'],
      [0n, 1n],
    ],
  )
})

stage(t, 'which channels may be a master', async (t, stage) => {
  const { context } = stage
  two(stage)
  context.init('null://;name=n')
  t.match(
    fault(() => context.init('direct://;master=n')),
    'master must be a direct:// channel; got "n"',
  )
  t.match(
    fault(() => context.init('direct://;master=s')),
    'master must be a master, not a slave',
  )
  t.match(
    fault(() => context.init('direct://;master=m')),
    'master must be a master without a slave',
  )
  context.init('direct://;name=m2')
  t.match(
    fault(() => context.init('direct://;master=m2;notify-state=yes')),
    'notify-state must be a parameter of the master',
  )
})

// It numbered what the channel received, so a file and a channel with autoseq were opposites.
stage(t, 'autoseq numbers what is posted, also after opening again', async (t, stage) => {
  const [master, slave] = two(stage, ';autoseq=yes')
  master.open()
  slave.open()
  const seqs = { master: [] as bigint[], slave: [] as bigint[] }
  master.callback_add(({ seq }) => void seqs.master.push(seq), ['data', 'control'])
  slave.callback_add(({ seq }) => void seqs.slave.push(seq), ['data', 'control'])
  master.post({ seq: 50n })
  master.post({ type: 'control', msgid: 1 })
  slave.post({ seq: 10n })
  master.close()
  master.open()
  master.post({ seq: 50n })
  t.strictSame(seqs, { master: [10n], slave: [0n, 1n, 2n] })
})

// It was dropped without a word, though post returned true.
stage(t, 'a side that is opening receives', async (t, stage) => {
  const [master, slave] = two(stage, '', ';manual-open=yes')
  const texts = dataOf(slave)
  master.open()
  slave.open()
  master.post('a')
  t.strictSame([slave.state, texts], ['opening', ['a']])
})
