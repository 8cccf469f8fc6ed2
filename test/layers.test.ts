/**
 * Holds src/ to its tree: imports go down only, the machine is touched in one folder, nothing goes
 * round in a circle. And holds every file to the style that a machine can judge, see style.ts. The
 * rules are functions over texts, so that a made tree can show that each of them bites.
 */

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import type TypeScript from 'typescript-api'
import { ROOT } from './built.ts'
import { ts } from './compiler.ts'
import { layerOf, programOf, sourceFaults, textFaults, type Tree } from './style.ts'
import { ALONE } from './together.ts'

/** The layers that the files of a folder may be in; src/ itself has them by name. */
const FOLDERS: Readonly<Record<string, readonly number[]>> = {
  core: [1],
  io: [2],
  channels: [4, 5, 6],
  protocols: [7],
  messages: [8],
  relay: [8],
  rooms: [9],
  packets: [9],
  envelope: [9],
  commands: [10],
}
const TOP: Readonly<Record<string, number>> = {
  'types.ts': 0,
  'errors.ts': 0,
  'transport.ts': 0,
  'files.ts': 0,
  'threads.ts': 0,
  'packet-socket.ts': 0,
  'tls.ts': 0,
  'engine.ts': 3,
  'engine-options.ts': 3,
  'index.ts': 11,
  'testing.ts': 11,
}

/** Layer 0 that says words only: nothing of these is left at run time. */
const NO_CODE = ['types.ts', 'transport.ts', 'files.ts', 'packet-socket.ts', 'threads.ts', 'tls.ts']

/**
 * Who may import from io/: everybody else gets there through the engine. (The public names have a
 * network among them.)
 */
const MAY_IMPORT_IO = /^(io\/|(engine|index|testing)\.ts$)/

/** The one file of io/ that the engine imports, and that nothing else does. */
const DOOR_TO_IO = 'io/node.ts'

/**
 * What of Node may be imported outside io/, and where. Types of Node may be imported anywhere: they
 * are gone at run time.
 */
const NODE_MODULES: readonly [file: RegExp, module: RegExp][] = [
  [/^io\//, /./],
  // Modules that compute: they touch nothing.
  [/./, /^node:(buffer|zlib|crypto|util)$/],
  // The process of a command.
  [/^commands\/(?:[^/]+\/)?main\.ts$/, /./],
]

/** The machine by its globals; and where that is so by design. */
const MACHINE = new Set([
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
])
const MAY_USE_MACHINE = /^(io\/|testing\.ts$|rooms\/browser\.ts$|commands\/(?:[^/]+\/)?main\.ts$)/

/**
 * Pairs that know each other's types, and only those; at run time one of the two imports the other.
 * The class and what it is made of: a reader takes the table's contract, a link takes its stream's
 * shape.
 */
const KNOW_EACH_OTHER = [
  ['channels/servers/server-link.ts', 'channels/servers/stream-server.ts'],
  ['core/delimiters.ts', 'core/reading/readers.ts'],
  ['messages/channel-implementation.ts', 'messages/message-channel.ts'],
] as const

interface Import {
  readonly to: string
  readonly isType: boolean
}

interface File {
  readonly layer: number | undefined
  readonly imports: readonly Import[]
  readonly globals: ReadonlySet<string>
  readonly hasCode: boolean
}

function parse(name: string, text: string): File {
  const source = programOf(name, text)
  const imports: Import[] = []
  const globals = new Set<string>()
  const visit = (node: TypeScript.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined
    ) {
      imports.push({
        to: resolve(name, (node.moduleSpecifier as TypeScript.StringLiteral).text),
        isType: isTypeOnly(node),
      })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments
      // A computed name may be any module: that is the machine, too.
      const to =
        specifier !== undefined && ts.isStringLiteral(specifier)
          ? resolve(name, specifier.text)
          : 'node:(computed)'
      imports.push({ to, isType: false })
    } else if (ts.isIdentifier(node) && MACHINE.has(node.text) && !isMember(node))
      globals.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return {
    layer: layerOf(text),
    imports,
    globals,
    hasCode: !source.statements.every(isErased),
  }
}

/** A method may be called like a global. */
function isMember(node: TypeScript.Identifier): boolean {
  const { parent } = node
  return (
    (ts.isPropertyAccessExpression(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent)) &&
    parent.name === node
  )
}

function isErased(node: TypeScript.Statement): boolean {
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true
  return (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && isTypeOnly(node)
}

function isTypeOnly(node: TypeScript.ImportDeclaration | TypeScript.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    const { exportClause } = node
    return (
      node.isTypeOnly ||
      (exportClause !== undefined &&
        ts.isNamedExports(exportClause) &&
        exportClause.elements.every(each => each.isTypeOnly))
    )
  }
  const clause = node.importClause
  if (clause === undefined) return false
  const { isTypeOnly, name, namedBindings } = clause
  if (isTypeOnly || name !== undefined) return isTypeOnly
  return (
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every(each => each.isTypeOnly)
  )
}

/** The file that a specifier means, from src/ on; a module of Node or of a package as it is. */
function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.')
    ? new URL(specifier, `file:///${from}`).pathname.slice(1)
    : specifier
}

