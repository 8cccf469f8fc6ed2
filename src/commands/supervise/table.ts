/**
 * Layer 10. How the parts are doing, as a table that is drawn again in its place on a terminal, and
 * as a line for each part elsewhere, and where the table is wider than the terminal.
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

/** Where it is drawn. */
export interface Screen {
  /** How wide a terminal is; undefined elsewhere. It may change at any time. */
  readonly columns?: number
  write(text: string): unknown
}

export class Table {
  readonly #out: Screen
  readonly #isTerminal: boolean
  /** The lines of it that stand on the terminal. */
  #drawn: readonly string[] = []

  constructor(out: Screen, isTerminal: boolean) {
    this.#out = out
    this.#isTerminal = isTerminal
  }

  /** Some terminals do not say how wide they are. */
  get #width(): number {
    return this.#out.columns || 80
  }

  draw(rows: readonly Row[]): void {
    const lines = this.#isTerminal ? fitting(rows, this.#width) : rows.map(lineOf)
    const start = this.#back()
    this.#drawn = this.#isTerminal ? lines : []
    this.#out.write(`${start}${lines.join('\n')}\n`)
  }

  /** Takes it away: something else is to be printed. */
  clear(): void {
    const start = this.#back()
    this.#drawn = []
    if (start !== '') this.#out.write(start)
  }

  /** Moves to where the table begins, and clears what follows. */
  #back(): string {
    // A terminal that has become narrower has wrapped them.
    const height = this.#drawn.reduce((sum, { length }) => sum + Math.ceil(length / this.#width), 0)
    return height === 0 ? '' : `\x1b[${height}A\r\x1b[J`
  }
}

function fitting(rows: readonly Row[], width: number): string[] {
  const table = tableOf(rows)
  if (table.every(({ length }) => length <= width)) return table
  return rows.flatMap(row => wrapped(lineOf(row), width))
}

/** The text in lines of that width, which begin after a comma. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const part of text.split(/(?<=,) /)) {
    const longer = `${lines.at(-1)} ${part}`
    if (lines.length === 0) lines.push(part)
    else if (longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(`  ${part}`)
  }
  return lines
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
