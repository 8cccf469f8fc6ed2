/** The command lines of sluice-echo and sluice-cat: a request, or a UsageError that says why. */

import { parseOptions as catOptions } from '../../src/commands/cat/options.ts'
import { parseOptions as echoOptions } from '../../src/commands/echo/options.ts'
import { parseWhole, UsageError } from '../../src/commands/usage.ts'
import { parseAddress } from '../../src/core/address.ts'
import { pick, type Random, type Target } from './target.ts'

// prettier-ignore
const WORDS = [
  '--port', '--host', '--unix', '--delimiter', '--workers', '--dump', '--both', '--raw', '--wait',
  '--help', '-h', '--version', '--', '-', '-x', '--no-such', '0', '4040', '65536', '-1', '1e3', '',
  'localhost', '/tmp/x', '\\n', '\\x1e', '\\xg', '\\', 'é', '5s', '5', 'null://', 'tcp://:0', 'a b',
]

const word = (random: Random): string =>
  random(4) === 0 ? `${pick(random, WORDS)}=${pick(random, WORDS)}` : pick(random, WORDS)

/** What it returns, or the message of a UsageError; nothing else is expected. */
function used<Value>(call: () => Value): Value | string {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof UsageError) || error.message === '') throw error
    return error.message
  }
}

export const options: Target = {
  name: 'command lines',
  round(random) {
    const argv = Array.from({ length: random(6) }, () => word(random))
    const faults: string[] = []
    const echo = used(() => echoOptions(argv))
    if (typeof echo !== 'string' && echo.kind === 'serve') {
      parseAddress(echo.address)
      if (echo.delimiter === '') faults.push('the delimiter is empty')
      if (!(echo.workers >= 0 && echo.workers <= 256)) faults.push(`${echo.workers} workers`)
    }
    const cat = used(() => catOptions(argv))
    if (typeof cat !== 'string' && cat.kind === 'cat')
      if (!((cat.wait ?? 0) >= 0) || cat.wait === Infinity) faults.push(`--wait of ${cat.wait}`)
    const text = pick(random, [...WORDS, String(random(100_000)), `0${random(9)}`])
    const whole = used(() => parseWhole('--port', text, 0, 65_535))
    if (typeof whole === 'number' && !(whole >= 0 && whole <= 65_535)) faults.push(`${whole}`)
    return faults.map(fault => `${JSON.stringify(argv)}: ${fault}`)
  },
}
