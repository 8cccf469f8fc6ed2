/**
 * Pins the public names: adding, renaming or losing one is a decision, never an accident. And holds
 * what an editor shows of them: every name has a docstring, which is for the user of the name.
 */

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import type TypeScript from 'typescript-api'
import * as sluice from '../src/index.ts'
import { reachOf } from './batches.ts'
import { built, ROOT } from './built.ts'
import { ts } from './compiler.ts'

// prettier-ignore
const VALUES = [
  'BunNetwork', 'Channel', 'ChannelError', 'Client', 'ClosedError', 'ConnectError', 'Connection',
  'Datagram', 'Engine', 'FastNetwork', 'HookError', 'InvalidAddressError', 'InvalidArgumentError',
  'InvalidDelimiterError', 'InvalidStateError', 'ListenError', 'NetStruct', 'OverflowError',
  'ProxyHeaderError', 'ReadError', 'RequestError', 'Requests', 'Server', 'Stream', 'StreamServer',
  'Struct', 'StructError', 'TimeoutError', 'TlsError', 'TlsHandshakeError',
  'UnsupportedOptionError', 'WriteError', 'dot_block', 'length_prefix',
]

// prettier-ignore
const TYPES = [
  'Address', 'BecomeOptions', 'BlockList', 'BroadcastOptions', 'Buffer', 'Bytes', 'Cancel',
  'ChannelOptions', 'Clock', 'CloseReason', 'ConnectionClass', 'ConnectionOptions',
  'ConnectOptions', 'Cut', 'Data', 'DatagramArguments', 'DatagramError', 'DatagramOptions',
  'Delimiter', 'DotBlock', 'DropReason', 'Encoding', 'Endpoint', 'EngineOptions', 'EngineStats',
  'EventDetails', 'FileEnds', 'FileName', 'Files', 'FileSink', 'FileSinkOwner', 'FileSource',
  'FileTail', 'GroupOptions', 'KeepAlive', 'KeepAliveProbes', 'LengthPrefix', 'LengthPrefixOptions',
  'ListenAddress', 'ListenEndpoint', 'Listener', 'ListenerSink', 'ListenOptions',
  'LivePacketOptions', 'Log', 'Milliseconds', 'Network', 'Packed', 'Packer', 'PacketDropReason',
  'PacketOptions', 'PacketSink', 'PacketSocket', 'Port', 'ProxyExtensions', 'Read',
  'ReadArguments', 'ReadDelimiter', 'ReadOptions', 'ReportedError', 'RequestsOptions',
  'SendOptions', 'ServerListenOptions', 'SocketAddress', 'State', 'StateSignal',
  'StreamConnectOptions', 'StreamOptions', 'StreamServerOptions', 'StructFields', 'StructValues',
  'SystemError', 'TimeoutKind', 'Tls', 'TlsContext', 'TlsInfo', 'TlsOptions', 'TlsReserved',
  'TlsSide', 'Transport', 'TransportSink',
]

// prettier-ignore
const TESTING_VALUES = [
  'ManualClock', 'MemoryNetwork', 'Recorder', 'TrickleNetwork', 'pair', 'settle',
]
const TESTING_TYPES = ['Made', 'MemoryNetworkOptions', 'Pair', 'PairOptions']

/** What users import from. */
const FACES = [
  'index.ts',
  'testing.ts',
  'messages/index.ts',
  'protocols/echo/index.ts',
  'protocols/websocket/index.ts',
  'protocols/nats/index.ts',
  'protocols/redis/index.ts',
  'relay/index.ts',
  'envelope/index.ts',
  'rooms/index.ts',
  'rooms/browser.ts',
  'packets/index.ts',
]

/** The declarations that the build has made: they have no code to be parsed. */
const LIB = built()
const fileOf = (face: string): string => LIB + face.replace(/ts$/, 'd.ts')

const program = ts.createProgram(FACES.map(fileOf), {
  noLib: true,
  types: [],
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
})

