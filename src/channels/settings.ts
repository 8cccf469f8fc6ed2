/**
 * Layer 4. Settings: what a program may give as an option, write as a class field, or assign at any
 * time.
 *
 * A setting is an accessor on a prototype, so that an assignment is checked and takes effect. A
 * class field would shadow it silently: JavaScript defines fields on the object itself, after the
 * constructors of sluice have run. So when a channel opens, `adoptFields` turns each field that has
 * the name of a setting into an assignment.
 *
 * The calls, in their order: `defineSettings` once for each class, `applyOptions` in its
 * constructor, `adoptFields` when a channel opens.
 *
 * Rules:
 * 1. An option wins over a class field: it was written for this object, the field for all. A field
 *    that is compiled to an assignment (older targets of TypeScript) loses when it is assigned, one
 *    that is defined loses when the channel opens: before that, JavaScript shows the field.
 * 2. An unknown option throws. None is ignored.
 */

import type { Check } from '../core/checks.ts'
import { noSuchOption } from '../core/options.ts'
import type { State } from '../types.ts'
import { isConstructing } from './constructing.ts'

/** How one setting of a class is read and set. `set` throws if the value is invalid. */
export interface Setting<Owner, Value = any> {
  get(owner: Owner): Value
  set(owner: Owner, value: Value): void
}

const tables = new WeakMap<object, ReadonlyMap<string, Setting<any>>>()

/** The options of each channel that has not compared them with its class fields yet. */
const given = new WeakMap<object, object>()

/** Gives a class its settings, in addition to those of the classes above it. */
export function defineSettings<Owner extends object>(
  prototype: Owner,
  settings: Record<string, Setting<Owner>>,
): void {
  tables.set(
    prototype,
    new Map([...tableOf(Object.getPrototypeOf(prototype)), ...Object.entries(settings)]),
  )
  for (const [name, setting] of Object.entries(settings)) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: Owner) {
        return setting.get(this)
      },
      set(this: Owner, value: unknown) {
        setting.set(this, value)
      },
    })
  }
}

/** The settings of a class that keeps their values in one object. */
export function settingsFrom<Owner extends { readonly state: State }>(
  checks: Record<string, Check<any>>,
  values: (owner: Owner) => object,
  assign: (owner: Owner, name: string, value: any) => void,
): Record<string, Setting<Owner>> {
  const setting = (name: string, check: Check<any>): Setting<Owner> => ({
    get: owner => (values(owner) as Record<string, unknown>)[name],
    set: (owner, value) => {
      const valid = check(name, value)
      if (!isOverruled(owner, name)) assign(owner, name, valid)
    },
  })
  return Object.fromEntries(
    Object.entries(checks).map(([name, check]) => [name, setting(name, check)]),
  )
}

/** Is this the field of a class, compiled to an assignment, where an option is given? */
function isOverruled(channel: { readonly state: State }, name: string): boolean {
  if (channel.state !== 'closed') return false
  const options = given.get(channel) as Record<string, unknown> | undefined
  return options?.[name] !== undefined && isConstructing(subclassesOf(channel))
}

/** The names of the classes of a channel that are not ours. */
function subclassesOf(channel: object): Set<string> {
  const names = new Set<string>()
  for (
    let each = Object.getPrototypeOf(channel);
    !tables.has(each);
    each = Object.getPrototypeOf(each)
  )
    names.add(each.constructor.name)
  return names
}

function tableOf(prototype: object | null): ReadonlyMap<string, Setting<any>> {
  for (let each = prototype; each !== null; each = Object.getPrototypeOf(each)) {
    const table = tables.get(each)
    if (table !== undefined) return table
  }
  return new Map()
}

/** The names of the settings of a class, and the prototype that defines the last of them. */
export function settingsOf(prototype: object): { owner: object; names: string[] } {
  let owner = prototype
  while (!tables.has(owner) && Object.getPrototypeOf(owner) !== null)
    owner = Object.getPrototypeOf(owner)
  return { owner, names: [...tableOf(prototype).keys()] }
}

/**
 * Assigns the settings among the options. `others`: the options that are no settings. Call it at
 * the end of the constructor of the class that defines the last settings. Throws
 * InvalidArgumentError for an unknown option, and what the assignments throw.
 */
export function applyOptions(channel: object, options: object, others: readonly string[]): void {
  const table = tableOf(Object.getPrototypeOf(channel))
  let isAny = false
  for (const name of Object.keys(options)) {
    const value = (options as Record<string, unknown>)[name]
    const setting = table.get(name)
    if (setting === undefined && !others.includes(name)) {
      throw noSuchOption(channel.constructor.name, name, [...table.keys(), ...others])
    }
    if (setting === undefined || value === undefined) continue
    setting.set(channel, value)
    isAny = true
  }
  if (isAny) given.set(channel, options)
}

/**
 * Turns class fields into assignments. Call it when a channel opens. If an assignment throws, that
 * field stays, all others are assigned, and the first error is thrown.
 */
export function adoptFields(channel: object): void {
  const keys = Object.keys(channel)
  const table = tableOf(Object.getPrototypeOf(channel))
  const first = keys.findIndex(key => table.has(key))
  const options = given.get(channel) as Record<string, unknown> | undefined
  if (first === -1) return forget(channel, options)
  // All fields from the first setting on are deleted, the last one first, and those that are no
  // settings are put back. V8 of Node 20 can undo the last property of an object; one that loses a
  // property in the middle is slow from then on (measured: 50 ns instead of 9 for a call of write).
  // Since Node 22 every deletion makes the object a dictionary (4 ns for each use of a property).
  const fields = keys
    .slice(first)
    .map(key => [key, (channel as Record<string, unknown>)[key]] as const)
  for (let i = fields.length - 1; i >= 0; i--)
    delete (channel as Record<string, unknown>)[fields[i]![0]]
  const faults: unknown[] = []
  for (const [key, value] of fields) {
    const setting = table.get(key)
    if (setting === undefined) (channel as Record<string, unknown>)[key] = value
    else if (options?.[key] === undefined) adopt(channel, key, setting, value, faults)
  }
  if (faults.length > 0) throw faults[0]
  forget(channel, options)
}

/** The options have been compared with the fields. */
function forget(channel: object, options: object | undefined): void {
  if (options !== undefined) given.delete(channel)
}

/** A field that cannot be assigned stays, so that the next opening throws again. */
function adopt(
  channel: object,
  key: string,
  setting: Setting<any>,
  value: unknown,
  faults: unknown[],
): void {
  try {
    setting.set(channel, value)
  } catch (error) {
    Object.defineProperty(channel, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    })
    faults.push(error)
  }
}
