/**
 * The pages of the guide cannot rot: every block of each is run, type-checked, or compared with
 * what it shows. The comment before a block says how, see HOWS.
 *
 * `testPage(name)` does what can be done for a page alone; pages.test.ts does the rest for all of
 * them: one type check, links, names.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type Compiler from 'typescript-api'
import { bareNode, built, ROOT } from '../built.ts'

/**
 * What a block may be, and its languages.
 *
 *   run      a program that ends by itself; without a block `prints` after it, it prints nothing
 *   prints   what the block before it prints
 *   check    a program that is type-checked only (so are those to run)
 *   module   a file of that name, which the other programs of the page import
 *   serve    the echo server of README: it is started, and talked to
 *   sh       commands, run by a shell in an empty folder, with sluice's own on the path
 *   usage    a command line of sluice's (maybe within a file) that is read but not run
 *   unit     a unit file of systemd, of that name, which systemd checks if it is installed
 *   image    a file that makes a container: its command is a list, so that it gets SIGTERM
 *   help     what `NAME --help` prints
 *   command  an npm script that package.json must have
 *   install  how to install: compared with package.json
 *   session, said   what a peer of README's server types and gets, and what the server says
 *   tree     the folders of src/, with their layers
 *   page     a page for a browser, which test/peers/rooms-browser.test.ts loads
 *   states   the table of the life cycle, drawn
 */
const HOWS: Readonly<Record<string, readonly string[]>> = {
  run: ['ts', 'js'],
  prints: ['text'],
  check: ['ts'],
  module: ['ts'],
  serve: ['ts'],
  sh: ['sh'],
  usage: ['sh', 'ini', 'dockerfile'],
  unit: ['ini'],
  image: ['dockerfile'],
  help: ['text'],
  command: ['sh'],
  install: ['sh'],
  session: ['console'],
  said: ['console'],
  tree: ['text'],
  page: ['html'],
  states: ['text'],
}

export interface Block {
  readonly page: string
  /** The line of its fence in the page, from 1. */
  readonly line: number
  readonly how: string
  /** What follows `how` in the comment. */
  readonly argument: string
  readonly language: string
  readonly text: string
}

/** Every page there is, by its path from the root of the package. */
export const PAGES: readonly string[] = [
  'README.md',
  ...['src', 'bench'].flatMap(folder =>
    (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
      .filter(name => name.endsWith('.md'))
      .map(name => `${folder}/${name}`),
  ),
].sort()

export function pageText(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

export function blocksOf(page: string): Block[] {
  const lines = pageText(page).split('\n')
  const found: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w*)$/.exec(lines[at] as string)
    if (fence === null) continue
    const end = lines.indexOf('```', at + 1)
    const [, how = '', argument = ''] = /^<!-- (\w+)(?: (.*))? -->$/.exec(lines[at - 1] ?? '') ?? []
    const text = lines.slice(at + 1, end).join('\n')
    found.push({ page, line: at + 1, how, argument, language: fence[1] as string, text })
    at = end
  }
  return found
}

export const nameOf = ({ page, line }: Block): string => `${page}:${line}`

/** The one block of a page that is this. */
export function only(page: string, how: string): Block {
  const [block, ...others] = blocksOf(page).filter(each => each.how === how)
  if (block === undefined || others.length > 0) throw new Error(`${page}: one block ${how}`)
  return block
}

// ---- running ------------------------------------------------------------------------------------

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when stderr has that. */
  says(pattern: RegExp): Promise<RegExpMatchArray>
}

