import t from 'tap'
import { type Fault, INVALID } from '../../../src/envelope/schema/faults.ts'
import { checkSchema, payloadCheck } from '../../../src/envelope/schema/payload.ts'
import { text } from '../../../src/envelope/schema/scalars.ts'
import { CHECK } from '../../../src/envelope/schema/schema.ts'
import type { StandardResult, StandardSchema } from '../../../src/envelope/schema/standard.ts'
import { thrown } from '../../kit.ts'

/** A schema of another library. */
function foreign(
  validate: (value: unknown) => StandardResult<unknown> | Promise<StandardResult<unknown>>,
): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

async function check(schema: StandardSchema, value: unknown): Promise<unknown> {
  const faults: Fault[] = []
  const result = await payloadCheck(schema)(value, faults)
  return result === INVALID ? faults.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`) : result
}

t.test('a schema of sluice checks by itself', async t => {
  t.equal(payloadCheck(text), text[CHECK])
})

t.test('a schema of another library', async t => {
  t.equal(
    await check(
      foreign(value => ({ value: `${value}!` })),
      'a',
    ),
    'a!',
  )
  t.equal(
    await check(
      foreign(async value => ({ value: `${value}!` })),
      'a',
    ),
    'a!',
  )
  const issues = [
    { message: 'no' },
    { message: 'too long', path: ['a', 0, { key: 'b' }, Symbol('c')] },
  ]
  const faults = [': no', 'a.0.b.Symbol(c): too long']
  t.strictSame(
    await check(
      foreign(() => ({ issues })),
      1,
    ),
    faults,
  )
  t.strictSame(
    await check(
      foreign(async () => ({ issues })),
      1,
    ),
    faults,
  )
  t.strictSame(
    await check(
      foreign(() => ({ issues: [] })),
      1,
    ),
    [': invalid'],
  )
})

t.test('it gets only what is bounded and harmless', async t => {
  const all = foreign(value => ({ value }))
  t.strictSame(await check(all, JSON.parse('{"__proto__":1}')), [
    '__proto__: this name is not permitted',
  ])
})

t.test('a schema that throws has not let the value through', async t => {
  const broken = foreign(() => {
    throw new Error('broken')
  })
  t.strictSame(await check(broken, 1), [': broken'])
  const late = foreign(async () => {
    throw new Error('broken later')
  })
  t.strictSame(await check(late, 1), [': broken later'])
})

t.test('what is no schema', async t => {
  checkSchema('a', text)
  const future = { '~standard': { version: 2, vendor: '', validate() {} } }
  for (const wrong of [null, undefined, 5, {}, { '~standard': {} }, future])
    t.equal(
      thrown(() => checkSchema('a', wrong)),
      'ERR_INVALID_ARGUMENT',
    )
})
