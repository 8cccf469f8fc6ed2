/**
 * Layer 8. Context: it knows the protocols and the named channels, and makes channels from URLs.
 *
 * Call order of `init`: parse → aliases → look-up (exact, then as a prefix) → the implementation
 * may choose another → name → constructor → what nobody asked for → registry.
 *
 * Rules:
 * 1. `init` makes a channel or throws. If it throws, nothing has changed: the channels that were
 *    made below the one that failed are destroyed.
 * 2. A circle is an error that names its members: aliases of each other, or implementations that
 *    choose each other.
 */

import {
  anyValue,
  checkBoolean,
  type Checks,
  checkText,
  classOf,
  instanceOf,
  isClassOf,
} from '../core/checks.ts'
import { checkOptions } from '../core/options.ts'
import { Engine } from '../engine.ts'
import { InvalidArgumentError, InvalidStateError, UrlError } from '../errors.ts'
import { checkAsked } from './asked.ts'
import type { ChannelContext, Implementation, Init, InitOptions } from './init.ts'
import { MessageChannel } from './message-channel.ts'
import { Params } from './params.ts'
import { ALIASES, PROTOCOLS } from './protocols.ts'
import { type Entries, merge, type Parameters, parseParameters, Url } from './url.ts'

type ChannelClass = new (init: Init) => MessageChannel

/** Options of `new Context`. */
export interface ContextOptions {
  /**
   * The engine of its channels.
   * @default Engine.instance()
   */
  readonly engine?: Engine | undefined
  /**
   * Defaults for parameters, by `protocol.name`: text like 'tcp.frame=line;mem.size=1mb', or an
   * object.
   * @default none
   */
  readonly defaults?: Parameters | undefined
}

let global: Context | undefined

/**
 * Makes channels from URLs. Most programs use `Context.instance()`. Another context has its own
 * protocols, aliases and channel names. A new context knows the protocols of sluice.
 */
// Source: TLL `Context`.
export class Context implements ChannelContext {
  readonly #engine: Engine | undefined
  readonly #defaults: Entries
  readonly #implementations = new Map<string, Implementation>()
  readonly #aliases = new Map<string, Url>()
  readonly #channels = new Map<string, MessageChannel>()
  #nameless = 0
  /** While `init` runs: the channels that it has made so far. */
  #made: MessageChannel[] | undefined

  /**
   * Throws InvalidArgumentError if an option is unknown or invalid, UrlError if the defaults are
   * invalid.
   */
  constructor(options: ContextOptions = {}) {
    checkOptions('new Context', options, CONTEXT_CHECKS)
    const { engine, defaults = '' } = options
    this.#engine = engine
    this.#defaults = parseParameters(defaults)
    for (const [key, { source, key_at }] of this.#defaults) {
      if (!key.includes('.'))
        throw new UrlError(
          `a default is protocol.name=value, for example mem.${key}`,
          source,
          key_at,
          key.length,
        )
    }
    for (const each of PROTOCOLS) this.register(each)
    for (const [name, url] of Object.entries(ALIASES)) this.alias(name, url)
  }

  /** The context of the process. The first call makes it, later calls return the same one. */
  static instance(): Context {
    global ??= new Context()
    return global
  }

  /** The engine of its channels. @default `Engine.instance()` */
  get engine(): Engine {
    return this.#engine ?? Engine.instance()
  }

  // ---- protocols --------------------------------------------------------------------------------