/** Everything that is wrong with a tree, one line each. */
function violations(tree: Tree): string[] {
  const files = new Map(Object.entries(tree).map(([name, text]) => [name, parse(name, text)]))
  return [...files]
    .flatMap(([name, file]) => [
      ...placeOf(name, file),
      ...file.imports.flatMap(each => edge(name, file, each, files)),
      ...(MAY_USE_MACHINE.test(name)
        ? []
        : [...file.globals].map(global => `${name}: uses ${global}, which only io/ may`)),
      ...(NO_CODE.includes(name) && file.hasCode ? [`${name}: has code`] : []),
    ])
    .concat(circles(files, true), circles(files, false))
}

function placeOf(name: string, { layer }: File): string[] {
  const folder = name.split('/')[0] as string
  const allowed = name === folder ? [TOP[name]] : FOLDERS[folder]
  if (allowed === undefined || allowed[0] === undefined)
    return [`${name}: has no place in the tree`]
  if (layer === undefined) return [`${name}: has no header "Layer N."`]
  return allowed.includes(layer)
    ? []
    : [`${name}: says layer ${layer}, its place is ${allowed.join(' or ')}`]
}

function edge(
  name: string,
  file: File,
  { to, isType }: Import,
  files: ReadonlyMap<string, File>,
): string[] {
  const target = files.get(to)
  if (target === undefined) {
    if (!to.startsWith('node:'))
      return [`${name}: imports ${to}, which is neither a file of src/ nor a module node:…`]
    const isAllowed =
      isType || NODE_MODULES.some(([file, module]) => file.test(name) && module.test(to))
    return isAllowed ? [] : [`${name}: imports ${to}, which only io/ may`]
  }
  const faults: string[] = []
  if (to === 'index.ts' || to === 'testing.ts') faults.push(`${name}: imports ${to}`)
  if ((target.layer ?? 0) > (file.layer ?? 11))
    faults.push(`${name} (layer ${file.layer}): imports ${to} (layer ${target.layer})`)
  if (!isType && to.startsWith('io/') && !MAY_IMPORT_IO.test(name))
    faults.push(`${name}: imports ${to}, not through the engine`)
  if (!isType && name === 'engine.ts' && to.startsWith('io/') && to !== DOOR_TO_IO)
    faults.push(`${name}: imports ${to}, not ${DOOR_TO_IO}`)
  if (!isType && name !== 'engine.ts' && to === DOOR_TO_IO)
    faults.push(`${name}: imports ${to}, which only the engine may`)
  return faults
}

/**
 * Circles of imports; those of types are other circles than those of values, and a few pairs are
 * known.
 */
function circles(files: ReadonlyMap<string, File>, isTypes: boolean): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const walk = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) {
      const circle = [...path.slice(path.indexOf(name)), name]
      found.push(`a circle of ${isTypes ? 'types' : 'imports'}: ${circle.join(' → ')}`)
      return
    }
    if (done.has(name)) return
    for (const { to, isType } of files.get(name)?.imports ?? []) {
      if (isTypes ? !isKnown(name, to) : !isType) walk(to, [...path, name])
    }
    done.add(name)
  }
  for (const name of files.keys()) walk(name, [])
  return found
}

function isKnown(from: string, to: string): boolean {
  return KNOW_EACH_OTHER.some(
    pair => (pair as readonly string[]).includes(from) && (pair as readonly string[]).includes(to),
  )
}

/** The programs in a folder, and what they say. */
function treeOf(folder: string): Tree {
  const names = (readdirSync(ROOT + folder, { recursive: true }) as string[])
    .map(name => name.replaceAll('\\', '/'))
    .filter(name => /\.[cm]?[jt]s$/.test(name) && !name.startsWith('build/'))
  return Object.fromEntries(
    names.map(name => [name, readFileSync(`${ROOT}${folder}/${name}`, 'utf8')]),
  )
}

const tree = treeOf('src')
const names = Object.keys(tree)

t.test('src/ keeps to its tree', async t => {
  t.ok(names.length > 30)
  t.strictSame(violations(tree), [])
})

t.test('the pairs that know each other do', async t => {
  for (const [one, other] of KNOW_EACH_OTHER) {
    const to = (name: string): string[] =>
      parse(name, tree[name] as string).imports.map(each => each.to)
    t.ok(to(one).includes(other) && to(other).includes(one), `${one} and ${other}`)
  }
})

