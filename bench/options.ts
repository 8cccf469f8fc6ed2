/**
 * Bench. The options of `npm run bench`.
 */

import { COMMON_OPTIONS, parseArguments, parseWhole, UsageError } from '../src/commands/usage.ts'
import { type Row, ROWS } from './rows.ts'

const ROUNDS = { usual: 3, quick: 1, against: 7 } as const

export const HELP = `Usage: npm run bench -- [options]

Measures sluice beside bare node:net on this machine, over loopback: how much
it does a second, and how much CPU time it takes for each message.

  --quick          measure a few rows in one round, in under 40 seconds
  --only <name>    measure only this row, or the rows whose names begin with
                   this. May be given several times
  --rounds <n>     measure each server this many times, 1 to 99.
                   Default: ${ROUNDS.usual}; with --against: ${ROUNDS.against}
  --node <which>   run the servers on this Node: a version that npm can fetch,
                   for example 20 or latest, bun, deno, or a path. May be given
                   several times: each row is then measured on all of them, in
                   turn. Default: the Node that runs the bench
  --against <dir>  compare with another build of sluice, instead of with
                   node:net. <dir> is a checkout with a built lib/, or an
                   installed package
  --json           also write the results to bench/results/, from where
                   npm run bench:readme takes them. Not with --against
  --help, -h       print this text

Rows:
  ${ROWS.map(row => row.name)
    .join(' ')
    .replace(/(.{1,76})(?: |$)/g, '$1\n  ')
    .trimEnd()}

All of them take about 5 minutes; with --against, about 10.
`

export interface Options {
  readonly isHelp: boolean
  readonly isJson: boolean
  readonly rounds: number
  readonly rows: readonly Row[]
  /** What --node says, in order. */
  readonly nodes: readonly string[]
  /** The folder of the other build. */
  readonly against: string | undefined
}

/** Reads the arguments that follow the name of the program. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Options {
  const { quick, json, help, rounds, only, node, against } = parseArguments({
    args: [...argv],
    options: {
      help: COMMON_OPTIONS.help,
      quick: { type: 'boolean' },
      json: { type: 'boolean' },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true },
      node: { type: 'string', multiple: true },
      against: { type: 'string' },
    },
  }).values
  if (json && against !== undefined) throw new UsageError('--json is not for --against')
  const usual = ROUNDS[against !== undefined ? 'against' : quick ? 'quick' : 'usual']
  return {
    isHelp: help ?? false,
    isJson: json ?? false,
    rounds: rounds === undefined ? usual : parseWhole('--rounds', rounds, 1, 99),
    rows: only !== undefined ? chooseRows(only) : quick ? ROWS.filter(row => row.isQuick) : ROWS,
    nodes: node ?? [],
    against,
  }
}

function chooseRows(names: readonly string[]): Row[] {
  for (const name of names) {
    if (name !== '' && ROWS.some(row => row.name.startsWith(name))) continue
    const all = ROWS.map(row => row.name).join(', ')
    throw new UsageError(`--only ${JSON.stringify(name)} is no row; the rows are ${all}`)
  }
  const isRow = (name: string): boolean => ROWS.some(row => row.name === name)
  return ROWS.filter(row =>
    names.some(name => (isRow(name) ? row.name === name : row.name.startsWith(name))),
  )
}
