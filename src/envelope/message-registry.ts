/**
 * Layer 9. MessageRegistry: which types of messages may pass in one direction of one channel; a map
 * from the type to its class.
 */

import { didYouMean } from '../core/nearest.ts'
import { InvalidArgumentError, InvalidStateError, show } from '../errors.ts'
import type { AnyMessageClass } from './message.ts'

/** The class with that type, among these classes. If their types are not known: any of them. */
export type ClassOf<
  Messages extends readonly AnyMessageClass[],
  Name,
> = string extends Messages[number]['type_name']
  ? Messages[number]
  : Extract<Messages[number], { readonly type_name: Name }>

/** The classes of messages that may pass, by their type. */
export class MessageRegistry extends Map<string, AnyMessageClass> {
  /** The name: that of its envelope. */
  readonly name: string

  /** An empty registry. */
  constructor(name: string) {
    super()
    this.name = name
  }

  /**
   * Adds classes. A class replaces the one of the same type that it extends. In this way a program
   * gives its own methods to a message of another package.
   *
   * Throws InvalidArgumentError for anything but a class of messages, InvalidStateError if another
   * class has that type.
   */
  add(...classes: readonly AnyMessageClass[]): this {
    for (const Class of classes) this.#add(Class)
    return this
  }

  #add(Class: AnyMessageClass): void {
    const type_name: unknown = Class?.type_name
    if (typeof Class !== 'function' || typeof type_name !== 'string' || type_name === '')
      throw new InvalidArgumentError(
        `${this.name}: a message`,
        "a class that message('name', …) has made, or that extends one",
        Class,
      )
    const other = this.get(type_name)
    if (other !== undefined && other !== Class && !(Class.prototype instanceof other))
      throw new InvalidStateError(
        `${this.name}.add()`,
        `${type_name} is taken by another class`,
        'extend that class, or choose another name',
      )
    this.set(type_name, Class)
  }

  /** The class of that type. Throws InvalidArgumentError if there is none. */
  find(type_name: string): AnyMessageClass {
    const Class = this.get(type_name)
    if (Class !== undefined) return Class
    throw new InvalidArgumentError(
      `${this.name}: there is no message ${show(type_name)}; ${didYouMean(type_name, this.keys())}`,
    )
  }
}
