/**
 * Bench. What `npm run bench` can be told on its command line.
 *
 * Rule: whatever is wrong is a UsageError whose message is one line for the person who typed it.
 */

import { parseArgs } from 'node:util'
import { type Row, ROWS } from './rows.ts'

export const HELP = `Usage: npm run bench -- [options]

Measures sluice beside bare node:net on this machine, over loopback.

  --quick        one round of a few rows, under 30 seconds: for a first look
  --only <name>  only the row of that name, or those whose names begin so; may be given again
  --rounds <n>   how often each server is measured, 1 to 99. Default 3
  --json         write the results to bench/results/ too; then npm run bench:readme puts them into README.md
  --help, -h     print this

Rows: ${ROWS.map(row => row.name)
  .join(' ')
  .replace(/(.{1,90})(?: |$)/g, '$1\n      ')
  .trimEnd()}

All of them take under 3 minutes.
`

export interface Options {
  readonly isJson: boolean
  readonly isHelp: boolean
  readonly rounds: number
  readonly rows: readonly Row[]
}

/** Something on the command line cannot be. */
export class UsageError extends Error {}

/** Reads the arguments that follow the name of the program. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Options {
  const { quick, json, help, rounds, only } = parseValues(argv)
  return {
    isJson: json ?? false,
    isHelp: help ?? false,
    rounds: rounds === undefined ? (quick ? 1 : 3) : parseRounds(rounds),
    rows: only !== undefined ? chooseRows(only) : quick ? ROWS.filter(row => row.isQuick) : ROWS,
  }
}

function parseValues(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        rounds: { type: 'string' },
        only: { type: 'string', multiple: true },
      },
    }).values
  } catch (error) {
    // Node's advice after its first sentence is for another kind of command.
    throw new UsageError((error as Error).message.split(/\.?\n|\. (?=[A-Z])/)[0])
  }
}

function parseRounds(text: string): number {
  if (!/^[1-9]\d?$/.test(text))
    throw new UsageError(`--rounds must be a number from 1 to 99; got ${JSON.stringify(text)}`)
  return Number(text)
}

function chooseRows(names: readonly string[]): Row[] {
  for (const name of names) {
    if (name !== '' && ROWS.some(row => row.name.startsWith(name))) continue
    throw new UsageError(
      `--only ${JSON.stringify(name)} is no row; there are ${ROWS.map(row => row.name).join(', ')}`,
    )
  }
  const isRow = (name: string): boolean => ROWS.some(row => row.name === name)
  return ROWS.filter(row =>
    names.some(name => (isRow(name) ? row.name === name : row.name.startsWith(name))),
  )
}
