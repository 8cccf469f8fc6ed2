/**
 * Bench. `npm run bench:micro`: the core without sockets. Counts first, then times; with `--counts`
 * the counts alone.
 *
 * The exit code is 1 when a count is over its bound, 2 when it was wrongly called.
 */

import { type Count, counts } from './micro/counts.ts'
import { type Time, times } from './micro/times.ts'

const HELP = `Usage: npm run bench:micro -- [--counts] [--help]

Counts what the core does (system calls, copies, allocations), then measures its parts without sockets.

  --counts   only the counts, which do not depend on time: exits with 1 when one is over its bound
`

const WIDTH = 72

async function main(argv: readonly string[]): Promise<number> {
  const unknown = argv.find(each => !['--counts', '--help', '-h'].includes(each))
  if (unknown !== undefined) {
    console.error(
      `bench:micro: unknown option ${JSON.stringify(unknown)} (--help lists the options)`,
    )
    return 2
  }
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(HELP)
    return 0
  }
  const counted = await counts()
  console.log(`${'count'.padEnd(WIDTH)}${'is'.padStart(8)}${'at most'.padStart(9)}`)
  for (const each of counted) console.log(countLine(each))
  if (!argv.includes('--counts')) {
    console.log(
      `\n${'nanoseconds each'.padEnd(WIDTH)}${'min'.padStart(8)}${'median'.padStart(9)}${'a layer'.padStart(9)}`,
    )
    for (const each of await times()) console.log(timeLine(each))
  }
  const over = counted.filter(isOver)
  for (const { what, count, bound, reason } of over)
    console.error(`bench:micro: ${what} is ${count}, at most ${bound}: ${reason}`)
  return over.length > 0 ? 1 : 0
}

function countLine(each: Count): string {
  const line = `${each.what.padEnd(WIDTH)}${String(each.count).padStart(8)}${String(each.bound).padStart(9)}`
  return isOver(each) ? `${line}  OVER` : line
}

function timeLine({ what, min, median, layer }: Time): string {
  return `${what.padEnd(WIDTH)}${min.toFixed(1).padStart(8)}${median.toFixed(1).padStart(9)}${(layer?.toFixed(1) ?? '').padStart(9)}`.trimEnd()
}

function isOver({ count, bound }: Count): boolean {
  return !(count <= bound)
}

process.exitCode = await main(process.argv.slice(2))
