/**
 * Layer 8. The name of a file: the host of the URL, or the parameter `filename` of the opening.
 */

import type { Params } from '../params.ts'

/** Throws UrlError if there is none. */
export function fileName({ url }: Params, opening: Params): string {
  if (url.host !== '') return url.host
  if (!opening.has('filename'))
    throw url.host_fault("the file is missing; without one, open('filename=…') must give it")
  return opening.text('filename')
}
