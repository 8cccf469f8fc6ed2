/** Messages packed and unpacked as hex, straight by their format. */

import { Buffer } from 'node:buffer'
import { layOut, parseFormat } from '../../src/core/struct/struct-format.ts'
import { readFields, writeFields } from '../../src/core/struct/struct-values.ts'

export function layOutOf(format: string) {
  const { where, order, items } = parseFormat('Struct', format, '=')
  return { where, ...layOut(items, order) }
}

export function unpack(format: string, hex: string): unknown[] {
  const data: unknown[] = []
  readFields(layOutOf(format).fields, Buffer.from(hex, 'hex'), 0, data)
  return data
}

export function pack(format: string, ...values: unknown[]): string {
  const { where, fields, size } = layOutOf(format)
  const bytes = Buffer.alloc(size)
  writeFields(where, fields, bytes, 0, values, 0)
  return bytes.toString('hex')
}
