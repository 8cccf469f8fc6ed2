/**
 * Loaded first in every process of tap's. Where tap counts no coverage, a thread of its own would
 * still be asked for each module, and told of it, which takes half a second of processor time when
 * all of src/ is imported. In all.test.js tap counts nothing: see together.ts.
 */

const modules = require('node:module')

if (process.env._TAPJS_PROCESSINFO_COVERAGE_ === '0') modules.register = () => {}
