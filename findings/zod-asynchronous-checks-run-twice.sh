#!/usr/bin/env bash
# zod: by the Standard Schema interface, a schema with an asynchronous check runs its checks twice.
#
# Versions:  the npm package `zod`, 4.6.7, on any Node.
# Expected:  `schema['~standard'].validate(value)` runs each check, transform and default once, as
#            `schema.parseAsync(value)` does.
# Seen:      what comes before the first asynchronous check runs twice, and that check as well. (It
#            tries without promises first, and begins again when it meets one.) So a check with an
#            effect has it twice: a limit on attempts counts double, an id that a default makes is
#            not the one that was noted, a lookup in a database is made twice for each message. And
#            a check that throws is not thrown: `validate` returns a promise that rejects.
# Here:      envelopes, and other users of Standard Schema, validate by this method.
#
# Exits with 0 as long as this is so, with 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$folder" zod@4.6.7 >/dev/null

cat >"$folder/program.mjs" <<'PROGRAM'
import { z } from 'zod'

const ran = { check: 0, transform: 0, default: 0, lookup: 0 }
const count = (name, value) => (ran[name]++, value)
const schema = z.object({
  check: z.string().refine(() => count('check', true)),
  transform: z.string().transform(text => count('transform', text)),
  default: z.string().default(() => count('default', 'it')),
  lookup: z.string().refine(async () => count('lookup', true)),
})
const value = { check: 'a', transform: 'b', lookup: 'c' }

await schema.parseAsync(value)
const parsed = JSON.stringify(Object.values(ran))
for (const name of Object.keys(ran)) ran[name] = 0
const { issues } = await schema['~standard'].validate(value)
const validated = JSON.stringify(Object.values(ran))
console.log(`parseAsync ${parsed}, ~standard.validate ${validated}`)
process.exit(parsed === '[1,1,1,1]' && validated === '[2,2,2,2]' && !issues ? 0 : 1)
PROGRAM

cd "$folder" && timeout 60 node program.mjs
