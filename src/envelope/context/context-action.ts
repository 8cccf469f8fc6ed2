/**
 * Layer 9. ContextAction: a message about an object of the program. Before it acts, the object is
 * looked up, and the user's permission is checked.
 *
 * Call order: run → model.require (find, has_perm) → act.
 */

import { checkName, type Checks, instanceOf } from '../../core/checks.ts'
import { checkOptions } from '../../core/options.ts'
import type { AnySchema, DataOf } from '../message.ts'
import { AsyncRunnable, message, type MessageClass, type Run } from '../runnable.ts'
import { Model } from './model.ts'

/** Options of `context_action`. */
export interface ContextActionOptions<Context, Schema extends AnySchema> {
  /** The objects. */
  readonly model: Model<Context>
  /**
   * The permission that the user needs.
   * @default null: none
   */
  readonly permission?: string | null | undefined
  /**
   * The field of the payload that has the key.
   * @default 'pk'
   */
  readonly context_schema_attr?: (keyof DataOf<Schema> & string) | undefined
}

const CHECKS: Checks<ContextActionOptions<unknown, any>> = {
  model: instanceOf(Model),
  permission: (name, value) => value === null || checkName(name, value),
  context_schema_attr: checkName,
}

/** What `act` gets. */
export interface Act<Context, Of = any> extends Run<Of> {
  /** The object. */
  readonly context: Context
}

/** A message about an object. `context_action()` makes a class of them. */
export class ContextAction<Context> extends AsyncRunnable {
  /** The objects. */
  declare readonly model: Model<Context>
  /** The permission that the user needs; null: none. */
  declare readonly permission: string | null
  /** The field of the payload that has the key. */
  declare readonly context_schema_attr: string

  /** The key of the object. */
  get pk(): unknown {
    return (this.data as Record<string, unknown>)[this.context_schema_attr]
  }

  /** Looks up the object. Rejects with NotFoundError (ERR_NOT_FOUND). */
  get context(): Promise<Context> {
    return this.model.get(this.pk, this.mm)
  }

  /** May the user do that? Rejects with NotFoundError. */
  async allowed(): Promise<boolean> {
    const { user, permission, model } = this
    return model.allows(user, permission, await this.context)
  }

  /** The object, if the user may do that. Rejects with NotFoundError or UnauthorizedError. */
  assert_perm(): Promise<Context> {
    const { user, permission, pk, mm } = this
    return this.model.require({ user, permission, pk, mm })
  }

  /** Calls `act` if the user may do that. Otherwise the peer gets the error message. */
  override async run({ consumer }: Run): Promise<void> {
    await this.act({ consumer, context: await this.assert_perm() })
  }

  /** Acts. The object is there, and the user may do that. Default: nothing. */
  act(_act: Act<Context>): unknown {
    return undefined
  }
}

/**
 * Makes a class of messages about an object. Throws InvalidArgumentError for an invalid option.
 *
 * @example
 * class Rename extends context_action('list.rename', shape({ pk: integer, name: text }), {
 *   model: lists,
 *   permission: 'change',
 * }) {
 *   override act({ consumer, context }: Act<List, Player>) {
 *     context.name = this.data.name
 *   }
 * }
 */
export function context_action<const Name extends string, Schema extends AnySchema, Context>(
  name: Name,
  schema: Schema,
  options: ContextActionOptions<Context, Schema>,
): MessageClass<Name, Schema, ContextAction<Context>> {
  checkOptions('context_action', options, CHECKS, ['model'])
  const { model, permission = null, context_schema_attr = 'pk' } = options
  const Made = message(name, schema, ContextAction)
  Object.assign(Made.prototype, { model, permission, context_schema_attr })
  return Made as unknown as MessageClass<Name, Schema, ContextAction<Context>>
}
