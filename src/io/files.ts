/**
 * Layer 2. The files of the machine: what channels read and write, unless a network brings files of
 * its own.
 */

import type { Files } from '../transport.ts'
import { NodeFileSink } from './file-sink.ts'
import { NodeFileSource } from './file-source.ts'
import { NodeFileTail } from './file-tail.ts'
import { loadModule, loadText } from './load.ts'

export const nodeFiles: Files = {
  read: (file, offset, nbytes) => new NodeFileSource(file, offset, nbytes),
  follow: path => new NodeFileTail(path),
  write: (path, offset, owner) => new NodeFileSink(path, offset, owner),
  load_module: loadModule,
  load_text: loadText,
}