/** A process whose output is kept. It runs without tap's hooks: see bareNode. */
export function start(program: string, argv: readonly string[], options: object = {}): Started {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', program, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
  t.teardown(() => void child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout!.on('data', (chunk: Buffer) => (out += chunk))
  child.stderr!.on('data', (chunk: Buffer) => (err += chunk))
  const says = async (pattern: RegExp): Promise<RegExpMatchArray> => {
    for (;;) {
      const match = pattern.exec(err)
      if (match !== null) return match
      await once(child.stderr!, 'data')
    }
  }
  const ended = once(child, 'close').then(([code]) => ({ code, out, err }) as Ended)
  return { child, ended, says }
}

/** What the file of a program is called, without its ending. */
export const fileOf = ({ how, argument, line }: Block): string =>
  how === 'module' ? argument.replace(/\.ts$/, '') : `line-${line}`

/** The program of a block as JavaScript, in a folder from which 'sluice' is this package. */
export async function program(block: Block, folder: string, text = block.text): Promise<string> {
  const isCommonJs = block.language === 'js' && text.includes('require(')
  const file = join(folder, `${fileOf(block)}.${isCommonJs ? 'cjs' : 'js'}`)
  writeFileSync(file, block.language === 'js' ? text : toJavaScript(text))
  return file
}

/** Does a program look at its process, or leave something in it? Only Node runs several in one. */
function needsProcess({ text }: Block): boolean {
  const { bun, deno } = process.versions
  return bun || deno ? true : /\bprocess\.|\brequire\(|\bsubscribe\('sluice:/.test(text)
}

/** What no program prints. */
const MARK = '=== the end of a program ===\n'

/** The folder of a page's programs. It is in the package: there 'sluice' is the package itself. */
function folderOf(page: string): string {
  const folder = join(ROOT, '.tap/pages', page.replaceAll('/', '-'))
  mkdirSync(folder, { recursive: true })
  return folder
}

/** What the programs of all pages do, by the name of their block. */
let all: Promise<Map<string, Ended>> | undefined

/** Runs the programs of all pages in one process: starting one takes longer than most of them. */
export function runPrograms(): void {
  all = programsOf(PAGES)
}

/** Runs those programs of pages that can share a process. */
async function programsOf(pages: readonly string[]): Promise<Map<string, Ended>> {
  const blocks = pages.flatMap(blocksOf)
  for (const block of blocks) if (block.how === 'module') await program(block, folderOf(block.page))
  const shared = blocks.filter(block => block.how === 'run' && !needsProcess(block))
  if (shared.length === 0) return new Map()
  const files = await Promise.all(shared.map(block => program(block, folderOf(block.page))))
  const runner = join(ROOT, '.build/test/pages/programs.js')
  const { code, out, err } = await start(process.execPath, [runner, MARK, ...files]).ended
  const [outs, errs] = [out.split(MARK), err.split(MARK)]
  const ended = (at: number): Ended => ({
    code: at < outs.length - 1 ? 0 : code,
    out: outs[at] ?? '',
    err: errs[at] ?? '',
  })
  return new Map(shared.map((block, at) => [nameOf(block), ended(at)]))
}

/** The compiler is loaded here: many pages need none. An import would search it for exports. */
function toJavaScript(text: string): string {
  const ts: typeof Compiler = createRequire(import.meta.url)('typescript-api')
  const compilerOptions: Compiler.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  }
  return ts.transpileModule(text, { compilerOptions }).outputText
}

/**
 * Runs the commands of a block in an empty folder, where sluice's own are found as if installed.
 */
function shell(block: Block, folder: string): Started {
  const bin = join(folder, 'bin')
  const empty = join(folder, `line-${block.line}`)
  mkdirSync(bin, { recursive: true })
  rmSync(empty, { recursive: true, force: true })
  mkdirSync(empty)
  for (const [name, file] of Object.entries(manifest.bin))
    script(join(bin, name), `exec "${process.execPath}" "${join(ROOT, file)}" "$@"`)
  script(join(bin, 'npx'), 'exec "$@"')
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` }
  return start('sh', ['-e', '-c', block.text], { cwd: empty, env })
}

function script(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
}

export const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string
  bin: Record<string, string>
  scripts: Record<string, string>
  typedocOptions: { projectDocuments: readonly string[] }
}

// ---- one page -----------------------------------------------------------------------------------

/** Tests what every page has. */
export function testPage(page: string): void {
  const lib = built()
  const folder = folderOf(page)
  const blocks = blocksOf(page)
  const next = (block: Block): Block | undefined => blocks[blocks.indexOf(block) + 1]

  t.test('each block says how it is held to the truth', async t => {
    for (const block of blocks)
      t.ok(HOWS[block.how]?.includes(block.language), `${nameOf(block)} ${block.how}`)
  })

  t.test('programs and commands print what the page says', async t => {
    const shared = await (all ?? programsOf([page]))
    const check = (block: Block, ended: Ended): void => {
      const after = next(block)
      const out = after?.how === 'prints' ? `${after.text}\n` : ''
      t.strictSame(ended, { code: 0, out, err: '' }, nameOf(block))
    }
    for (const block of blocks.filter(({ how }) => how === 'run')) {
      const alone = async () => start(process.execPath, [await program(block, folder)]).ended
      check(block, shared.get(nameOf(block)) ?? (await alone()))
    }
    for (const block of blocks.filter(({ how }) => how === 'sh'))
      check(block, await shell(block, folder).ended)
    for (const block of blocks.filter(({ how }) => how === 'prints')) {
      const before = blocks[blocks.indexOf(block) - 1]
      t.ok(before?.how === 'run' || before?.how === 'sh', `${nameOf(block)} is printed by nobody`)
    }
  })

  t.test('the settings are those of the class, and so are their defaults', async t => {
    for (const [name, rows] of settingTables(page)) {
      const { settings, ofConnection } = await defaultsOf(lib, name)
      t.strictSame(rows.map(([setting]) => setting).sort(), Object.keys(settings).sort())
      for (const [setting, cell] of rows) {
        const [first, second] = cell.split(/; `Connection`: /) as [string, string?]
        t.equal(literal(first), settings[setting], `${page}: ${setting}`)
        if (name === 'Client')
          t.equal(literal(second ?? first), ofConnection[setting], `${page}: ${setting}`)
      }
    }
  })

  t.test('help', async t => {
    for (const block of blocks.filter(({ how }) => how === 'help')) {
      const file = join(ROOT, manifest.bin[block.argument] as string)
      const { stdout } = await promisify(execFile)(...bareNode([file, '--help']))
      t.equal(stdout, `${block.text}\n`, nameOf(block))
    }
  })

  t.test('unit files and images', async t => {
    const units = blocks.filter(({ how }) => how === 'unit')
    if (units.length > 0) t.equal(await unitFaults(units), '')
    for (const block of blocks.filter(({ how }) => how === 'image'))
      t.match(block.text, /^CMD \["node", "server.js"\]$/m, nameOf(block))
  })

  t.test('command lines that are shown can be read', async t => {
    for (const block of blocks.filter(({ how }) => how === 'usage')) {
      const lines = commandLines(block.text)
      t.ok(lines.length > 0, nameOf(block))
      for (const [name, ...argv] of lines) await t.resolves(read(lib, name as string, argv))
    }
  })
}

/** What is wrong with the unit files of a page; '' if nothing is, or systemd is not here. */
async function unitFaults(blocks: readonly Block[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const files = blocks.map(({ argument, text }) => {
    const file = join(folder, argument)
    writeFileSync(file, text.replaceAll('/usr/bin/node', process.execPath))
    return file
  })
  const stderr = await promisify(execFile)('systemd-analyze', [
    'verify',
    '--man=no',
    ...files,
  ]).then(
    result => result.stderr,
    (error: { code: unknown; stderr: string }) => (error.code === 'ENOENT' ? '' : error.stderr),
  )
  // It also reads units that this machine has, and says what is wrong with them.
  const isOfOthers = (line: string): boolean => line.startsWith('/') && !line.startsWith(folder)
  return stderr
    .split('\n')
    .filter(line => !isOfOthers(line))
    .join('\n')
}

/** The command lines of sluice's own in a text: shell words, or an array of JSON. */
function commandLines(text: string): string[][] {
  return text.split('\n').flatMap(line => {
    const array = /\["sluice-.*\]/.exec(line)
    if (array !== null) return [JSON.parse(array[0]) as string[]]
    const [command] = /sluice-(?:echo|cat|supervise|worker)\b.*/.exec(line) ?? []
    const words = command?.match(/'[^']*'|[^\s']+/g)
    return words ? [words.map(word => word.replaceAll("'", ''))] : []
  })
}

/** Reads a command line, the URLs in it too, without doing what it says. Throws what is wrong. */
async function read(lib: string, name: string, argv: readonly string[]): Promise<void> {
  const folder = name.replace('sluice-', '')
  const { parseOptions } = (await import(`${lib}commands/${folder}/options.js`)) as {
    parseOptions(argv: readonly string[]): { from?: string; to?: string }
  }
  const { Context } = (await import(`${lib}messages/index.js`)) as typeof import('sluice/messages')
  const context = new Context()
  const { from, to } = parseOptions(argv)
  for (const url of [from, to]) if (url !== undefined) context.init(url)
}

// ---- tables of settings -------------------------------------------------------------------------

type Values = Readonly<Record<string, unknown>>

/** The tables after a comment `settings CLASS`: setting and default of each row. */
function settingTables(page: string): [name: string, rows: [setting: string, cell: string][]][] {
  const tables = pageText(page).matchAll(/^<!-- settings (\w+) -->\n((?:\|.*\n)+)/gm)
  return [...tables].map(([, name, table]) => {
    const rows = [...table!.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)]
    return [name as string, rows.map(([, setting, cell]) => [setting!, cell!.trim()])]
  })
}

/** Of a new object of the class; and of a connection that a server made. */
async function defaultsOf(
  lib: string,
  name: string,
): Promise<{ settings: Values; ofConnection: Values }> {
  const sluice = (await import(`${lib}index.js`)) as Record<string, any>
  const { pair } = (await import(`${lib}testing.js`)) as typeof import('sluice/testing')
  const { connection } = await pair()
  const object = new sluice[name]()
  return { settings: settingsOf(object), ofConnection: settingsOf(connection) }
}

/** What can be read and assigned, and is no setting: the name of a channel, and a hook. */
const NO_SETTINGS = ['name', 'on_read']

function settingsOf(object: object): Values {
  const found: Record<string, unknown> = {}
  for (let of = object; of !== Object.prototype; of = Object.getPrototypeOf(of) as object)
    for (const [name, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(of)))
      if (get !== undefined && set !== undefined && !NO_SETTINGS.includes(name))
        found[name] = Reflect.get(object, name)
  // A class shows as its name.
  if (typeof found.ConnectionClass === 'function')
    found.ConnectionClass = found.ConnectionClass.name
  return found
}

/** The value that a cell shows. */
function literal(cell: string): unknown {
  const text = cell.replaceAll('`', '')
  const words: Values = { true: true, false: false, null: null, undefined, Infinity }
  if (text in words) return words[text]
  return /^[\d ]+$/.test(text) ? Number(text.replaceAll(' ', '')) : text
}
