/**
 * The messages of a shared to-do list. Both sides have this file: the server its classes, the page
 * in the browser its types.
 */

import {
  boolean,
  DeferredJob,
  Envelope,
  incoming_schema,
  type InputOf,
  integer,
  list,
  message,
  type NameOf,
  type ClassIn,
  outgoing_schema,
  shape,
  Stat,
  text,
  TextTransport,
} from '../../src/envelope/index.ts'

const item = shape({ pk: text, title: text, done: boolean, at: integer })

/** To the server. What changes the list is written by a worker, so both are jobs. */
export class AddItem extends message(
  'todo.add',
  shape({ title: text.min(1).max(200) }),
  DeferredJob,
) {}
export class CheckItem extends message(
  'todo.check',
  shape({ pk: text, done: boolean }),
  DeferredJob,
) {}

/** To the pages: all items at the beginning, then each that has changed. */
export class Items extends message('todo.items', shape({ items: list(item) })) {}
export class Item extends message('todo.item', item) {}

export const to_server = new Envelope({
  name: 'todo_in',
  messages: [AddItem, CheckItem],
  schema: incoming_schema,
})
export const to_page = new Envelope({
  name: 'todo_out',
  messages: [Items, Item, Stat],
  schema: outgoing_schema,
  transport: new TextTransport('websocket.send'),
})

/** What stands on the wire, for each message of an envelope. */
type Wire<Of extends Envelope<any>> = {
  [Name in NameOf<Of>]: {
    readonly t: Name
    readonly p: InputOf<ClassIn<Of, Name>['schema']>
    readonly i?: string | null
    readonly s?: string | null
  }
}[NameOf<Of>]

/** What the page sends. */
export type FromPage = Wire<typeof to_server>
/** What the page gets. Errors have a `msg`, or what their type says. */
export type ToPage = Wire<typeof to_page> | { readonly t: `error.${string}`; readonly p: unknown }