const checker = program.getTypeChecker()

/** What a file exports, types included. */
function symbolsOf(name: string): TypeScript.Symbol[] {
  const file = program.getSourceFile(fileOf(name)) as TypeScript.SourceFile
  return checker.getExportsOfModule(checker.getSymbolAtLocation(file) as TypeScript.Symbol)
}

function exported(name: string): string[] {
  return symbolsOf(name).map(symbol => symbol.name)
}

t.test('sluice', async t => {
  t.strictSame(Object.keys(sluice).sort(), VALUES.toSorted())
  t.strictSame(exported('index.ts').sort(), [...VALUES, ...TYPES].sort())
})

t.test('sluice/testing', async t => {
  t.strictSame(exported('testing.ts').sort(), [...TESTING_VALUES, ...TESTING_TYPES].sort())
})

t.test('sluice/echo', async t => {
  t.strictSame(Object.keys(await import('../src/protocols/echo/index.ts')), ['Echo'])
})

// prettier-ignore
const WEBSOCKET = [
  'AcceptOptions', 'AttachOptions', 'DeflateOptions', 'HandshakeError', 'Origins', 'ProtocolError',
  'SendOptions',
  'UpgradeRequest', 'WebSocketChannel', 'WebSocketClient', 'WebSocketClientOptions',
  'WebSocketConnectOptions', 'WebSocketConnection', 'WebSocketConnectionOptions',
  'WebSocketServer', 'WebSocketServerOptions', 'WebSocketServerSettings',
  'WebSocketServerSideSettings', 'WebSocketSettings',
]

t.test('sluice/websocket', async t => {
  t.strictSame(exported('protocols/websocket/index.ts').sort(), WEBSOCKET)
})

// prettier-ignore
const ENVELOPE = [
  'Act', 'AnyContextChannelClass', 'AnyMessageClass', 'AnySchema', 'AppState', 'AsyncRunnable',
  'BadRequestError', 'Batch', 'Batch2', 'ChannelKey', 'ChannelLeave', 'ChannelLeft',
  'ChannelListSubscriptions', 'ChannelRecheck', 'ChannelRegistry', 'ChannelSubscribe',
  'ChannelSubscribed', 'ChannelSubscriptions', 'ClassIn', 'ClassOf', 'ClientInfo', 'Close',
  'ClosedArguments', 'Closing', 'ConnectReceiverOptions', 'ConnectionArguments', 'Consumer',
  'ConsumerArguments', 'ConsumerClass', 'ConsumerServer', 'ContextAction', 'ContextActionOptions',
  'ContextChannel', 'ContextChannelClass', 'ContextChannelOptions', 'DataOf', 'DeferredJob',
  'DictTransport', 'Envelope', 'EnvelopeData', 'EnvelopeOptions', 'EnvelopeSchema',
  'EnvelopeSchemaOptions', 'EnvelopeTransport', 'ErrorMessage', 'ErrorMessageClass', 'FailedError',
  'Fault', 'Fields', 'GenericError', 'Handshake', 'InitArguments', 'Input', 'InputOf', 'JobData',
  'JobError', 'JobPool', 'JobQueue', 'JobRun', 'JobRunner', 'JobSurroundings', 'Key', 'Layer',
  'LayerEvent', 'LayerMember', 'ListSchema', 'MemoryQueue', 'MemoryQueueOptions', 'Message',
  'MessageArguments', 'MessageClass', 'MessageInit', 'MessageMeta', 'MessageOf', 'MessageRegistry',
  'MessageState', 'MessageStates', 'MessageTypeError', 'MetaFields', 'Model', 'ModelOptions',
  'NameOf', 'Named', 'NotFoundError', 'NumberSchema', 'OnlineChannel', 'OptionalSchema', 'Origin',
  'Output', 'OutsideOptions', 'Ping', 'Pong', 'Progress', 'PubSubChannel', 'PubSubChannelClass',
  'Queued', 'Receiver', 'RedisQueue', 'RedisQueueOptions', 'RedisWorker', 'RedisWorkerOptions',
  'RequestOptions', 'Run', 'Schema', 'SendClientInfo', 'SendOptions', 'Sending', 'SendingIn',
  'Sent', 'ShapeInput', 'ShapeOutput', 'ShapeSchema', 'Signal', 'StandardIssue', 'StandardProps',
  'StandardResult', 'StandardSchema', 'Stat', 'SubscribeError', 'SubscribedArguments', 'Subscriber',
  'TextSchema', 'TextTransport', 'ThreadPool', 'ThreadPoolOptions', 'Transaction',
  'UnauthorizedError', 'UserChannel', 'ValidationError', 'ValidationErrorMessage', 'Wish',
  'WorkerQueue', 'WorkerQueueOptions', 'add_envelopes', 'add_layers', 'add_message', 'add_queues',
  'anything', 'boolean', 'channel_messages', 'channel_subscribed', 'check_envelopes',
  'connection_active', 'connection_closed', 'connection_created', 'consumer', 'consumer_closed',
  'consumer_connected', 'consumer_disconnected', 'context_action', 'context_channel',
  'context_channel_registry', 'envelope_schema', 'error_message', 'error_schema', 'errors',
  'full_schema', 'get_envelope', 'get_error_type', 'get_layer', 'get_message_registry', 'get_queue',
  'incoming_internal_message', 'incoming_schema', 'incoming_websocket_message', 'integer',
  'internal', 'internal_send', 'jobs_with', 'language_of', 'list', 'message', 'new_channel_name',
  'number', 'one_of', 'optional', 'outgoing_schema', 'outgoing_websocket_error',
  'outgoing_websocket_message', 'pubsub_channel', 'pubsub_channel_registry', 'remove_layers',
  'remove_queues', 'shape', 'subscribe_user', 'text', 'track_connections', 'transactions_from',
  'websocket_send', 'websocket_send_error', 'ws_incoming', 'ws_outgoing',
]

