/**
 * Layer 9. Model: the objects of a program that messages are about. It says how an object is looked
 * up, and what a user may do with it. This is the last step of validation: the payload is valid,
 * but does the object exist?
 */

import { checkFunction, checkName, type Checks } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import { NotFoundError, UnauthorizedError } from '../builtin/common-errors.ts'
import type { MetaFields } from '../meta.ts'

/** Options of `new Model`. */
export interface ModelOptions<Context, User = any> {
  /** The name of the objects, for error messages. */
  readonly name: string
  /**
   * Looks up the object with that key. Returns undefined or null if there is none. It may return a
   * promise. The key comes from a peer: it may be anything that the schema lets through.
   */
  readonly find: (pk: any) => Context | undefined | null | PromiseLike<Context | undefined | null>
  /**
   * May the user do that with the object? It is called only if a user is known and a permission is
   * asked for. It may return a promise.
   * @default true
   */
  readonly has_perm?:
    | ((user: User, permission: string, context: Context) => boolean | PromiseLike<boolean>)
    | undefined
  /**
   * The name of the key, for error messages.
   * @default 'pk'
   */
  readonly key?: string | undefined
}

const CHECKS: Checks<ModelOptions<unknown>> = {
  name: checkName,
  find: checkFunction,
  has_perm: checkFunction,
  key: checkName,
}

/** What a user wants to do with an object. */
export interface Wish {
  /** The user; undefined or null: there is none. */
  readonly user: unknown
  /** The permission that is needed; null: none. */
  readonly permission: string | null
  /** The key of the object. */
  readonly pk: unknown
  /** The meta of the error message, if one is thrown. */
  readonly mm?: MetaFields
}

/**
 * The objects that messages are about.
 *
 * @example
 * const lists = new Model({
 *   name: 'list',
 *   find: (pk: number) => database.get(pk),
 *   has_perm: (user: User, permission, list) => list.owner === user.name,
 * })
 */
export class Model<Context> {
  /** The name of the objects. */
  readonly name: string
  /** The name of their key. */
  readonly key: string
  readonly #find: ModelOptions<Context>['find']
  readonly #hasPerm: NonNullable<ModelOptions<Context>['has_perm']>

  /** Throws InvalidArgumentError for an invalid option. */
  constructor(options: ModelOptions<Context>) {
    checkOptions('new Model', options, CHECKS, ['name', 'find'])
    const { name, find, has_perm = () => true, key = 'pk' } = options
    this.name = name
    this.key = key
    this.#find = find
    this.#hasPerm = has_perm
  }

  /** The object with that key. Rejects with NotFoundError (ERR_NOT_FOUND) if there is none. */
  async get(pk: unknown, mm?: MetaFields): Promise<Context> {
    const found = await this.#find(pk)
    if (found !== undefined && found !== null) return found
    throw new NotFoundError({ ...this.#naming(pk), ...(mm && { mm }) })
  }

  /** May the user do that with the object? Without a user: no. Without a permission: yes. */
  async allows(user: unknown, permission: string | null, context: Context): Promise<boolean> {
    if (user === undefined || user === null) return false
    return permission === null || (await this.#hasPerm(user, permission, context)) === true
  }

  /**
   * The object, if it is there and the user may do that with it. Rejects with NotFoundError, or
   * with UnauthorizedError (ERR_UNAUTHORIZED).
   */
  async require({ user, permission, pk, mm }: Wish): Promise<Context> {
    const context = await this.get(pk, mm)
    if (await this.allows(user, permission, context)) return context
    throw new UnauthorizedError({ ...this.#naming(pk), permission, ...(mm && { mm }) })
  }

  #naming(value: unknown): { model: string; key: string; value: unknown } {
    return { model: this.name, key: this.key, value }
  }
}
