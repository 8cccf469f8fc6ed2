import t from 'tap'
import {
  asError,
  ChannelError,
  ClosedError,
  codeOf,
  ConnectError,
  HookError,
  InvalidAddressError,
  InvalidArgumentError,
  InvalidDelimiterError,
  InvalidStateError,
  ListenError,
  messageOf,
  OverflowError,
  ProxyHeaderError,
  ReadError,
  RequestError,
  show,
  stackOf,
  StructError,
  TimeoutError,
  UnsupportedOptionError,
  UrlError,
  WriteError,
} from '../src/errors.ts'

t.test('every error is a ChannelError with its name, its code and what to do', async t => {
  const errors: [error: ChannelError, name: string, code: string, message: string][] = [
    [new ChannelError('ERR_X', 'text'), 'ChannelError', 'ERR_X', 'text'],
    [new RequestError('ERR_CLOSED', 'text', 'remote'), 'RequestError', 'ERR_CLOSED', 'text'],
    [
      new InvalidArgumentError('size', 'an integer', 'x'),
      'InvalidArgumentError',
      'ERR_INVALID_ARGUMENT',
      'size must be an integer; got "x"',
    ],
    [
      new InvalidArgumentError('listen: an address is one value'),
      'InvalidArgumentError',
      'ERR_INVALID_ARGUMENT',
      'listen: an address is one value',
    ],
    [
      new InvalidAddressError('no port', undefined),
      'InvalidAddressError',
      'ERR_INVALID_ADDRESS',
      'no port; got undefined. ' +
        'An address is a port, [host, port], { host, port }, a path or { path }',
    ],
    [
      new InvalidDelimiterError('too odd', 0.5),
      'InvalidDelimiterError',
      'ERR_INVALID_DELIMITER',
      'read_delimiter: too odd; got 0.5',
    ],
    [
      new InvalidStateError('connect()', 'it is connected', 'close it first'),
      'InvalidStateError',
      'ERR_INVALID_STATE',
      'connect(): it is connected; close it first',
    ],
    [
      new UnsupportedOptionError('reuse_port', 'Node 23'),
      'UnsupportedOptionError',
      'ERR_UNSUPPORTED_OPTION',
      'reuse_port needs Node 23',
    ],
    [
      new ProxyHeaderError('odd'),
      'ProxyHeaderError',
      'ERR_PROXY_HEADER',
      'invalid header of the PROXY protocol: odd',
    ],
    [new UrlError('no', 'x://h\n', 4, 0), 'UrlError', 'ERR_INVALID_URL', 'no\n  x://h·\n      ^'],
    [new UrlError('no', 5 as never, -1, -1), 'UrlError', 'ERR_INVALID_URL', 'no\n  5\n  ^'],
    [new StructError('bad'), 'StructError', 'ERR_STRUCT', 'bad'],
    [new ConnectError('ECONNREFUSED', 'refused'), 'ConnectError', 'ECONNREFUSED', 'refused'],
    [new ListenError('EADDRINUSE', 'in use'), 'ListenError', 'EADDRINUSE', 'in use'],
    [new ReadError('ECONNRESET', 'reset'), 'ReadError', 'ECONNRESET', 'reset'],
    [new WriteError('EPIPE', 'broken'), 'WriteError', 'EPIPE', 'broken'],
    [new OverflowError('receive', 10, 'too much'), 'OverflowError', 'ERR_OVERFLOW', 'too much'],
    [
      new TimeoutError('lifetime', 'max_lifetime', 500, 'open longer than'),
      'TimeoutError',
      'ERR_TIMEOUT',
      'open longer than max_lifetime, 500 ms',
    ],
    [new ClosedError('gone'), 'ClosedError', 'ERR_CLOSED', 'gone'],
    [new HookError('text'), 'HookError', 'ERR_HOOK', 'a hook threw "text": throw an Error instead'],
  ]
  for (const [error, name, code, message] of errors) {
    t.ok(error instanceof ChannelError && error instanceof Error)
    t.match(error, { name, code, message })
  }
  t.match(new OverflowError('send', 7, ''), { buffer: 'send', limit: 7 })
  t.match(new TimeoutError('idle', 'idle_timeout', 7, ''), {
    kind: 'idle',
    setting: 'idle_timeout',
    after: 7,
  })
})