t.test('sluice/envelope', async t => {
  t.strictSame(exported('envelope/index.ts').sort(), ENVELOPE)
})

// prettier-ignore
const REDIS = [
  'Argument', 'CommandOptions', 'Commands', 'Keys', 'MessageHandler', 'NestedRedisOptions', 'Push',
  'RedisClient',
  'RedisError', 'RedisOptions', 'RedisState', 'RedisView', 'Replies', 'Reply', 'ReplyBounds',
  'Run', 'SetOptions', 'StreamEntry', 'StreamReadOptions', 'SubscribeOptions', 'TextOf',
  'Transaction', 'Word', 'XaddOptions', 'XreadOptions',
]

t.test('sluice/redis', async t => {
  t.strictSame(exported('protocols/redis/index.ts').sort(), REDIS)
})

// prettier-ignore
const RELAY = [
  'MemoryRelay', 'NatsRelay', 'NatsRelayOptions', 'PresenceListener', 'RedisRelay',
  'RedisRelayOptions', 'Relay', 'RelayEntry',
  'RelayError', 'RelayHistory', 'RelayListener', 'RelayOptions', 'SubscribeOptions', 'open_relay',
]

t.test('sluice/relay', async t => {
  t.strictSame(exported('relay/index.ts').sort(), RELAY)
})

// prettier-ignore
const ROOMS_CLIENT = [
  'Channel', 'ChannelConnectionError', 'ChannelError', 'ChannelMessageError', 'ChannelState',
  'JoinOptions', 'MessageErrorDetails', 'ReconnectingEvent', 'RoomChannel', 'RoomChannelOptions',
  'RoomCloseEvent', 'Signal',
]
const ROOMS = [
  'EmitOptions',
  'HistoryOptions',
  'Member',
  'RoomNodeOptions',
  'RoomServer',
  'RoomServerOptions',
  'RoomServerSettings',
]

