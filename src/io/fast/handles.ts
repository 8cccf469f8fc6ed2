/**
 * Layer 2. What lies below Node's sockets, and is not documented: the handle of a connection, and
 * what Node's own reading code (`onStreamRead`) wants of the object that owns a handle.
 *
 * Nothing of it is named here by a private symbol or taken out of a binding. Node is asked: a real
 * Socket is made over a handle of ours (a spy), and what it leaves there is looked at.
 *
 *   learnHandles → rules, and the list of what this Node lacks
 *
 * Checked with Node 20.20, 22.23, 24.21 and 26.10 on Linux.
 */

import { Buffer } from 'node:buffer'
import { Server, Socket } from 'node:net'
import { noop } from '../../core/noop.ts'
import { messageOf } from '../../errors.ts'
import type { Bytes, Port } from '../../types.ts'

/** What one read can take: as much as libuv asks the system for. */
const BUFFER_SIZE: Bytes = 65_536

/**
 * What every connection reads into. It is of no use to anybody when `received` has returned.
 *
 * One buffer is enough: libuv reads from one socket into it and hands it over before it reads from
 * the next. Nothing is reported inside a call (rule 1 of transport.ts), so no hook can make another
 * read begin before its own was delivered.
 */
export const shared: Buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE)

/** The last view of the shared buffer. Messages often have the size of the one before. */
let view = shared.subarray(0, 1)

/** What was read last: the first bytes of the shared buffer. */
export function viewOf(size: Bytes): Buffer {
  if (view.length !== size) view = shared.subarray(0, size)
  return view
}

/** The address of one end, as a handle fills it in. */
export interface HandleAddress {
  address?: string
  port?: Port
}

/** A write or a shutdown that waits for the system. */
export interface HandleRequest {
  oncomplete: ((this: HandleRequest, status: number) => void) | undefined
  /** Negative unless the request is under way. */
  getAsyncId(): number
  /** Node 26: the status of a request that was complete before anybody could wait for it. */
  writeStatus?: number | null
}

/**
 * The handle of a connection. What a write returns is 0 or an error of the system (negative), or,
 * since Node 26, the request where the system did not take everything at once.
 */
export interface Handle {
  /** Does it read? Kept by whoever starts and stops it. */
  reading: boolean
  onread: unknown
  readonly fd: number
  readonly bytesRead: Bytes
  /** What was handed over, and how much of it the system has not taken yet. */
  readonly bytesWritten: Bytes
  readonly writeQueueSize: Bytes
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  writeLatin1String(request: HandleRequest | null, text: string): number | HandleRequest
  writeUtf8String(request: HandleRequest | null, text: string): number | HandleRequest
  writeBuffer(request: HandleRequest | null, bytes: Uint8Array): number | HandleRequest
  writev(
    request: HandleRequest | null,
    chunks: readonly unknown[],
    areBuffers: boolean,
  ): number | HandleRequest
  shutdown(request: HandleRequest): number
  close(closed?: () => void): void
  getpeername?(into: HandleAddress): number
  getsockname?(into: HandleAddress): number
  setNoDelay?(on: boolean): number
  setKeepAlive?(on: boolean, seconds: number, interval?: number, count?: number): number
  [owner: symbol]: unknown
}

/** The handle of a server that listens. */
export interface ListeningHandle {
  onconnection: (status: number, accepted?: Handle) => void
}

/** How an object owns a handle, so that Node's reading code reports to it. */
export interface HandleRules {
  /** Node's reading code: the function that belongs in `handle.onread`. */
  readonly onread: unknown
  /** The key under which a handle has its owner. */
  readonly owner: symbol
  /**
   * Keys of the owner: what is read into, what gives a new buffer, who is told how much was read.
   */
  readonly buffer: symbol
  readonly generator: symbol
  readonly callback: symbol
  /** Key of the owner: a method that Node's reading code calls first, each time. */
  readonly touch: symbol
  /** Makes a request to write; undefined since Node 26, which makes it only where one is needed. */
  readonly WriteRequest: (new () => HandleRequest) | undefined
  readonly ShutdownRequest: new () => HandleRequest
}

/** Where a property of an object has that value. */
function keyOf(object: object, value: unknown): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find(
    key => (object as Record<symbol, unknown>)[key] === value,
  )
}

/** The handle of one of Node's sockets or servers. */
export function handleOf<Kind>(owner: Socket | Server): Kind | null {
  return (owner as unknown as { _handle: Kind | null })._handle
}

/** The handle of a socket that has connected, which is of no more use then. */
export function takeHandle<Kind>(socket: Socket): Kind {
  const holder = socket as unknown as { _handle: Kind | null }
  const handle = holder._handle as Kind
  holder._handle = null
  return handle
}

/** A socket of ours reads when it is told to, and its two sides end apart. */
const SOCKET_OPTIONS = { allowHalfOpen: true, manualStart: true }

/** A socket of Node's over a handle that was read by us: for TLS, which reads the handle itself. */
export function socketOver(handle: Handle): Socket {
  const onread = { buffer: shared, callback: noop }
  return new Socket({ ...SOCKET_OPTIONS, handle, onread } as object)
}

