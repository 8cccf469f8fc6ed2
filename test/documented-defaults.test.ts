/** Every setting is documented, and what its `@default` says is so. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import type TypeScript from 'typescript-api'
import { DATAGRAM_DEFAULTS } from '../src/channels/datagrams/datagram-settings.ts'
import { SERVER_DEFAULTS } from '../src/channels/servers/server-settings.ts'
import { STREAM_DEFAULTS } from '../src/channels/streams/stream-settings.ts'
import { ROOT } from './built.ts'
import { ts } from './compiler.ts'

/** The interface and its file in src/channels/, and what its settings are. */
const DOCUMENTED: readonly [name: string, file: string, defaults: object][] = [
  ['StreamSettings', 'streams/stream-settings.ts', STREAM_DEFAULTS],
  ['ServerSettings', 'servers/server-settings.ts', SERVER_DEFAULTS],
  ['DatagramSettings', 'datagrams/datagram-settings.ts', DATAGRAM_DEFAULTS],
]

for (const [name, file, defaults] of DOCUMENTED)
  t.test(`the defaults that ${name} documents`, async t => {
    const said = Object.entries(documented(file, name))
    t.same(said.map(([setting]) => setting).sort(), Object.keys(defaults).sort(), 'all are here')
    for (const [setting, text] of said) {
      const value = (defaults as Record<string, unknown>)[setting]
      t.equal(valueIn(text), typeof value === 'function' ? value.name : String(value), setting)
    }
  })

/** The `@default` of every member of an interface. */
function documented(file: string, name: string): Record<string, string> {
  const text = readFileSync(`${ROOT}src/channels/${file}`, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = source.statements.find(
    each => ts.isInterfaceDeclaration(each) && each.name.text === name,
  ) as TypeScript.InterfaceDeclaration
  return Object.fromEntries(
    found.members.map(member => {
      const tag = ts.getJSDocTags(member).find(each => each.tagName.text === 'default')
      return [member.name!.getText(), ts.getTextOfJSDocComment(tag?.comment) ?? '']
    }),
  )
}

/** '64 KiB' → '65536', '30 000 ms' → '30000', 'null; …' → 'null'. */
function valueIn(text: string): string {
  const [said = ''] = text.split(/[;:]/)
  const size = /^([\d ]+?)(?: (KiB|MiB|ms))?$/.exec(said)
  if (size === null) return said
  const unit = { KiB: 1024, MiB: 1024 ** 2, ms: 1 }[size[2] ?? 'ms'] as number
  return String(Number(size[1]!.replaceAll(' ', '')) * unit)
}