t.test('sluice/rooms, and what of it is for browsers', async t => {
  t.strictSame(exported('rooms/index.ts').sort(), [...ROOMS_CLIENT, ...ROOMS].sort())
  t.strictSame(exported('rooms/browser.ts').sort(), ROOMS_CLIENT)
})

// prettier-ignore
const NATS = [
  'NatsClient', 'NatsClientOptions', 'NatsConsumer', 'NatsConsumerConfig', 'NatsConsumerInfo',
  'NatsError', 'NatsErrorCode', 'NatsErrorDetails', 'NatsFetchOptions', 'NatsHandler',
  'NatsHeaders', 'NatsJetStream', 'NatsJetStreamOptions', 'NatsMessage', 'NatsPublishOptions',
  'NatsPurgeOptions', 'NatsRecord', 'NatsRequestOptions', 'NatsServerInfo', 'NatsServers',
  'NatsSettings', 'NatsStoreOptions', 'NatsStored', 'NatsStoredMessage', 'NatsStreamConfig',
  'NatsStreamInfo', 'NatsSubscribeOptions', 'NatsSubscription', 'NatsWhich',
]

t.test('sluice/nats', async t => {
  t.strictSame(exported('protocols/nats/index.ts').sort(), NATS)
})

// prettier-ignore
const PACKETS = [
  'AgentDetails', 'AgentRecord', 'Architect', 'ChannelStats', 'ConformanceCheck',
  'ConformanceError', 'ConformanceFixture', 'ConformanceReport', 'Job', 'LossOptions',
  'MockArchitect', 'MockArchitectOptions', 'MockServer', 'MockServerOptions',
  'OnCatastrophicDisconnect', 'OnChannelOpen', 'OnMessage', 'PACKET_TYPES', 'Packet',
  'PacketAgent', 'PacketAgentOptions', 'PacketChannel', 'PacketChannelError', 'PacketData',
  'PacketDict', 'PacketError', 'PacketFields', 'PacketFields2020', 'PacketFieldsToday',
  'PacketHandlers', 'PacketPlace', 'PacketRouter', 'PacketRouterOptions', 'PacketTimestamps',
  'PacketTypes', 'ROUTER_ID', 'RouterDropReason', 'RouterMember', 'RouterStats', 'Run', 'RunEnd',
  'SUPERVISOR_ID', 'Supervisor', 'SupervisorOptions', 'WebsocketChannel',
  'WebsocketChannelOptions', 'check_packet_channel',
]

t.test('sluice/packets', async t => {
  t.strictSame(exported('packets/index.ts').sort(), PACKETS.toSorted())
})

/** The prototypes of a class: its own and those of the classes of sluice above it. */
function prototypesOf(of: { readonly prototype: object }): object[] {
  const found: object[] = []
  for (let each = of.prototype; ; each = Object.getPrototypeOf(each)) {
    if (each === Object.prototype || each === Error.prototype) return found
    found.push(each)
  }
}

// `npm install`, the first command of README, changed the lock file: commands were missing in it.
t.test('the lock file has what package.json has', async t => {
  const read = (name: string) => JSON.parse(readFileSync(`${ROOT}${name}`, 'utf8'))
  const { packages } = read('package-lock.json')
  const { version, bin, engines, devDependencies, peerDependencies } = read('package.json')
  t.match(packages[''], { version, bin, engines, devDependencies, peerDependencies })
})

t.test('what a public class has is in snake_case, and nothing is half private', async t => {
  for (const [name, value] of Object.entries(sluice)) {
    if (typeof value !== 'function' || value.prototype === undefined) continue
    for (const owner of [value, ...prototypesOf(value)]) {
      const members = Object.getOwnPropertyNames(owner).filter(
        member => !/^[a-z]+(_[a-z]+)*$/.test(member.replace('ipv6', 'ip')),
      )
      t.strictSame(
        members.filter(member => member !== 'ConnectionClass'),
        [],
        name,
      )
    }
  }
})

