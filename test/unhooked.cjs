/**
 * Loaded first in every process of tap's. What tap counts no coverage in are the processes of
 * all/: see together.ts. There
 *
 * - no thread is asked for each module, and told of it, which takes half a second of processor time
 *   when all of src/ is imported;
 * - no promise and handle is followed from its beginning to its end, which takes a tenth of the
 *   time. So tap cannot tell which test an error belongs to that nobody caught: Node prints it, and
 *   all of the file fails. Run the test by itself then;
 * - no map to the sources is read, which takes a twentieth: what fails is shown by its line in
 *   .build/, and by that of its source if the test is run by itself;
 * - what is printed goes out once in a turn: a system call for each line takes a twelfth of the
 *   time.
 */

const hooks = require('node:async_hooks')
const modules = require('node:module')

if (process.env._TAPJS_PROCESSINFO_COVERAGE_ === '0') {
  modules.register = () => {}
  const { createHook } = hooks
  const unused = { enable() {}, disable() {} }
  hooks.createHook = calls => (calls.destroy === undefined ? createHook(calls) : unused)
  modules.syncBuiltinESMExports()
  process.setSourceMapsEnabled(false)

  const { stdout } = process
  const { write } = stdout
  stdout.write = (...args) => {
    if (stdout.writableCorked === 0) {
      stdout.cork()
      setImmediate(() => stdout.uncork())
    }
    return write.apply(stdout, args)
  }
  process.on('exit', () => stdout.uncork())
}