t.test('each rule bites', async t => {
  const head = (layer: number): string => `/**\n * Layer ${layer}. A file.\n */\n`
  const cases: [Record<string, string>, string][] = [
    [{ 'core/a.ts': 'export {}' }, 'core/a.ts: has no header "Layer N."'],
    [{ 'core/a.ts': head(2) }, 'core/a.ts: says layer 2, its place is 1'],
    [{ 'channels/a.ts': head(3) }, 'channels/a.ts: says layer 3, its place is 4 or 5 or 6'],
    [{ 'extra/a.ts': head(1) }, 'extra/a.ts: has no place in the tree'],
    [{ 'extra.ts': head(1) }, 'extra.ts: has no place in the tree'],
    [
      { 'core/a.ts': `${head(1)}import type { B } from '../io/b.ts'`, 'io/b.ts': head(2) },
      'core/a.ts (layer 1): imports io/b.ts (layer 2)',
    ],
    [
      { 'core/a.ts': `${head(1)}import { connect } from 'node:net'` },
      'core/a.ts: imports node:net, which only io/ may',
    ],
    [
      { 'core/a.ts': `${head(1)}export * from 'node:net'` },
      'core/a.ts: imports node:net, which only io/ may',
    ],
    [
      { 'core/a.ts': `${head(1)}await import('node:net')` },
      'core/a.ts: imports node:net, which only io/ may',
    ],
    [
      { 'core/a.ts': `${head(1)}await import(name)` },
      'core/a.ts: imports node:(computed), which only io/ may',
    ],
    [
      { 'core/a.ts': `${head(1)}import net, { type Socket } from 'node:net'` },
      'core/a.ts: imports node:net, which only io/ may',
    ],
    [
      { 'core/a.ts': `${head(1)}import 'left-pad'` },
      'core/a.ts: imports left-pad, which is neither a file of src/ nor a module node:…',
    ],
    [
      { 'channels/a.ts': `${head(4)}import { b } from '../io/b.ts'`, 'io/b.ts': head(2) },
      'channels/a.ts: imports io/b.ts, not through the engine',
    ],
    [
      { 'engine.ts': `${head(3)}import { b } from './io/b.ts'`, 'io/b.ts': head(2) },
      'engine.ts: imports io/b.ts, not io/node.ts',
    ],
    [
      { 'io/b.ts': `${head(2)}import { a } from './node.ts'`, 'io/node.ts': head(2) },
      'io/b.ts: imports io/node.ts, which only the engine may',
    ],
    [
      { 'testing.ts': `${head(11)}import './index.ts'`, 'index.ts': head(11) },
      'testing.ts: imports index.ts',
    ],
    [
      { 'engine.ts': `${head(3)}setTimeout(() => {}, 1)` },
      'engine.ts: uses setTimeout, which only io/ may',
    ],
    [{ 'core/a.ts': `${head(1)}process.exit()` }, 'core/a.ts: uses process, which only io/ may'],
    [{ 'types.ts': `${head(0)}export const A = 1` }, 'types.ts: has code'],
    [
      { 'types.ts': `${head(0)}export { a } from './errors.ts'`, 'errors.ts': head(0) },
      'types.ts: has code',
    ],
    [
      {
        'core/a.ts': `${head(1)}import { b } from './b.ts'`,
        'core/b.ts': `${head(1)}import { c } from './c.ts'`,
        'core/c.ts': `${head(1)}export * from './a.ts'`,
      },
      'a circle of imports: core/a.ts → core/b.ts → core/c.ts → core/a.ts',
    ],
    [
      {
        'core/a.ts': `${head(1)}import { type B } from './b.ts'`,
        'core/b.ts': `${head(1)}import { a } from './a.ts'`,
      },
      'a circle of types: core/a.ts → core/b.ts → core/a.ts',
    ],
  ]
  for (const [files, fault] of cases) t.ok(violations(files).includes(fault), fault)
})

t.test('what is right passes', async t => {
  t.strictSame(
    violations({
      'types.ts': file(
        0,
        "import type { Buffer } from 'node:buffer'",
        'export interface A {}',
        'export type B = 1',
        'export type { Buffer }',
      ),
      'messages/d.ts': file(
        8,
        'interface I { process(): void }',
        'class D implements I { process() {} }',
        'new D().process()',
      ),
      'core/a.ts': file(
        1,
        "import { Buffer } from 'node:buffer'",
        "import type net from 'node:net'",
        "import { type A } from '../types.ts'",
      ),
      'io/b.ts': file(
        2,
        "import { connect } from 'node:net'",
        "import { a } from '../core/a.ts'",
        'setTimeout(a, 1)',
      ),
      'commands/c/main.ts': `#!/usr/bin/env node\n${file(
        10,
        "import { createRequire } from 'node:module'",
        'process.exit()',
      )}`,
    }),
    [],
  )
})