/** What an export stands for. */
function resolved(symbol: TypeScript.Symbol): TypeScript.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
}

/** Is it declared by us? Buffer and the members of Error, for example, are not. */
function isOurs(declaration: TypeScript.Declaration): boolean {
  return declaration.getSourceFile().fileName.startsWith(LIB)
}

/** The public members of a class or interface, inherited ones included. */
function membersOf(symbol: TypeScript.Symbol): TypeScript.Symbol[] {
  if ((symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) === 0) return []
  const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
  return members.filter(({ name }) => /^\w/.test(name) && !name.startsWith('__'))
}

t.test('every public name and every public member has a docstring', async t => {
  for (const face of FACES) {
    const names = symbolsOf(face).map(resolved)
    const all = names.flatMap(symbol => [
      [symbol.name, symbol] as const,
      ...membersOf(symbol).map(member => [`${symbol.name}.${member.name}`, member] as const),
    ])
    const silent = all.filter(
      ([, symbol]) =>
        symbol.declarations?.some(isOurs) === true &&
        symbol.getDocumentationComment(checker).length === 0,
    )
    t.strictSame(
      silent.map(([name]) => name),
      [],
      face,
    )
  }
})

// They led to node:fs, by a type beside the checks of options.
t.test('the declarations for browsers need none of Node', async t => {
  const files = reachOf(fileOf('rooms/browser.ts'))
  t.ok(files.size > 5)
  t.same(
    [...files].filter(file => readFileSync(file, 'utf8').includes("'node:")),
    [],
  )
})

// Programs of exactOptionalPropertyTypes could not pass on what they may have been given:
// `broadcast(data, { except })`.
t.test('an option may be undefined, which means left out', async t => {
  for (const face of FACES) {
    const options = symbolsOf(face)
      .map(symbol => checker.getDeclaredTypeOfSymbol(resolved(symbol)))
      .filter(({ symbol }) => symbol?.name.endsWith('Options'))
    const faults = options.flatMap(type =>
      checker
        .getPropertiesOfType(type)
        .filter(({ declarations }) => declarations?.some(refusesUndefined) === true)
        .map(({ name }) => `${type.symbol.name}.${name}`),
    )
    const partial = options.flatMap(({ symbol }) =>
      (symbol.declarations ?? []).filter(each => /extends[^{]*\bPartial</.test(each.getText())),
    )
    t.strictSame(faults, [], face)
    t.strictSame(
      partial.map(each => each.getText()),
      [],
      'AsOptions, not Partial',
    )
  }
})

function refusesUndefined(each: TypeScript.Declaration): boolean {
  if (!ts.isPropertySignature(each) || each.questionToken === undefined) return false
  return isOurs(each) && !/\b(undefined|unknown|any)\b/.test(each.type?.getText() ?? '')
}

t.test(
  'declarations are for users: no notes of ours, no types of the newest TypeScript',
  async t => {
    const files = (readdirSync(`${ROOT}src`, { recursive: true }) as string[])
      .filter(name => name.endsWith('.ts'))
      .map(name => name.replace(/ts$/, 'd.ts'))
    t.ok(files.length > 100)
    const faults = files.flatMap(file => {
      const text = readFileSync(LIB + file, 'utf8')
      // Where a name comes from is a // comment behind its docstring: a .d.ts has no such comments.
      const note = /(Source|Origin): |\bOurs\b|`?Differs:/.exec(text)
      // TypeScript below 5.7 takes it for an error; with skipLibCheck it turns the type into any.
      const newest = /(Uint8Array|Buffer)<[^>]*>/.exec(text)
      return [note, newest].flatMap(found => (found === null ? [] : [`${file}: ${found[0]}`]))
    })
    t.same(faults, [])
  },
)
