/** What the tests of commands share. */

import type { Test } from 'tap'

/** Runs the file of a command in this process, with `--version`. */
export async function checkVersion(t: Test, name: string, main: string): Promise<void> {
  const { argv, exitCode } = process
  const written: string[] = []
  t.intercept(process.stdout, 'write', {
    value: (text: string) => written.push(text) > 0,
    configurable: true,
  })
  process.argv = [argv[0]!, main, '--version']
  await import(new URL(`../../src/commands/${name}/main.js`, import.meta.url).href)
  t.equal(process.exitCode, 0)
  process.argv = argv
  process.exitCode = exitCode
  t.match(written, [/^\d+\.\d+\.\d+\n$/])
}
