/**
 * Layer 8. `file://NAME`: read or written, as `dir=r` or `dir=w` says.
 */

import { FileReader } from './file-reader.ts'
import { FileWriter } from './file-writer.ts'
import type { Implementation } from '../init.ts'

export const File: Implementation = {
  protocol: 'file',
  replace({ params }) {
    if (params.url.host === '') throw params.url.host_fault('a file has a name')
    return params.choice('dir', ['r', 'w', 'in', 'out'], 'r').match(/^(w|out)$/)
      ? FileWriter
      : FileReader
  },
}
