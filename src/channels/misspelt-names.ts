/**
 * Layer 4. Names that mean nothing: a hook or a setting of a subclass that was probably meant to be
 * one of ours (`onRead`, `on_data`, `read_delimeter`), or that is one of ours in the wrong place (a
 * static field, a getter, the class of a server instead of that of its connections). It would be
 * ignored without a word.
 *
 * Rules:
 * 1. A class is looked at once, at its first opening, with the fields of that object. All others
 *    cost one look into a WeakMap. A class of ours has no names of a program, but its objects may:
 *    each of them is looked at (`client.onRead = …`), and each name is told once.
 * 2. A name that the class itself uses is its own, however near it is (`on_ready`, called by it).
 */

import { misspelt } from '../core/nearest.ts'
import { type Engine, logSafely } from '../engine.ts'
import { settingsOf } from './settings.ts'

/** How a hook begins, in each spelling. */
const ON = /^on(?=_|[A-Z])_?|^on/

/**
 * How other toolkits call a hook or a setting of ours. It may be a name of the program's own: a
 * class that has our hook, too, does not mean it.
 */
const SYNONYMS: readonly (readonly [name: string, ours: string])[] = [
  ['delimiter', 'read_delimiter'],
  ['highWaterMark', 'send_high_water'],
  ['receive', 'on_read'],
  ['data', 'on_read'],
  ['line', 'on_read'],
  ['message', 'on_read'],
  ['packet', 'on_read'],
  ['end', 'on_read_end'],
  ['open', 'on_connect'],
  ['ready', 'on_connect'],
  ['connection', 'on_accept'],
  ['drain', 'on_write'],
  ['disconnect', 'on_close'],
]

/** Shorter names (`tls`, `end`) have too many neighbours: only their case is judged. */
const SHORT = 5

/** With more letters missing or too many, a word is: `buffer` is a name of its own. */
const MISSING = 2

/** The prototypes of the classes that have been looked at, with what was told of each. */
const judged = new WeakMap<object, { readonly isOurs: boolean; readonly told: Set<string> }>()

/** What a class of sluice has: the prototype that a program's classes extend, and its settings. */
interface BaseClass {
  readonly owner: object
  readonly names: readonly string[]
}

/** Logs what is to be said of the class of an object that is no channel; see BaseClass. */
export function tellMisspeltNames(
  object: object,
  owner: object,
  engine: Engine,
  names: readonly string[] = [],
): void {
  for (const text of misspeltNames(object, { owner, names })) logSafely(engine, text)
}

/** What is to be said of the names of an object's class; nothing if it has been said. */
export function misspeltNames(object: object, base?: BaseClass): string[] {
  const prototype: object = Object.getPrototypeOf(object)
  const before = judged.get(prototype)
  if (before !== undefined && !(before.isOurs && Object.keys(object).length > 0)) return []
  const { owner, names } = base ?? settingsOf(prototype)
  const classes = chain(prototype, owner)
  const { told } = before ?? { told: new Set() }
  if (before === undefined) judged.set(prototype, { isOurs: classes.length === 0, told })
  const own = new Set([...Object.keys(object), ...classes.flatMap(Object.getOwnPropertyNames)])
  const hooks = hooksOf(owner)
  const peers = peersOf(object)
  const text = [...classes, ...peers.classes].map(each => String(each.constructor)).join('\n')
  const meaningless = [...own].flatMap(name => {
    if (name in owner || names.includes(name) || name.startsWith('_') || told.has(name)) return []
    const meant = peers.names.includes(name)
      ? 'that of its connections'
      : isHook(name)
        ? meantHook(name, hooks, own)
        : meantSetting(name, names, own)
    if (meant === undefined || isUsed(name, text)) return []
    told.add(name)
    const { constructor } = object
    return [`${name} of class ${constructor.name} means nothing here; did you mean ${meant}?`]
  })
  return [...meaningless, ...misplaced(classes, names, hooks)]
}

/** The hooks and settings of the connections of a server, which mean nothing in its own class. */
function peersOf(server: object): { names: readonly string[]; classes: readonly object[] } {
  const { ConnectionClass } = server as { ConnectionClass?: { readonly prototype: object } }
  if (ConnectionClass === undefined) return { names: [], classes: [] }
  const { owner, names } = settingsOf(ConnectionClass.prototype)
  return {
    names: [...names, ...hooksOf(owner)],
    classes: chain(ConnectionClass.prototype, owner),
  }
}

function hooksOf(owner: object): string[] {
  return [...new Set(chain(owner, null).flatMap(Object.getOwnPropertyNames))].filter(isHook)
}

/** What is said of the names of ours that stand where nobody looks. */
function misplaced(
  classes: readonly object[],
  names: readonly string[],
  hooks: readonly string[],
): string[] {
  return classes.flatMap(each => {
    const { constructor } = each
    const isStatic = [...names, ...hooks].filter(name => Object.hasOwn(constructor, name))
    // One that has both halves may pass on to ours.
    const isGetter = names.filter(name => {
      const found = Object.getOwnPropertyDescriptor(each, name)
      return found !== undefined && found.set === undefined
    })
    return [
      ...isStatic.map(
        name => `${name} of class ${constructor.name} is static, so it means nothing`,
      ),
      ...isGetter.map(
        name => `${name} of class ${constructor.name} is no field, so it means nothing; assign it`,
      ),
    ]
  })
}

/** The prototypes from one on, up to another and without it. */
function chain(from: object, to: object | null): object[] {
  const all: object[] = []
  for (let each: object | null = from; each !== null && each !== to; each = parent(each))
    all.push(each)
  return all
}

function parent(prototype: object): object | null {
  return Object.getPrototypeOf(prototype) as object | null
}

function isHook(name: string): boolean {
  return ON.test(name)
}

/**
 * What follows `on` is compared alone: `on_end` and `on_read` would have most letters in common.
 */
function meantHook(
  name: string,
  hooks: readonly string[],
  own: ReadonlySet<string>,
): string | undefined {
  const bare = (hook: string): string => hook.replace(ON, '')
  const others = SYNONYMS.filter(
    ([word, hook]) =>
      hooks.includes(hook) &&
      !own.has(hook) &&
      (word.length >= SHORT || word === bare(name).toLowerCase()),
  )
  const known = new Map([...others, ...hooks.map(hook => [bare(hook), hook] as const)])
  return known.get(misspelt(bare(name), known.keys()) ?? '')
}

function meantSetting(
  name: string,
  settings: readonly string[],
  own: ReadonlySet<string>,
): string | undefined {
  const other = SYNONYMS.find(([word]) => word === name)?.[1] ?? name
  if (settings.includes(other) && !own.has(other)) return other
  const meant = misspelt(name, settings)
  if (meant === undefined) return undefined
  const missing = Math.abs(letters(name) - letters(meant))
  const isFar = missing > MISSING || (meant.length < SHORT && name.toLowerCase() !== meant)
  return isFar ? undefined : meant
}

function letters(name: string): number {
  return name.replaceAll('_', '').length
}

/** Does the text of the classes read or call this name? An assignment is no use of it. */
function isUsed(name: string, text: string): boolean {
  const escaped = name.replace(/\$/g, '\\$&')
  return new RegExp(`\\.${escaped}(?![\\w$])(?!\\s*=[^=])`).test(text)
}
