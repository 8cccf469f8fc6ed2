/**
 * Runs programs of a page in one process: node programs.js MARK FILE…
 *
 * Each begins when nothing is left to do of the one before it: it has ended, as a process of its
 * own would. MARK follows what each has printed, on stdout and on stderr. One that fails, or waits
 * for what never comes, ends the process.
 */

/** The exit code of Node for a program that waits for what never comes. */
const UNSETTLED = 13

async function run([mark = '', ...files]: readonly string[]): Promise<void> {
  for (const file of files) {
    let hasRun = false
    // An import alone does not keep a process, since Node 22: so it begins in a turn of the loop.
    const ended = new Promise<void>(resolve =>
      process.once('beforeExit', () => setImmediate(resolve)),
    )
    void import(file).then(() => (hasRun = true))
    await ended
    if (!hasRun) process.exitCode ??= UNSETTLED
    if (process.exitCode) return
    process.stdout.write(mark)
    process.stderr.write(mark)
  }
}

await run(process.argv.slice(2))