  /** The names of all protocols, aliases included, sorted. */
  get protocols(): string[] {
    return [...this.#implementations.keys(), ...this.#aliases.keys()].sort()
  }

  /**
   * Adds a protocol. Throws InvalidArgumentError for an invalid implementation or name,
   * InvalidStateError if the name is taken.
   */
  register(implementation: Implementation, protocol: string = implementation?.protocol): void {
    if (typeof implementation?.replace !== 'function')
      checkClass('register: implementation', implementation)
    this.#checkName('register()', protocol)
    this.#implementations.set(protocol, implementation)
  }

  /**
   * Removes a protocol. Its channels go on. Throws InvalidStateError if the protocol is unknown, or
   * belongs to another implementation.
   */
  unregister(implementation: Implementation, protocol: string = implementation?.protocol): void {
    if (implementation === undefined || this.#implementations.get(protocol) !== implementation) {
      const why = this.#implementations.has(protocol)
        ? `${protocol} is another implementation`
        : `${String(protocol)} is not registered`
      throw new InvalidStateError('unregister()', why, 'give the class that register got')
    }
    this.#implementations.delete(protocol)
  }

  /**
   * Adds a short name for a protocol with parameters. After `alias('lines', 'tcp://;frame=line')` a
   * URL may begin with `lines://`. A prefix can have one too:
   * `alias('slow+', 'rate+://;speed=1kb')`.
   *
   * Throws UrlError if the URL has a host or a `name`, or if its protocol is unknown. Throws
   * InvalidArgumentError if the name is invalid, InvalidStateError if it is taken.
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
        "a name, which ends with '+' for a prefix; a class gives it as `static protocol`",
        protocol,
      )
    }
    if (this.#implementations.has(protocol) || this.#aliases.has(protocol))
      throw new InvalidStateError(call, `${protocol} is taken`, 'choose another name')
  }

  // ---- channels ---------------------------------------------------------------------------------

  /** Returns the channel of that name, or undefined. Children of a channel are not found. */
  get(name: string): MessageChannel | undefined {
    return this.#channels.get(name)
  }

  /** All channels that `get` finds, by name. Live; do not change it. */
  get channels(): ReadonlyMap<string, MessageChannel> {
    return this.#channels
  }

  /**
   * Makes a channel from a URL. The channel is closed; `open()` opens it.
   *
   * Its name is the parameter `name`, or the option, or made up ('noname-1'). The name is free
   * again when the channel is destroyed. The parameter `master` names another channel that it works
   * with.
   *
   * Throws UrlError, which points at the error, if the URL is invalid: also if it has a parameter
   * that the channel, and those below it, did not ask for, or one in place of a host that none of
   * them reads (`mem://size=1mb`). Throws InvalidArgumentError if the
   * options are invalid, InvalidStateError if the name given as an option is taken.
   */
  init(url: string | Url, options: InitOptions = {}): MessageChannel {
    checkOptions('init', options, INIT_CHECKS)
    // Those that were made inside the calls of init that have not returned.
    const outer = this.#made
    const made = (this.#made = outer ?? [])
    const { length } = made
    try {
      const channel = this.#make(url, options)
      made.push(channel)
      if (options.is_internal !== true) {
        const { protocol, entries } = channel.params.url
        checkAsked(`${protocol}://`, entries, channel)
        this.#channels.set(channel.name, channel)
        // What is below it is its own affair from now on.
        made.length = length
      }
      this.#made = outer
      return channel
    } catch (error) {
      for (const each of made.splice(length).reverse()) each.destroy()
      this.#made = outer
      throw error
    }
  }

  #make(url: string | Url, options: InitOptions): MessageChannel {
    const whole = this.#resolve(url instanceof Url ? url : Url.parse(url))
    const implementation = this.#find(whole.protocol)
    if (implementation === undefined) throw this.#unknown(whole)
    // A copy: it begins as one whose host nobody has read.
    const params = new Params(whole.with(whole.protocol), this.#defaults)
    const is_internal = options.is_internal ?? false
    const name = this.#name(params, options.name ?? '', is_internal)
    const engine = options.engine ?? this.engine
    const init: Init = {
      engine,
      name,
      params,
      context: this,
      master: options.master ?? this.#master(params),
      is_internal,
    }
    const ChannelClass = this.#choose(implementation, init)
    return new ChannelClass(init)
  }

  /**
   * Throws UrlError if the URL is invalid, or if its protocol, or one of its prefixes, is unknown.
   * It makes no channel, so that its parameters are not checked.
   */
  check_url(url: string | Url): void {
    const whole = this.#resolve(url instanceof Url ? url : Url.parse(url))
    if (this.#implementations.has(whole.protocol)) return
    const prefix = prefixOf(whole.protocol)
    if (!this.#implementations.has(prefix)) throw this.#unknown(whole)
    this.check_url(whole.with(whole.protocol.slice(prefix.length)))
  }

  /** For channels only: called by a channel that is destroyed. Its name is free again. */
  forget(channel: MessageChannel): void {
    for (const [name, each] of this.#channels) if (each === channel) this.#channels.delete(name)
  }

  /** Replaces aliases until there are none, and adds the parameters of each. */
  #resolve(url: Url, seen: readonly string[] = []): Url {
    const name = this.#aliasOf(url.protocol)
    if (name === undefined) return url
    const alias = this.#aliases.get(name) as Url
    if (seen.includes(name))
      throw url.protocol_fault(`the aliases ${[...seen, name].join(', ')} form a circle`)
    const protocol = alias.protocol + url.protocol.slice(name.length)
    return this.#resolve(merge(url.with(protocol), alias.entries), [...seen, name])
  }

  /** The alias that a protocol consists of, or begins with. */
  #aliasOf(protocol: string): string | undefined {
    return [protocol, prefixOf(protocol)].find(each => this.#aliases.has(each))
  }

  #find(protocol: string): Implementation | undefined {
    return this.#implementations.get(protocol) ?? this.#implementations.get(prefixOf(protocol))
  }

  #unknown(url: Url): Error {
    const known = this.protocols.join(', ')
    return url.protocol_fault(
      `there is no protocol ${JSON.stringify(url.protocol)}; there are ${known}`,
    )
  }

  /** The class that makes the channel: an implementation may choose another one, and so on. */
  #choose(first: Implementation, init: Init): ChannelClass {
    const seen: Implementation[] = []
    for (let each = first; ;) {
      const isCircle = seen.includes(each)
      seen.push(each)
      const names = seen.map(({ protocol }) => protocol).join(', ')
      if (isCircle)
        throw init.params.url.protocol_fault(
          `the implementations ${names} choose each other in a circle`,
        )
      const next = each.replace?.(init)
      if (next !== undefined) each = next
      else if (isClass(each)) return each
      else
        throw new InvalidStateError(
          'init()',
          `${each.protocol} is not a class of channels, and chose none for ${init.params.url}`,
          'return one from `replace`',
        )
    }
  }

  #name(params: Params, given: string, is_internal: boolean): string {
    // A child has the parameters of its parent, but its own name.
    const named = is_internal ? given : params.text('name', given) || given
    const name = named === '' ? `noname-${this.#nameless++}` : named
    if (is_internal || !this.#channels.has(name)) return name
    if (params.has('name')) throw params.fault('name', 'a name that no other channel has')
    throw new InvalidStateError(
      'init()',
      `there is already a channel ${JSON.stringify(name)}`,
      'destroy() it first, or choose another name',
    )
  }

  #master(params: Params): MessageChannel | undefined {
    if (!params.has('master')) return undefined
    const master = this.#named(params.text('master'))
    if (master === undefined) throw params.fault('master', 'the name of a channel')
    return master
  }

  /** A channel of that name, or one below it: a `client_url` may name `news/request`. */
  #named(name: string): MessageChannel | undefined {
    const known = this.#channels.get(name)
    const slash = name.lastIndexOf('/')
    if (known !== undefined || slash === -1) return known
    const above = this.#named(name.slice(0, slash))
    return [...(above?.children ?? [])].find(each => each.name === name)
  }
}

/** `defaults` is checked where it is parsed. */
const CONTEXT_CHECKS: Checks<ContextOptions> = { engine: instanceOf(Engine), defaults: anyValue }

const INIT_CHECKS: Checks<InitOptions> = {
  name: checkText,
  master: instanceOf(MessageChannel),
  engine: instanceOf(Engine),
  is_internal: checkBoolean,
}

/** An object with `replace` need not be one. */
const checkClass = classOf(MessageChannel, 'a protocol does, or an object with `replace`')

function isClass(implementation: unknown): implementation is ChannelClass {
  return isClassOf(implementation, MessageChannel)
}

/** The part up to the first '+', with it; '' if there is no '+'. */
function prefixOf(protocol: string): string {
  return protocol.slice(0, protocol.indexOf('+') + 1)
}
