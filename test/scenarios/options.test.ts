/**
 * The options of everything that takes some: a name that does not exist is refused with the one
 * that was meant, and a value that is none by its name, both with ERR_INVALID_ARGUMENT.
 *
 * `backoff: 5`, `engine: {}`, `transport: 5`, `headers: 5`, `redis: 5` and others were taken
 * without a word, or ended in a TypeError of V8 much later.
 */

import { createServer } from 'node:http'
import t from 'tap'
import { Client, Connection, Server } from '../../src/channels/basic.ts'
import * as envelope from '../../src/envelope/index.ts'
import * as packets from '../../src/packets/index.ts'
import { NatsClient, NatsConsumer, NatsJetStream } from '../../src/protocols/nats/index.ts'
import { RedisClient, Replies } from '../../src/protocols/redis/index.ts'
import { REPLY_BOUNDS } from '../../src/protocols/redis/reply-parser.ts'
import { WebSocketConnection, WebSocketServer } from '../../src/protocols/websocket/index.ts'
import { MemoryRelay, NatsRelay, open_relay, RedisRelay } from '../../src/relay/index.ts'
import { Channel, RoomServer } from '../../src/rooms/index.ts'

type Row = readonly [what: string, call: (options: any) => unknown, names: string]

const nothing = (): void => {}
const CALLBACKS = [nothing, nothing, nothing] as const
const REDIS = 'username password db client_name tls protocol timeout connect_timeout limit'
const TLS = 'servername session ALPNProtocols'
const CHANNEL = 'lost backoff connect_timeout heartbeat packet_size on_error'

const redis = new RedisClient()
const nats = new NatsClient()
const streams = new NatsJetStream(nats)
const relay = new MemoryRelay()
const supervisor = new packets.Supervisor()
const server = new RoomServer()
const http = createServer()

const model = new envelope.Model({ name: 'a', find: nothing as never })
class Hello extends envelope.message('hello') {}

// prettier-ignore
const ROWS: readonly Row[] = [
  ['tls', tls => new Client({ tls }), TLS],
  ['tls', tls => void (new Client().tls = tls), TLS],
  ['tls', tls => new Server(Connection, { tls }), TLS],
  ['tls', tls => new WebSocketServer(WebSocketConnection, { tls }), TLS],
  ['start_tls', o => new Client().start_tls(o), TLS],
  ['start_tls', o => new Server(Connection).start_tls(o), TLS],
  ['RedisClient: tls', tls => new RedisClient({ tls }), TLS],
  ['NatsClient: tls', tls => new NatsClient({ tls }), TLS],
  ['nats: tls', tls => new NatsRelay('nats://a', { nats: { tls } }), TLS],
  ['new Channel: tls', tls => new Channel('wss://a', { tls }), TLS],
  ['new Replies', o => new Replies({ ...REPLY_BOUNDS, ...o }), 'size count depth'],

  ['RedisClient', o => new RedisClient(o), `engine waiting ${REDIS}`],
  ['RedisClient: reconnect', reconnect => new RedisClient({ reconnect }), 'first longest random'],
  ['with', o => redis.with(o), 'timeout encoding'],
  ['subscribe', o => redis.subscribe('a', nothing, o), 'on_gap'],
  ['stream', o => redis.stream('a', o), 'from count group consumer'],
  ['set', o => redis.set('a', 'b', o), 'ex px nx xx keepttl'],
  ['xadd', o => redis.xadd('a', { b: 1 }, o), 'id maxlen exact'],
  ['xread', o => redis.xread({ a: '0' }, o), 'count block'],

  ['NatsClient', o => new NatsClient(o), 'user tls echo ping_max queue_size connect_timeout'],
  ['backoff', backoff => new NatsClient({ backoff }), 'first longest lasting'],
  ['request', o => nats.request('a', '', o), 'headers timeout'],
  ['publish', o => nats.publish('a', '', o), 'headers reply'],
  ['subscribe', o => nats.subscribe('a', o), 'group max'],
  ['new NatsJetStream', o => new NatsJetStream(nats, o), 'domain timeout'],
  ['publish', o => streams.publish('a', '', o), 'headers id expect_stream expect_last_subject_seq'],
  ['message', o => streams.message('a', o), 'seq last_of next_of'],
  ['create_stream', o => streams.create_stream({ name: 'A', ...o }), 'subjects storage max_age'],
  ['create_consumer', o => streams.create_consumer('A', o), 'durable_name opt_start_seq ack_wait'],
  ['purge_stream', o => streams.purge_stream('A', o), 'subject keep seq'],
  ['fetch', o => new NatsConsumer({} as never, 'A', 'b').fetch(1, o), 'wait'],

  ['new MemoryRelay', o => new MemoryRelay(o), 'engine history history_age lease'],
  ['new MemoryRelay', o => open_relay('memory:', o), 'engine history history_age lease'],
  ['new RedisRelay', o => new RedisRelay('redis://a', o), 'engine history lease redis'],
  ['new RedisRelay: redis', redis => new RedisRelay('redis://a', { redis }), REDIS],
  ['new NatsRelay', o => new NatsRelay('nats://a', o), 'engine history lease prefix nats'],
  ['new NatsRelay: nats', nats => new NatsRelay('nats://a', { nats }), 'user backoff ping_max'],
  ['subscribe', o => relay.subscribe('a', nothing, o), 'on_gap'],

  ['new Channel', o => new Channel('ws://a', o), 'engine context headers tls name protocols'],
  ['RoomServer', o => new RoomServer(o), 'relay history presence rate topic context'],
  ['history', history => new RoomServer({ history }), 'count age'],
  ['emit', o => server.emit('a', {}, o), 'except volatile'],

  ['new Supervisor', o => new packets.Supervisor(o), 'engine shape queue_limit on_error'],
  ['shutdown', o => supervisor.shutdown(o), 'timeout'],
  ['new PacketRouter', o => new packets.PacketRouter(o), 'context grace keep relay on_alive'],
  ['new PacketAgent', o => new packets.PacketAgent('a', 'ws://a', o), 'shape context on_packet'],
  ['new PacketAgent: channel',
    channel => new packets.PacketAgent('a', 'ws://a', { channel }), CHANNEL],
  ['new WebsocketChannel',
    o => new packets.WebsocketChannel('a', ...CALLBACKS, 'ws://a', o), `context ${CHANNEL}`],
  ['new WebsocketChannel: lost',
    lost => new packets.WebsocketChannel('a', ...CALLBACKS, 'ws://a', { lost }),
    'max_attempts max_outage refusals certificates'],
  ['new MockServer', o => new packets.MockServer(o), 'context url answers'],
  ['new MockArchitect', o => new packets.MockArchitect(o), 'context server channels channel'],
  ['check_packet_channel',
    o => packets.check_packet_channel({ make: nothing as never, ...o }), 'received engine timeout'],

  ['new Envelope', o => new envelope.Envelope({ name: 'a', ...o }),
    'messages schema transport allow_batch message_signal logger_name layer_name'],
  ['new Model',
    o => new envelope.Model({ name: 'a', find: nothing as never, ...o }), 'has_perm key'],
  ['pubsub_channel', o => envelope.pubsub_channel('a', o), 'envelope'],
  ['context_channel', o => envelope.context_channel('a', { model, ...o }), 'permission envelope'],
  ['context_action',
    o => envelope.context_action('a', envelope.shape({}), o), 'model permission'],
  ['connect', o => new envelope.Signal().connect(nothing, o), 'weak'],
  ['websocket_send', o => envelope.websocket_send(new Hello() as never, o),
    'channel_name group state on_commit envelope'],
  ['mm', mm => new Hello({ mm } as never), 'id consumer_name language state env'],
  ['new MemoryQueue', o => new envelope.MemoryQueue(o), 'name size pool'],
  ['new WorkerQueue', o => new envelope.WorkerQueue('./x.js', o), 'name size threads tries engine'],
  ['new RedisQueue', o => new envelope.RedisQueue('redis://a', o), 'name size put_timeout redis'],
  ['new RedisWorker', o => new envelope.RedisWorker('redis://a', o), 'count tries runner redis'],
  ['new RedisWorker: retry',
    retry => new envelope.RedisWorker('redis://a', { retry }), 'first longest'],
  ['jobs_with', o => envelope.jobs_with(o), 'find_user atomic'],

  ['attach', o => new WebSocketServer(WebSocketConnection).attach(http, o), 'path'],
]

