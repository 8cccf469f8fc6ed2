/**
 * Layer 10. How the parts are doing, as a table that is drawn again in its place on a terminal, and
 * as a line for each part elsewhere.
 */

/** One line of the table. */
export interface Row {
  readonly name: string
  readonly state: string
  readonly queued: number
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly retries: number
}

const NUMBERS = ['queued', 'sent', 'received', 'lost', 'retries'] as const
const TITLE = ['', 'state', ...NUMBERS]

/** Moves to the first column, that many lines up, and clears what follows. */
const back = (lines: number): string => (lines === 0 ? '' : `\x1b[${lines}A\r\x1b[J`)

export class Table {
  readonly #out: { write(text: string): unknown }
  readonly #isTerminal: boolean
  /** How many lines of it stand on the terminal. */
  #drawn = 0

  constructor(out: { write(text: string): unknown }, isTerminal: boolean) {
    this.#out = out
    this.#isTerminal = isTerminal
  }

  draw(rows: readonly Row[]): void {
    const lines = this.#isTerminal ? tableOf(rows) : rows.map(lineOf)
    const start = this.#isTerminal ? back(this.#drawn) : ''
    this.#drawn = lines.length
    this.#out.write(`${start}${lines.join('\n')}\n`)
  }

  /** Takes it away: something else is to be printed. */
  clear(): void {
    if (this.#isTerminal && this.#drawn > 0) this.#out.write(back(this.#drawn))
    this.#drawn = 0
  }
}

function tableOf(rows: readonly Row[]): string[] {
  const cells = [TITLE, ...rows.map(cellsOf)]
  const widths = TITLE.map((_, column) => Math.max(...cells.map(row => row[column]!.length)))
  return cells.map(row =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
}

function cellsOf(row: Row): string[] {
  return [row.name, row.state, ...NUMBERS.map(name => String(row[name]))]
}

function lineOf(row: Row): string {
  return [`${row.name}: ${row.state}`, ...NUMBERS.map(name => `${name} ${row[name]}`)].join(', ')
}
