/**
 * Layer 8. The context: which protocols there are, which channels have a name, and how a URL
 * becomes a channel.
 *
 * init: parse → aliases → look-up (exact, then as a prefix) → the implementation may name another →
 * name → constructor → registry.
 *
 * Rules:
 * 1. `init` makes a channel or throws; what throws leaves no trace.
 * 2. Whatever goes round in a circle (aliases, implementations that name each other) is an error
 *    that says so.
 */

import { Engine } from '../engine.ts'
import { InvalidArgumentError, InvalidStateError } from '../errors.ts'
import type { ChannelContext, Implementation, Init, InitOptions } from './init.ts'
import { MessageChannel } from './message-channel.ts'
import { Params } from './params.ts'
import { ALIASES, PROTOCOLS } from './protocols.ts'
import { type Entries, merge, type Parameters, parseParameters, Url } from './url.ts'

type ChannelClass = new (init: Init) => MessageChannel

/** What a context can be given when it is made. */
export interface ContextOptions {
  /** The engine of its channels. Default: `Engine.instance()`. */
  readonly engine?: Engine
  /** Defaults for parameters, by `protocol.name`: 'tcp.frame=line', or an object. */
  readonly defaults?: Parameters
}

let global: Context | undefined

/**
 * Makes channels from URLs. Most programs use `Context.instance()`; another one has names, aliases
 * and protocols of its own. It knows the protocols of the box from the start.
 */
export class Context implements ChannelContext {
  readonly #engine: Engine | undefined
  readonly #defaults: Entries
  readonly #implementations = new Map<string, Implementation>()
  readonly #aliases = new Map<string, Url>()
  readonly #channels = new Map<string, MessageChannel>()
  #nameless = 0

  /** Throws UrlError for defaults that cannot be read. */
  constructor(options: ContextOptions = {}) {
    this.#engine = options.engine
    this.#defaults = parseParameters(options.defaults ?? '')
    for (const each of PROTOCOLS) this.register(each)
    for (const [name, url] of Object.entries(ALIASES)) this.alias(name, url)
  }

  /** The context of the process: made at the first call, the same ever after. */
  static instance(): Context {
    global ??= new Context()
    return global
  }

  // ---- protocols --------------------------------------------------------------------------------