function file(layer: number, ...lines: readonly string[]): string {
  return [`/**\n * Layer ${layer}. A file.\n */`, ...lines].join('\n')
}

t.test('src/ keeps to its style', async t => {
  t.strictSame(sourceFaults(tree), [])
})

t.test('lines have at most 100 columns, imports an order, and no pointer leads out', async t => {
  for (const folder of ['src', 'test', 'bench'])
    t.strictSame(textFaults(treeOf(folder)), [], folder)
})

t.test('each rule of style bites', async t => {
  const long = `'${'x'.repeat(99)}'`
  t.strictSame(textFaults({ 'a.ts': `${long}\n'${'Ä'.repeat(98)}'` }), [
    'a.ts:1: more than 100 columns',
  ])
  for (const pointer of ['reference' + '/peers.md', 'seed ' + '001', 'PB' + '29'])
    t.strictSame(textFaults({ 'a.ts': `// ${pointer}` }), ['a.ts:1: points out of the repository'])
  const order = ['node:net', 'tap', '../../b/b.ts', '../a.ts', '../a-a.ts', './a.ts']
  const imports = order.map(name => `import {\n  a,\n} from '${name}'\n`)
  t.strictSame(textFaults({ 'a.ts': imports.join('') }), [])
  t.strictSame(
    textFaults({ 'a.ts': imports.toReversed().join('') }),
    order
      .slice(0, -1)
      .toReversed()
      .map(name => `a.ts: imports ${name} too late`),
  )
  const cases: [Tree, string][] = [
    [{ 'core/a.ts': '\n'.repeat(350) + 'x' }, 'core/a.ts: more than 350 lines'],
    [
      Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`core/a${n}.ts`, ''])),
      'core/: more than 25 files',
    ],
    [{ 'a.ts': 'export let a = 1' }, 'a.ts: exports a variable that can change'],
    [{ 'a.ts': 'interface A { of_it(): void }' }, 'a.ts: of_it is internal, and in snake_case'],
    [{ 'a.ts': 'class A { static of_it = 1 }' }, 'a.ts: of_it is internal, and in snake_case'],
    [
      { 'a.ts': 'export class A { of_it = 1 }', 'index.ts': "export { B } from './a.ts'" },
      'a.ts: of_it is internal, and in snake_case',
    ],
  ]
  for (const [files, fault] of cases) t.strictSame(sourceFaults(files), [fault], fault)
})

t.test('what has style passes', async t => {
  t.strictSame(
    sourceFaults({
      'index.ts': "export { A as B, type C } from './a.ts'\nexport interface D { of_d: 1 }",
      'a.ts': 'export class A extends Base { of_a = 1; _read() {} }\nexport type C = { of_c: 1 }',
      'base.ts': 'export class Base { of_base() {} }',
      'transport.ts': 'export interface Sink { has_ended(): void }',
      'core/b.ts': 'class E { has_ended() {}; of_base = 1; itsOwn = 1; of_a = 1; of_c = 1 }',
      'core/c.ts': '\n'.repeat(350),
      ...Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`io/a${n}.ts`, ''])),
    }),
    [],
  )
})

t.test('every test is run, and once', async t => {
  const all = (readdirSync(`${ROOT}test`, { recursive: true }) as string[])
    .filter(name => name.endsWith('.test.ts'))
    .map(name => name.replaceAll('\\', '/').slice(0, -'.test.ts'.length))
  const { tap } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))
  const processes = (tap.files as string[]).map(
    glob => new RegExp(`^${glob.replaceAll('*', '[^/]*')}$`),
  )
  const groups = all
    .filter(name => name.startsWith('all/'))
    .flatMap(name => {
      const code = readFileSync(`${ROOT}test/${name}.test.ts`, 'utf8')
      const [, folders, which = ''] = /together\(\[(.*)\](?:, \/(.*)\/)?\)/.exec(code) ?? []
      return folders!.split(', ').map(folder => [folder.slice(1, -1), new RegExp(which)] as const)
    })
  const isOf = (name: string, folder: string): boolean =>
    folder === '' ? !name.includes('/') : name.startsWith(`${folder}/`)
  const wrong = all.filter(name => {
    const alone = processes.filter(process => process.test(`.build/test/${name}.test.js`)).length
    const inGroups = groups.filter(([folder, which]) => isOf(name, folder) && which.test(name))
    return alone + (ALONE.includes(name) ? 0 : inGroups.length) !== 1
  })
  t.ok(all.length > 300)
  t.same(wrong, [])
})
