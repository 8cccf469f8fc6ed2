/**
 * A file of src/ is covered by its own test alone (test/core/time/timers.test.js covers
 * src/core/time/timers.ts), so that no line is called covered that only some scenario happens to
 * run.
 * Scenarios and the tests of the whole cover nothing; what all/ runs sees to it by itself.
 */
const NOTHING =
  /^\/?\.build\/test\/(all\/|scenarios\/|pages\/|peers\/|layers|documented-defaults|package)/

export default test =>
  NOTHING.test(test)
    ? null
    : test
        .replace(/^\/?\.build\/test\//, 'src/')
        .replace(/\.test\.js$/, '.ts')
        .replace('src/exports.ts', 'src/index.ts')
