/**
 * Layer 10. Output: what is printed to stdout, and how much of it nobody has taken yet.
 */

import { Buffer } from 'node:buffer'
import type { Bytes } from '../../types.ts'

/** The part of stdout that is used here. */
export interface Stdout {
  /** False: it has taken the data and wants no more until 'drain'. `done` is called afterwards. */
  write(data: string | Uint8Array, done?: () => void): unknown
  once(event: 'drain', listener: () => void): unknown
  emit(event: 'error', error: unknown): unknown
}

export class Output {
  readonly #stdout: Stdout
  #waiting: Bytes = 0
  #idle: (() => void)[] = []

  constructor(stdout: Stdout) {
    this.#stdout = stdout
  }

  /** Bytes that nobody has taken. */
  get waiting(): Bytes {
    return this.#waiting
  }

  /** Prints. The promise resolves when stdout wants more. */
  write(data: string | Uint8Array): Promise<void> | undefined {
    const size = typeof data === 'string' ? Buffer.byteLength(data) : data.length
    this.#waiting += size
    const hasRoom = this.#print(data, size)
    return hasRoom === false ? new Promise(go => this.#stdout.once('drain', go)) : undefined
  }

  /** Deno throws what others report. */
  #print(data: string | Uint8Array, size: Bytes): unknown {
    try {
      return this.#stdout.write(data, () => this.#taken(size))
    } catch (error) {
      return this.#stdout.emit('error', error)
    }
  }

  #taken(size: Bytes): void {
    this.#waiting -= size
    if (this.#waiting === 0) for (const each of this.#idle.splice(0)) each()
  }

  /** Resolves when everything has been taken. */
  idle(): Promise<void> {
    return this.#waiting === 0 ? Promise.resolve() : new Promise(go => this.#idle.push(go))
  }
}
