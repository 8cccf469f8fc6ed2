/**
 * npm run schemas: the real libraries with the Standard Schema interface (zod, valibot, arktype),
 * at exact versions, in a temporary folder. A program without a cast is type-checked and run with
 * them. It is no part of npm test, as it needs the registry.
 *
 * The exit code is 1 if the types, or what it prints, are not as they should be.
 */

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type TypeScript from 'typescript-api'
import { ROOT } from '../built.ts'
import { ts } from '../compiler.ts'
import { PRINTS, PROGRAM } from './program.ts'

const PACKAGES = ['zod@4.6.7', 'valibot@1.5.0', 'arktype@2.2.9']

const folder = mkdtempSync(join(tmpdir(), 'sluice-schemas-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

function run(command: string, ...argv: string[]): string {
  return execFileSync(command, argv, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
  })
}

writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}')
run('npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', ...PACKAGES)
symlinkSync(ROOT, join(folder, 'node_modules/sluice'))
mkdirSync(join(folder, 'node_modules/@types'), { recursive: true })
cpSync(join(ROOT, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'), {
  recursive: true,
  dereference: true,
})
const file = join(folder, 'program.ts')
writeFileSync(file, PROGRAM)

const options: TypeScript.CompilerOptions = {
  strict: true,
  noImplicitOverride: true,
  exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
  typeRoots: [join(folder, 'node_modules/@types')],
  skipLibCheck: true,
}
const faults = ts.getPreEmitDiagnostics(ts.createProgram([file], { ...options, noEmit: true }))
for (const { messageText, file: at, start } of faults) {
  const line = at?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0
  console.log(`line ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
}

const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext }
writeFileSync(
  join(folder, 'program.js'),
  ts.transpileModule(PROGRAM, {
    compilerOptions: { ...compilerOptions, verbatimModuleSyntax: true },
  }).outputText,
)
const printed = run(process.execPath, 'program.js')
if (printed !== PRINTS) console.log(`it printed\n${printed}instead of\n${PRINTS}`)
const isFine = faults.length === 0 && printed === PRINTS
console.log(`${PACKAGES.join(', ')}: ${isFine ? 'types and answers are right' : 'WRONG'}`)
process.exitCode = isFine ? 0 : 1
