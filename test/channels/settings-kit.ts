/** Tests of a table of settings: its checks, its defaults and their documentation. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import ts from 'typescript-api'
import { ROOT } from '../built.ts'

type Table<Values> = {
  readonly [Name in keyof Values]: (name: string, value: unknown) => Values[Name]
}

/** `wrong`: for every setting, invalid values, and what the message about them says. */
export function checkTables<Values extends object>(
  checks: Table<Values>,
  defaults: Values,
  wrong: readonly [name: keyof Values, values: unknown[], message: RegExp][],
): void {
  t.test('every default passes its own check', async t => {
    for (const name of Object.keys(checks) as (string & keyof Values)[])
      t.equal(checks[name](name, defaults[name]), defaults[name], name)
  })

  t.test('an invalid value is refused, and the message says what is valid', async t => {
    t.same(wrong.map(([name]) => name).sort(), Object.keys(defaults).sort(), 'all are here')
    for (const [name, values, message] of wrong) {
      for (const value of values)
        t.throws(
          () => checks[name](String(name), value),
          { message },
          `${String(name)} = ${String(value)}`,
        )
    }
  })
}

/**
 * Every setting is documented, and what its `@default` says is so. `place`: the file in
 * src/channels/, and the interface in it.
 */
export function checkDocs(
  [file, name]: readonly [file: string, name: string],
  defaults: object,
): void {
  t.test(`the defaults that ${name} documents`, async t => {
    const said = Object.entries(documented(file, name))
    t.same(said.map(([setting]) => setting).sort(), Object.keys(defaults).sort(), 'all are here')
    for (const [setting, text] of said) {
      const value = (defaults as Record<string, unknown>)[setting]
      t.equal(valueIn(text), typeof value === 'function' ? value.name : String(value), setting)
    }
  })
}

/** The `@default` of every member of an interface. */
function documented(file: string, name: string): Record<string, string> {
  const text = readFileSync(`${ROOT}src/channels/${file}`, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = source.statements.find(
    each => ts.isInterfaceDeclaration(each) && each.name.text === name,
  ) as ts.InterfaceDeclaration
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