/** What was learnt. Empty before `learnHandles`. */
export const rules = {} as HandleRules

/**
 * Asks Node, and fills `rules`. Returns what this Node lacks. Everything that is made for that is
 * closed when this returns.
 */
export function learnHandles(): string[] {
  try {
    const found = { ...lookAtSpy(), ...lookAtReal() }
    return Object.keys(found).filter(name => !found[name])
  } catch (error) {
    // A runtime that is not Node, or one that forbids sockets.
    return [`sockets that can be looked into (${messageOf(error)})`]
  }
}

/** What was found, by the names that stand in an error message. */
type Found = Record<string, boolean>

/** A handle that does nothing, and what it was asked to. */
class Spy {
  readonly asked = new Map<string, unknown>()
  readonly handle: Handle

  constructor() {
    const does = (name: string) => [name, (request: unknown) => (this.asked.set(name, request), 0)]
    const names = ['useUserBuffer', 'readStart', 'readStop', 'writeLatin1String', 'shutdown']
    this.handle = Object.fromEntries(names.map(does)) as unknown as Handle
    this.handle.close = noop
  }

  /** What makes requests of the kind that was given with that call. */
  request(name: string): (new () => HandleRequest) | undefined {
    const request = this.asked.get(name)
    return typeof request === 'object' && request !== null
      ? (request.constructor as new () => HandleRequest)
      : undefined
  }
}

/** What a Socket leaves on a handle of ours, and what it asks of it. */
function lookAtSpy(): Found {
  const spy = new Spy()
  const generator = (): Buffer => shared
  const socket = new Socket({
    ...SOCKET_OPTIONS,
    handle: spy.handle,
    onread: { buffer: generator, callback: noop },
  } as object)
  socket.on('error', noop)
  const hasStarted = spy.asked.has('readStart')
  socket.write('x', 'latin1')
  socket._final(noop)
  const found = {
    'a socket that can be made of a handle': handleOf(socket) === spy.handle && !hasStarted,
    'its option onread': spy.asked.get('useUserBuffer') === shared,
    'handle.writeLatin1String': spy.asked.has('writeLatin1String'),
    ...take('onread', spy.handle.onread),
    ...take('owner', keyOf(spy.handle, socket)),
    ...take('buffer', keyOf(socket, shared)),
    ...take('generator', keyOf(socket, generator)),
    ...take('callback', keyOf(socket, noop)),
    ...take('touch', firstAsked()),
    ...takeRequests(spy),
  }
  socket.destroy()
  return found
}

/** Takes one rule, and says under its name in an error message whether it was there. */
function take(name: keyof HandleRules, value: unknown): Found {
  Object.assign(rules, { [name]: value })
  return { [`the ${name} of a handle`]: value !== undefined }
}

function takeRequests(spy: Spy): Found {
  const WriteRequest = spy.request('writeLatin1String')
  const ShutdownRequest = spy.request('shutdown')
  Object.assign(rules, { WriteRequest })
  return {
    ...take('ShutdownRequest', ShutdownRequest),
    'request.getAsyncId': [WriteRequest, ShutdownRequest].every(
      Request => Request === undefined || typeof Request.prototype.getAsyncId === 'function',
    ),
  }
}

/**
 * What Node's reading code asks the owner of a handle for first, whatever has happened. (It
 * believes that the last read of the process has happened here, and finds an owner that bears
 * everything.)
 */
function firstAsked(): symbol | undefined {
  if (rules.onread === undefined || rules.owner === undefined) return undefined
  const asked: (string | symbol)[] = []
  const get = (_: object, key: string | symbol): unknown => {
    asked.push(key)
    return key === 'destroyed' ? false : noop
  }
  const handle = { [rules.owner]: new Proxy({}, { get }), onread: rules.onread as () => void }
  handle.onread()
  const [first] = asked
  return typeof first === 'symbol' ? first : undefined
}

/** The handles of a server, and of a socket that connects to it by a name that nobody knows. */
function lookAtReal(): Found {
  const server = new Server()
  const socket = new Socket()
  for (const one of [server, socket]) one.on('error', noop)
  const path = `\0sluice-${process.pid}-${Math.random()}`
  try {
    server.listen({ path, exclusive: true })
    socket.connect({ path })
    const listening = handleOf<ListeningHandle>(server)
    return {
      ...lookAtHandle(handleOf<Handle>(socket)),
      'handle.onconnection': typeof listening?.onconnection === 'function',
    }
  } finally {
    socket.destroy()
    server.close()
  }
}

function lookAtHandle(handle: Handle | null): Found {
  const found: Found = {}
  for (const name of ['fd', 'writeQueueSize', 'bytesWritten', 'bytesRead'] as const)
    found[`handle.${name}`] = typeof handle?.[name] === 'number'
  for (const name of ['writeUtf8String', 'writeBuffer', 'writev', 'readStart', 'close'] as const)
    found[`handle.${name}`] = typeof handle?.[name] === 'function'
  return found
}