  /** The protocols it knows, aliases included. */
  get protocols(): string[] {
    return [...this.#implementations.keys(), ...this.#aliases.keys()].sort()
  }

  /**
   * Makes a protocol known. Throws InvalidArgumentError for what is none, InvalidStateError where
   * the name is taken.
   */
  register(implementation: Implementation, protocol: string = implementation?.protocol): void {
    if (!isClass(implementation) && typeof implementation?.replace !== 'function') {
      throw new InvalidArgumentError(
        'register: implementation',
        'a class that extends MessageChannel, or an object with `replace`',
        implementation,
      )
    }
    this.#checkName('register()', protocol)
    this.#implementations.set(protocol, implementation)
  }

  /**
   * Forgets it; channels that there are go on. Throws InvalidStateError where it is unknown, or
   * another implementation has the name.
   */
  unregister(implementation: Implementation, protocol: string = implementation?.protocol): void {
    if (implementation === undefined || this.#implementations.get(protocol) !== implementation) {
      const why = this.#implementations.has(protocol)
        ? `${protocol} is another implementation`
        : `${protocol} is not registered`
      throw new InvalidStateError('unregister()', why, 'give the class that register got')
    }
    this.#implementations.delete(protocol)
  }

  /**
   * A short name for a protocol with parameters: after `alias('lines', 'tcp://;frame=line')` there
   * is `lines://host:port`. Of a prefix: `alias('slow+', 'rate+://;speed=1kb')`. Throws UrlError
   * for a URL with a host or a `name`, or of an unknown protocol; InvalidArgumentError for what is
   * no name, InvalidStateError where it is taken.
   */
  alias(name: string, url: string): void {
    const target = Url.parse(url)
    if (target.host !== '') throw target.host_fault('an alias has no host')
    if (target.entries.has('name')) throw new Params(target).fault('name', 'left out of an alias')
    if (this.#find(target.protocol) === undefined && this.#aliasOf(target.protocol) === undefined)
      throw this.#unknown(target)
    this.#checkName('alias()', name)
    this.#aliases.set(name, target)
  }

  #checkName(call: string, protocol: string): void {
    if (typeof protocol !== 'string' || !/^[^+;=:/\s]+(\+[^+;=:/\s]+)*\+?$/.test(protocol)) {
      throw new InvalidArgumentError(
        `${call}: protocol`,
        "a name, with '+' behind it for a prefix, as a class says with `static protocol`",
        protocol,
      )
    }
    if (this.#implementations.has(protocol) || this.#aliases.has(protocol))
      throw new InvalidStateError(call, `${protocol} is taken`, 'choose another name')
  }

  // ---- channels ---------------------------------------------------------------------------------

  /** The channel of that name, or undefined. Those that belong to a parent are not found. */
  get(name: string): MessageChannel | undefined {
    return this.#channels.get(name)
  }

  /** All channels that can be found by name. Live: do not change it. */
  get channels(): ReadonlyMap<string, MessageChannel> {
    return this.#channels
  }

  /**
   * Makes a channel from a URL; it is closed, `open()` opens it. Its name is `name=` in the URL, or
   * in the options, or made up ('noname-1'), and is free again when the channel is destroyed.
   * `master=` names a channel that it belongs to, which may also be given as an option. Throws
   * UrlError, which shows where, for whatever the URL says that cannot be, InvalidArgumentError for
   * options that cannot.
   */
  init(url: string | Url, options: InitOptions = {}): MessageChannel {
    if (typeof options !== 'object' || options === null)
      throw new InvalidArgumentError('init: options', 'an object', options)
    if (options.master !== undefined && !(options.master instanceof MessageChannel))
      throw new InvalidArgumentError('init: master', 'a message channel', options.master)
    const whole = this.#resolve(url instanceof Url ? url : Url.parse(url))
    const implementation = this.#find(whole.protocol)
    if (implementation === undefined) throw this.#unknown(whole)
    const params = new Params(whole, this.#defaults)
    const is_internal = options.is_internal ?? false
    const name = this.#name(params, options.name ?? '', is_internal)
    const engine = options.engine ?? this.#engine ?? Engine.instance()
    const init: Init = {
      engine,
      name,
      params,
      context: this,
      master: options.master ?? this.#master(params),
      is_internal,
    }
    const ChannelClass = this.#choose(implementation, init)
    const channel = new ChannelClass(init)
    if (!is_internal) this.#channels.set(name, channel)
    return channel
  }

  /** For channels only: the name of one that is destroyed is free. */
  forget(channel: MessageChannel): void {
    for (const [name, each] of this.#channels) if (each === channel) this.#channels.delete(name)
  }

  /** Replaces aliases, as long as there are any; the parameters of each are added. */
  #resolve(url: Url, seen: readonly string[] = []): Url {
    const name = this.#aliasOf(url.protocol)
    if (name === undefined) return url
    const alias = this.#aliases.get(name) as Url
    if (seen.includes(name))
      throw url.protocol_fault(`the aliases ${[...seen, name].join(', ')} go round in a circle`)
    const protocol = alias.protocol + url.protocol.slice(name.length)
    return this.#resolve(merge(url.with(protocol), alias.entries), [...seen, name])
  }

  /** The alias that a protocol is, or begins with. */
  #aliasOf(protocol: string): string | undefined {
    return [protocol, prefixOf(protocol)].find(each => this.#aliases.has(each))
  }

  #find(protocol: string): Implementation | undefined {
    return this.#implementations.get(protocol) ?? this.#implementations.get(prefixOf(protocol))
  }

  #unknown(url: Url): Error {
    return url.protocol_fault(
      `there is no protocol ${JSON.stringify(url.protocol)}; there are ${this.protocols.join(', ')}`,
    )
  }

  /** Implementations may name another one, and so on. */
  #choose(first: Implementation, init: Init): ChannelClass {
    const seen: Implementation[] = []
    for (let each = first; ;) {
      const isCircle = seen.includes(each)
      seen.push(each)
      const names = seen.map(({ protocol }) => protocol).join(', ')
      if (isCircle)
        throw init.params.url.protocol_fault(
          `the implementations ${names} name each other in a circle`,
        )
      const next = each.replace?.(init)
      if (next !== undefined) each = next
      else if (isClass(each)) return each
      else
        throw new InvalidStateError(
          'init()',
          `${each.protocol} is no class of channels, and names none for ${init.params.url}`,
          'return one from `replace`',
        )
    }
  }

  #name(params: Params, given: string, is_internal: boolean): string {
    // The children of a prefix have its parameters, but names of their own.
    const named = is_internal ? given : params.text('name', given) || given
    const name = named === '' ? `noname-${this.#nameless++}` : named
    if (is_internal || !this.#channels.has(name)) return name
    if (params.has('name')) throw params.fault('name', 'a name that no other channel has')
    throw new InvalidStateError(
      'init()',
      `there is a channel ${JSON.stringify(name)} already`,
      'destroy() it first, or choose another name',
    )
  }

  #master(params: Params): MessageChannel | undefined {
    if (!params.has('master')) return undefined
    const master = this.#channels.get(params.text('master'))
    if (master === undefined) throw params.fault('master', 'the name of a channel')
    return master
  }
}

function isClass(implementation: unknown): implementation is ChannelClass {
  return typeof implementation === 'function' && implementation.prototype instanceof MessageChannel
}

/** What precedes the first '+', with it; of 'tcp' nothing. */
function prefixOf(protocol: string): string {
  return protocol.slice(0, protocol.indexOf('+') + 1)
}
