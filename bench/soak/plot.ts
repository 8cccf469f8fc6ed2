/**
 * Bench. A small plot of text: one series of values over time, and whether it stays level.
 */

const HEIGHT = 6
const WIDTH = 72

/**
 * `values` as lines of text, the largest at the top; each column is the mean of those that fall
 * into it.
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
 * By how much the last third lies above the one before it, as medians; the first third is warm-up.
 * What grows goes on growing, however slowly; what only goes up and down does not move its median.
 */
export function growth(values: readonly number[]): number {
  const third = Math.floor(values.length / 3)
  return median(values.slice(2 * third)) - median(values.slice(third, 2 * third))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