t.test('the error underneath is the cause, where there is one', async t => {
  const cause = new Error('underneath')
  t.equal(new ReadError('ECONNRESET', 'reset', cause).cause, cause)
  t.equal(new HookError(5).cause, 5)
  t.equal(new HookError(null).cause, null)
  t.notOk('cause' in new ReadError('ECONNRESET', 'reset'))
})

t.test('a subclass of a program has its own name', async t => {
  class Mine extends ChannelError {}
  t.equal(new Mine('ERR_MINE', '').name, 'Mine')
})

t.test('codeOf and messageOf take anything that can be thrown', async t => {
  t.equal(codeOf(Object.assign(new Error(), { code: 'ENOENT' })), 'ENOENT')
  for (const thrown of [new Error(), { code: 5 }, {}, null, undefined, 'text', 7])
    t.equal(codeOf(thrown), '')
  t.equal(messageOf(new Error('text')), 'text')
  t.equal(messageOf('text'), '"text"')
  t.equal(messageOf(undefined), 'undefined')
})

// A hook that threw such a thing ended the process: it threw again when it was read.
t.test('what was thrown may throw when it is read', async t => {
  const throwing = {
    get(): never {
      throw new Error('trap')
    },
  }
  const { proxy: revoked, revoke } = Proxy.revocable({}, {})
  revoke()
  const things: [thing: unknown, shown: string][] = [
    [new Proxy({}, throwing), 'an unreadable object'],
    [revoked, 'an unreadable object'],
    [{ constructor: { name: Symbol('x') } }, 'an unreadable object'],
    [Object.defineProperty(() => {}, 'name', { value: Symbol('x') }), 'an unreadable function'],
    [Object.defineProperty(new Error(), 'message', throwing), 'an object (Error)'],
    [Object.defineProperty(new Error(), 'message', { value: 5 }), 'an object (Error)'],
    [Object.defineProperty(new Error(), 'code', throwing), 'an object (Error)'],
  ]
  for (const [thing, shown] of things) {
    t.equal(show(thing), shown)
    t.match(asError(thing), { code: 'ERR_HOOK', message: `a hook threw ${shown}: throw` })
    t.type(messageOf(thing), 'string')
    t.type(stackOf(thing), 'string')
  }
  const error = new Error('as it should be')
  t.same([asError(error), stackOf(error)], [error, error.stack])
  t.equal(stackOf(Object.defineProperty(new Error(), 'stack', throwing)), '')
  t.same([undefined, null, 'x'].map(stackOf), ['', '', ''])
})

t.test('show: what it is, in a short line', async t => {
  const itself: unknown[] = [1]
  itself.push(itself)
  const rows: [value: unknown, text: string][] = [
    ['text', '"text"'],
    ['a\nb', '"a\\nb"'],
    ['x'.repeat(60), `"${'x'.repeat(60)}"`],
    ['x'.repeat(61), `"${'x'.repeat(57)}..."`],
    [5, '5'],
    [NaN, 'NaN'],
    [7n, '7n'],
    [true, 'true'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [function named() {}, 'function named'],
    [() => {}, 'function (anonymous)'],
    [class Own {}, 'function Own'],
    [/a+/g, '/a+/g'],
    [[1, 'a'], '[1, "a"]'],
    [[], '[]'],
    [[1, 2, 3, 4, 5], 'an array of 5'],
    [itself, '[1, an array of 2]'],
    [{}, 'an object (Object)'],
    [new Map(), 'an object (Map)'],
    [Object.create(null), 'an object (without prototype)'],
  ]
  for (const [value, text] of rows) t.equal(show(value), text)
})

/** A RegExp, a bigint or a function's name of any length went into the message whole. */
t.test('REGRESSION: nothing makes a long line', async t => {
  const long = 'x'.repeat(1000)
  for (const value of [
    long,
    new RegExp(long),
    10n ** 1000n,
    Symbol(long),
    Object.defineProperty(() => {}, 'name', { value: long }),
  ]) {
    t.ok(show(value).length <= 62, show(value).slice(0, 80))
  }
})
