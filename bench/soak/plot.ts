/**
 * Bench. A small plot of text, of values over time; and whether they stay level.
 */

import { median } from '../spread.ts'

/** Lines and columns. */
const HEIGHT = 6
const WIDTH = 72

/**
 * The values as lines of text, the greatest at the top. A column is the mean of the values that
 * fall into it.
 */
export function plot(
  title: string,
  values: readonly number[],
  unit: (value: number) => string,
): string {
  const columns = squeeze(values)
  const [low, high] = [Math.min(...columns), Math.max(...columns)]
  const step = (high - low) / HEIGHT || 1
  const rows = Array.from({ length: HEIGHT }, (_, row) => {
    const floor = low + (HEIGHT - 1 - row) * step
    const label = row === 0 ? unit(high) : row === HEIGHT - 1 ? unit(low) : ''
    return `${label.padStart(10)} |${columns.map(value => mark(value, floor, step)).join('')}`
  })
  return [`${title}`, ...rows, `${' '.repeat(10)} +${'-'.repeat(columns.length)}`].join('\n')
}

function mark(value: number, floor: number, step: number): string {
  if (value >= floor + step * 0.99) return '#'
  return value >= floor + step / 2 ? '+' : value > floor || floor === value ? '.' : ' '
}

function squeeze(values: readonly number[]): number[] {
  if (values.length <= WIDTH) return [...values]
  return Array.from({ length: WIDTH }, (_, i) => {
    const part = values.slice(
      Math.floor((i * values.length) / WIDTH),
      Math.floor(((i + 1) * values.length) / WIDTH),
    )
    return part.reduce((sum, value) => sum + value, 0) / part.length
  })
}

/**
 * By how much the median of the last third is above that of the second third. The first third is
 * warm-up. A leak goes on growing, however slowly. What only goes up and down does not move a
 * median.
 */
export function growth(values: readonly number[]): number {
  const third = Math.floor(values.length / 3)
  if (third === 0) return 0
  return median(values.slice(2 * third)) - median(values.slice(third, 2 * third))
}
