/**
 * Layer 0. The files that channels read and write: contracts only. Part of the seam: transport.ts
 * exports all of it.
 *
 * Rule that every implementation keeps: no report is made inside a call, as in transport.ts.
 */

import type { Buffer } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import type { Bytes } from './types.ts'

/** A file to read: a path, a `file:` URL, an open FileHandle or a file descriptor. */
export type FileName = string | URL | FileHandle | number

/** The files of a machine. `Network.files` is one. */
export interface Files {
  /**
   * The bytes of a file from `offset` on: `nbytes` of them, or with 0 all that there are when it is
   * opened. Fewer bytes in the file are no error, nor is an `offset` beyond its end. Opens nothing
   * before the first `take`.
   *
   * A path and a URL are opened and closed by the source. A FileHandle and a descriptor stay open,
   * and must stay open until they are sent. Throws InvalidArgumentError for an invalid file, offset
   * or size.
   */
  read(file: FileName, offset: Bytes, nbytes: Bytes): FileSource
  /**
   * A file that is read from its beginning, and followed while others write to it. If a network has
   * no such thing, files are read again from where they ended. Opens nothing before the first
   * `take`.
   */
  follow?(path: string): FileTail
  /**
   * Opens the file for writing, or makes it. Every write goes to its end, wherever that is by then.
   * The file is cut off at `offset` first: with Infinity nothing is, with 0 all of it. Never
   * throws: errors go to `owner.failed`.
   */
  write(path: string, offset: Bytes, owner: FileSinkOwner): FileSink
  /**
   * Loads a module and returns its exports. './x.js' and '/x.js' are paths, from the current
   * directory on; anything else is a name as `import` takes it. Rejects with the error of loading.
   */
  load_module(specifier: string): Promise<Readonly<Record<string, unknown>>>
  /** A small file (a certificate, a key) as text. Throws the error of the system. */
  load_text(path: string): string
}

/** The bytes of a file, chunk by chunk. */
export interface FileSource {
  /**
   * Called once after each `take` that returned 'starved', as soon as another `take` returns
   * something else; never inside a call, never after `close`. May call `take` and `close`. The
   * default does nothing.
   */
  on_ready: () => void
  /**
   * Returns the next chunk, of at least 1 byte, which belongs to the caller; 'end' after the last
   * one, again and again; or 'starved' if neither is known yet: then `on_ready` follows.
   *
   * Throws the error of the system (ENOENT, EACCES, EISDIR …), or WriteError ERR_FILE_SHRANK if a
   * regular file is shorter than when it was opened. After an error every call throws it again.
   * Throws InvalidStateError after `close`.
   */
  take(): Buffer | 'starved' | 'end'
  /**
   * The caller does not need this chunk any more: its memory may be used for what is read next.
   * Optional, on both sides.
   */
  give_back?(chunk: Buffer): void
  /** Drops everything, and closes the file if the source opened it. May be called at any time. */
  close(): void
}

/** A file that is followed. */
export interface FileTail {
  /** As of a FileSource. */
  on_ready: () => void
  /**
   * As of a FileSource, but 'end' is the end for now. 'renamed': another file has that name now,
   * 'truncated': it was cut off; what follows is read from the beginning.
   */
  take(): Buffer | 'starved' | 'end' | 'renamed' | 'truncated'
  /** After 'end': looks again. The next `take` returns 'starved' until that is known. */
  look(): void
  /** Closes the file. May be called at any time. */
  close(): void
}

/** What is at both ends of a file. */
export interface FileEnds {
  /** Its length. */
  readonly size: Bytes
  /** The first 16 bytes, or fewer if there are fewer. */
  readonly first: Buffer
  /** The last byte, from 0 to 255. */
  readonly last_byte: number
}

/** What writing to a file reports to: opened; any number of drained; one of failed and closed. */
export interface FileSinkOwner {
  /**
   * The file is open and has been cut off. `ends`: what is in it; undefined if it is empty, or no
   * regular file.
   */
  opened(ends?: FileEnds): void
  /** Everything that was written has been handed to the system. */
  drained(): void
  /**
   * The file could not be opened or written. `bytes_queued` is what was lost. Of a chunk that was
   * written in part nothing is left, if that can be undone. Nothing follows.
   */
  failed(error: unknown): void
  /** After `close`: everything is written and the file is closed. Nothing follows. */
  closed(): void
}

/** A file that is written to. */
export interface FileSink {
  /** Bytes that were written here and that the system has not taken yet. */
  readonly bytes_queued: Bytes
  /** Writes, in order. The chunk must not be changed before `drained`. */
  write(chunk: Uint8Array): void
  /**
   * Writes what is queued, then closes.
   * With `drop`, drops what is queued, closes, and reports nothing more.
   */
  close(drop?: boolean): void
}
