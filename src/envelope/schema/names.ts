/**
 * Layer 9. Names of fields that are refused at any depth, and the check of values of unknown form.
 *
 * Rules:
 * 1. No message has a field that reaches the prototype of an object. A program that copies such a
 *    field by its name would change every object of the process.
 * 2. A value that no schema of sluice has checked is bounded in its depth and in its number of
 *    values.
 */

import { type Fault, inside, INVALID, wrong } from './faults.ts'

/** How deep a value of unknown form may be. Real payloads have about ten levels at most. */
const DEEPEST = 32

/** How many values it may have, at all depths together. */
const MOST_VALUES = 100_000

/** The names that are refused. */
export function isRefused(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype'
}

/** A field whose name is refused. */
export function refuse(faults: Fault[], name: string): typeof INVALID {
  const before = faults.length
  wrong(faults, 'value_error.name', 'this name is not permitted')
  return inside(faults, before, name)
}

/** Checks a value of unknown form. Returns it, or INVALID. */
export function guard(value: unknown, faults: Fault[]): unknown {
  return new Guard(faults).isFine(value, 0) ? value : INVALID
}

class Guard {
  readonly #faults: Fault[]
  #left = MOST_VALUES

  constructor(faults: Fault[]) {
    this.#faults = faults
  }

  isFine(value: unknown, depth: number): boolean {
    if (--this.#left < 0) return this.#is('value_error.count', `more than ${MOST_VALUES} values`)
    if (typeof value !== 'object' || value === null) return true
    if (depth >= DEEPEST) return this.#is('value_error.depth', `more than ${DEEPEST} levels deep`)
    return Array.isArray(value) ? this.#items(value, depth) : this.#fields(value, depth)
  }

  #items(items: readonly unknown[], depth: number): boolean {
    for (let index = 0; index < items.length; index++)
      if (!this.#at(index, items[index], depth)) return false
    return true
  }

  #fields(object: object, depth: number): boolean {
    for (const name of Object.keys(object)) {
      if (isRefused(name)) {
        refuse(this.#faults, name)
        return false
      }
      if (!this.#at(name, (object as Record<string, unknown>)[name], depth)) return false
    }
    return true
  }

  #at(key: string | number, value: unknown, depth: number): boolean {
    const before = this.#faults.length
    if (this.isFine(value, depth + 1)) return true
    inside(this.#faults, before, key)
    return false
  }

  #is(type: string, msg: string): boolean {
    wrong(this.#faults, type, msg)
    return false
  }
}
