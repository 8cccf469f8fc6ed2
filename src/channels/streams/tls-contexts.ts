/**
 * Layer 4. TLS contexts: made once for each object of options, because to make one is expensive (it
 * reads certificates and keys), and a client asks for one whenever it connects.
 */

import type { Tls, TlsContext, TlsOptions, TlsSide } from '../../transport.ts'

/** What was made, by the options that it was made of. */
type Made = Readonly<Record<TlsSide, WeakMap<TlsOptions, TlsContext>>>

const madeBy = new WeakMap<Tls, Made>()

/**
 * The context of these options. If there is one already, what was changed in the object since then
 * is not looked at. Throws InvalidArgumentError for invalid options.
 */
export function contextFor(tls: Tls, side: TlsSide, options: TlsOptions): TlsContext {
  return madeOf(tls)[side].get(options) ?? renewContext(tls, side, options)
}

/**
 * Likewise, but looks at the options again, and `contextFor` returns the new context from now on.
 */
export function renewContext(tls: Tls, side: TlsSide, options: TlsOptions): TlsContext {
  const context = tls.context(side, options)
  madeOf(tls)[side].set(options, context)
  return context
}

function madeOf(tls: Tls): Made {
  let made = madeBy.get(tls)
  if (made === undefined) madeBy.set(tls, (made = { client: new WeakMap(), server: new WeakMap() }))
  return made
}
