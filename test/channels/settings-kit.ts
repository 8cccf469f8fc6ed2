/** Tests of a table of settings: its checks and its defaults. */

import t from 'tap'

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
