/**
 * Layer 4. isConstructing: does the constructor of one of these classes run now?
 *
 * Class fields that are compiled to assignments (older targets of TypeScript) can be told from
 * other assignments only by the constructor that makes them. V8 says which constructors are
 * running. Where nobody says so, the answer is no.
 */

/** What V8 says of one call. */
interface Call {
  isConstructor(): boolean
  getFunctionName(): string | null
}

/** How many calls may lie between the constructor and the question. */
const DEPTH = 20

/** `names`: those of the classes. It takes some microseconds: ask only if it matters. */
export function isConstructing(names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false
  return calls().some(call => call.isConstructor() && names.has(call.getFunctionName() ?? ''))
}

function calls(): Call[] {
  const { stackTraceLimit } = Error
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  Error.stackTraceLimit = DEPTH
  Error.prepareStackTrace = (_error, calls) => calls
  try {
    const stack: unknown = new Error().stack
    return Array.isArray(stack) ? stack : []
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    if (prepare === undefined) delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace
    else Object.defineProperty(Error, 'prepareStackTrace', prepare)
  }
}
