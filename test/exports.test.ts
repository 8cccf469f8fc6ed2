/** Pins the public names: adding, renaming or losing one is a decision, never an accident. */

import t from 'tap'
import ts from 'typescript'
import * as sluice from '../src/index.ts'
import { ROOT } from './built.ts'

const VALUES = [
  'Channel',
  'ChannelError',
  'Client',
  'ClosedError',
  'ConnectError',
  'Connection',
  'Datagram',
  'Engine',
  'FastNetwork',
  'HookError',
  'InvalidAddressError',
  'InvalidArgumentError',
  'InvalidDelimiterError',
  'InvalidStateError',
  'ListenError',
  'NetStruct',
  'OverflowError',
  'ProxyHeaderError',
  'ReadError',
  'Server',
  'Stream',
  'StreamServer',
  'Struct',
  'StructError',
  'TimeoutError',
  'TlsError',
  'TlsHandshakeError',
  'UnsupportedOptionError',
  'WriteError',
  'length_prefix',
]

const TYPES = [
  'Address',
  'BlockList',
  'Buffer',
  'Bytes',
  'Cancel',
  'ChannelOptions',
  'Clock',
  'CloseReason',
  'ConnectOptions',
  'ConnectionClass',
  'ConnectionOptions',
  'Cut',
  'Data',
  'DatagramArguments',
  'DatagramError',
  'DatagramOptions',
  'Delimiter',
  'DropReason',
  'Encoding',
  'Endpoint',
  'EngineOptions',
  'EngineStats',
  'EventDetails',
  'FileName',
  'Files',
  'FileSink',
  'FileSinkOwner',
  'FileSource',
  'LengthPrefix',
  'LengthPrefixOptions',
  'Listener',
  'ListenerSink',
  'ListenOptions',
  'Log',
  'Milliseconds',
  'Network',
  'PacketOptions',
  'PacketSink',
  'PacketSocket',
  'PacketDropReason',
  'Packed',
  'Packer',
  'Port',
  'ReadArguments',
  'ReadDelimiter',
  'ServerListenOptions',
  'SocketAddress',
  'State',
  'StateSignal',
  'StreamConnectOptions',
  'StreamOptions',
  'StreamServerOptions',
  'StructFields',
  'StructValues',
  'SystemError',
  'TimeoutKind',
  'Tls',
  'TlsContext',
  'TlsInfo',
  'TlsOptions',
  'TlsReserved',
  'TlsSide',
  'Transport',
  'TransportSink',
]

const TESTING_VALUES = ['ManualClock', 'MemoryNetwork', 'Recorder', 'TrickleNetwork', 'pair']
const TESTING_TYPES = ['MemoryNetworkOptions', 'Pair', 'PairOptions']

const program = ts.createProgram(
  ['index.ts', 'testing.ts'].map(name => `${ROOT}src/${name}`),
  {
    noLib: true,
    types: [],
    allowImportingTsExtensions: true,
    noEmit: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
  },
)

/** The names that a file exports, those of types included. */
function exported(name: string): string[] {
  const file = program.getSourceFile(`${ROOT}src/${name}`) as ts.SourceFile
  const checker = program.getTypeChecker()
  return checker
    .getExportsOfModule(checker.getSymbolAtLocation(file) as ts.Symbol)
    .map(symbol => symbol.name)
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

/** The prototypes of a class: its own and those of the classes of sluice above it. */
function prototypesOf(of: { readonly prototype: object }): object[] {
  const found: object[] = []
  for (let each = of.prototype; ; each = Object.getPrototypeOf(each)) {
    if (each === Object.prototype || each === Error.prototype) return found
    found.push(each)
  }
}

t.test('what a public class has is in snake_case, and nothing is half private', async t => {
  for (const [name, value] of Object.entries(sluice)) {
    if (typeof value !== 'function' || value.prototype === undefined) continue
    for (const owner of [value, ...prototypesOf(value)]) {
      const members = Object.getOwnPropertyNames(owner).filter(
        member => !/^[a-z]+(_[a-z]+)*$/.test(member),
      )
      t.strictSame(
        members.filter(member => member !== 'ConnectionClass'),
        [],
        name,
      )
    }
  }
})
