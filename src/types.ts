/**
 * Layer 0. The words and units that every other file uses. There is no code in here, and nothing
 * of Node's types: programs for a browser use these words, too.
 */

/** A duration in milliseconds. `Infinity` means no limit, where a limit may be absent. */
export type Milliseconds = number

/** A size in bytes (octets), never in characters. */
export type Bytes = number

/** A TCP or UDP port, 0 to 65535. Listening on 0 lets the system choose one. */
export type Port = number

/**
 * An address as a program may write it, for `connect` and `listen` alike:
 * - a port
 * - `[host, port]` or `{ host, port }`
 * - a path or `{ path }`: a unix socket. On Linux a path that starts with `'\0'` is abstract. Node
 *   20 pads such a name with NULs: only another Node 20 finds it
 *
 * The host `''` means any host of both families when listening, and this machine when connecting.
 */
export type Address =
  | Port
  | readonly [host: string, port: Port]
  | { readonly host?: string | undefined; readonly port: Port }
  | string
  | { readonly path: string }

/**
 * Where a server listens: an address, or `{ fd }`, the descriptor of a socket that this process was
 * given open. systemd gives such sockets, from 3 on. In a worker of node:cluster it is a descriptor
 * of the primary process.
 */
export type ListenAddress = Address | { readonly fd: number }

/** An address that core/address.ts has checked: the one form that networks get. */
export type Endpoint =
  | { readonly kind: 'ip'; readonly host: string; readonly port: Port }
  | { readonly kind: 'unix'; readonly path: string }

/** Where to listen: an address, or a socket that this process was given open. */
export type ListenEndpoint = Endpoint | { readonly kind: 'descriptor'; readonly fd: number }

/** An error as the system reports it. */
// Source: Node `NodeJS.ErrnoException`.
export interface SystemError extends Error {
  /** Which error it is, such as 'ECONNREFUSED'. */
  readonly code?: string | undefined
  /** Its number in the system. */
  readonly errno?: number | undefined
  /** The file or the unix socket that it is about. */
  readonly path?: string | undefined
  /** The operation that has failed, such as 'connect'. */
  readonly syscall?: string | undefined
}

/**
 * An address as sluice reports it: `[host, port]`, or the path of a unix socket. The path is `''`
 * for a peer that has none.
 */
export type SocketAddress = [host: string, port: Port] | string

/**
 * Where a channel is in its life: closed → opening → active → closing → closed.
 *
 * A failure while opening, active or closing leads to 'error', which only closing leaves.
 */
export type State = 'closed' | 'opening' | 'active' | 'closing' | 'error'

/**
 * What `on_state` gets: a state, or 'destroy' when the engine forgets a channel that has closed.
 */
export type StateSignal = State | 'destroy'

/**
 * Why a channel closed.
 * - 'local': this program called `close` or `end`
 * - 'remote': the peer ended its side first
 * - 'error': the connection or a hook failed
 * - 'timeout': one of the timeouts ran out, `end_timeout` among them
 * - 'overflow': a buffer went over its bound
 * - 'drain': its server or its engine was ending
 */
export type CloseReason = 'local' | 'remote' | 'error' | 'timeout' | 'overflow' | 'drain'

/** Which timeout ran out when `on_timeout` is called. */
export type TimeoutKind = 'connect' | 'handshake' | 'read' | 'write' | 'idle' | 'lifetime'

/** Why a server refused a connection. */
export type DropReason = 'max_connections' | 'per_address' | 'blocked' | 'overload' | 'proxy_header'

/** The values of `encoding`: the encodings of Node's Buffer. */
export type Encoding =
  | 'ascii'
  | 'utf8'
  | 'utf-8'
  | 'utf16le'
  | 'utf-16le'
  | 'ucs2'
  | 'ucs-2'
  | 'base64'
  | 'base64url'
  | 'latin1'
  | 'binary'
  | 'hex'

/** What can be written: bytes, or text in the channel's `encoding` (UTF-8 if it has none). */
export type Data = string | Uint8Array

/** Stops a timer. Calling it again, or after the timer has run, does nothing. */
export type Cancel = () => void
