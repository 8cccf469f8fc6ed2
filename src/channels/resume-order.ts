/**
 * Layer 4. The order in which the channels below one are resumed with it: in turn. If the reads of
 * each suspend the one above again, as a limit of what is received does, all are served alike.
 */

/**
 * What was resumed last, by what it is below. (A field would cost memory in every connection, which
 * has nothing below it.)
 */
const last = new WeakMap<object, object>()

/** All of them, beginning after the one that was resumed last. */
export function inTurn<Child extends object>(above: object, all: ReadonlySet<Child>): Child[] {
  const children = [...all]
  const first = children.indexOf(last.get(above) as Child) + 1
  return first === 0 ? children : [...children.slice(first), ...children.slice(0, first)]
}

/** This one is resumed now. */
export function noteResumed(above: object, child: object): void {
  last.set(above, child)
}