/** The error of a call, whether it is thrown or what its promise is rejected with. */
async function errorOf(call: () => unknown): Promise<{ code?: string; message?: string }> {
  try {
    const result = await call()
    return { message: `nothing: ${String(result)}` }
  } catch (error) {
    return error as Error
  }
}

for (const [what, call, list] of ROWS)
  t.test(`${what} { ${list} }`, async t => {
    const names = list.split(' ')
    const typo = `${names[0]}x`
    const unknown = await errorOf(() => call({ [typo]: 1 }))
    t.equal(unknown.code, 'ERR_INVALID_ARGUMENT')
    t.match(unknown.message, `there is no option "${typo}"; `)
    for (const name of names) {
      const wrong = await errorOf(() => call({ [name]: Symbol('wrong') }))
      t.equal(wrong.code, 'ERR_INVALID_ARGUMENT', `${name}: ${wrong.message}`)
      t.match(wrong.message, name)
      t.match(wrong.message, 'Symbol(wrong)')
    }
  })

/** What is no object at all, where something is taken out of it before it is looked at. */
t.test('null instead of options, and names that are no text', async t => {
  const none = null as never
  const rows: (() => unknown)[] = [
    () => envelope.websocket_send(new Hello() as never, none),
    () => envelope.internal_send(new Hello() as never, none),
    () => envelope.pubsub_channel('a', none),
    () => envelope.context_channel('a', none),
    () => envelope.get_envelope(5 as never),
    () => envelope.get_layer(none),
    () => envelope.get_queue(Symbol('wrong') as never),
    () => new envelope.Envelope({ name: 'a' }).unpack(none),
    () => new envelope.Envelope({ name: 'a' }).parse({} as never),
    () => streams.publish('a', '', none),
    () => redis.eval('', none),
    () => redis.eval('', [], { a: 1 } as never),
    () => open_relay(Symbol('wrong') as never),
    () => new NatsClient([] as never),
    () => new RoomServer(new Map() as never),
  ]
  for (const row of rows) t.equal((await errorOf(row)).code, 'ERR_INVALID_ARGUMENT', String(row))
})
