/**
 * The README cannot rot: every block is run, type-checked, or compared with what it shows. The
 * comment before a block says how.
 *
 *   serve the echo server: it is started and talked to command a command that package.json must
 *   have run a program that ends by itself session what a peer types, and is answered, line by line
 *   prints what the block before it prints said what the server of the session says check
 *   type-checked only (so are serve and run) tree the files of src/ states the table of the life
 *   cycle, drawn
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { built, ROOT } from './built.ts'

interface Block {
  readonly how: string
  readonly language: string
  readonly text: string
  readonly line: number
}

const HOWS: Readonly<Record<string, string>> = {
  serve: 'ts',
  run: 'ts',
  check: 'ts',
  prints: 'text',
  command: 'sh',
  session: 'console',
  said: 'console',
  tree: 'text',
  states: 'text',
}

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}
const lib = built()
const blocks = blocksOf(readme)

function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n')
  const found: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w*)$/.exec(lines[at] as string)
    if (fence === null) continue
    const end = lines.indexOf('```', at + 1)
    const how = /^<!-- (\w+) -->$/.exec(lines[at - 1] ?? '')?.[1] ?? ''
    found.push({
      how,
      language: fence[1] as string,
      text: lines.slice(at + 1, end).join('\n'),
      line: at + 1,
    })
    at = end
  }
  return found
}

function all(how: string): Block[] {
  return blocks.filter(block => block.how === how)
}

function only(how: string): Block {
  const [block, ...others] = all(how)
  t.strictSame(others, [], `one block <!-- ${how} -->`)
  return block as Block
}

const folder = t.testdir({})
const nameOf = (block: Block): string => `line-${block.line}`
/** As JavaScript, from compiling all of them at once. */
const compiled = (block: Block): string => join(folder, 'out', `${nameOf(block)}.js`)

/** Compiles all blocks as a user of the package would, strictly; returns what the compiler says. */
async function compile(): Promise<string> {
  const programs = blocks.filter(block => block.language === 'ts')
  for (const block of programs) writeFileSync(join(folder, `${nameOf(block)}.ts`), block.text)
  const compilerOptions = {
    strict: true,
    noImplicitOverride: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: 'ES2023',
    lib: ['ES2023', 'ESNext.Disposable'],
    module: 'NodeNext',
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
    rootDir: '.',
    outDir: 'out',
    skipLibCheck: true,
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: programs.map(block => `${nameOf(block)}.ts`) }),
  )
  try {
    await promisify(execFile)(process.execPath, [
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      '-p',
      folder,
    ])
    return ''
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A process whose output is kept. */
function start(...argv: string[]): {
  child: ChildProcess
  ended: Promise<Ended>
  says(pattern: RegExp): Promise<RegExpMatchArray>
} {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
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
  return {
    child,
    says,
    ended: once(child, 'close').then(([code]) => ({ code, out, err }) as Ended),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Connects as soon as somebody listens; the test's timeout is the limit. */
async function reach(port: number): Promise<Socket> {
  for (;;) {
    const socket = connect(port, 'localhost')
    try {
      await once(socket, 'connect')
      return socket
    } catch {
      socket.destroy()
    }
  }
}

async function answer(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  let got = ''
  while (got.length < text.length) got += String((await once(socket, 'data'))[0])
  return got
}

t.test('each block says how it is held to the truth', async t => {
  for (const { how, language, line } of blocks) t.equal(HOWS[how], language, `README.md:${line}`)
})

t.test('programs', async t => {
  t.equal(await compile(), '', 'the types are right')
  const ends = await Promise.all(
    all('run').map(async block => [block, await start(compiled(block)).ended] as const),
  )
  for (const [block, end] of ends) {
    const next = blocks[blocks.indexOf(block) + 1]
    const out = next?.how === 'prints' ? `${next.text}\n` : ''
    t.strictSame(end, { code: 0, out, err: '' }, `README.md:${block.line} prints what it says`)
  }
  t.equal(all('prints').length, ends.filter(([, { out }]) => out !== '').length)
})

t.test('the echo server on the first screen', async t => {
  const block = only('serve')
  t.ok(block.line < 20)
  // Its port may be taken on this machine, by the reader's own echo server for example.
  const port = await freePort()
  const text = readFileSync(compiled(block), 'utf8')
  t.match(text, '.listen(4040)')
  writeFileSync(join(folder, 'out', 'serve.js'), text.replace('4040', String(port)))
  const { child, ended } = start(join(folder, 'out', 'serve.js'))
  const socket = await reach(port)
  t.equal(await answer(socket, 'hello\r\nGrüße\r\n'), 'hello\r\nGrüße\r\n')
  child.kill()
  socket.on('error', () => {})
  t.match(await ended, { out: '', err: '' })
})

t.test('the session in the terminal', async t => {
  const [command, ...typed] = only('session').text.split('\n')
  t.equal(command, '$ nc localhost 4040')
  t.equal(typed.pop(), '^C')
  t.match(manifest.scripts.start, 'lib/protocols/echo/main.js')
  const { child, says, ended } = start(join(lib, 'protocols/echo/main.js'), '--port', '0')
  const [, port] = await says(/listening on .*:(\d+)\n/)
  const socket = await reach(Number(port))
  for (let at = 0; at < typed.length; at += 2)
    t.equal(await answer(socket, `${typed[at]}\n`), `${typed[at + 1]}\n`)
  socket.end()
  await says(/closed/)
  child.kill('SIGINT')
  const { code, err } = await ended
  t.equal(code, 0)
  t.equal(neutral(err), neutral(`${only('said').text.replace('^C', '')}\n`))
})

/** Without the addresses, which differ from run to run and from machine to machine. */
function neutral(text: string): string {
  return text
    .replace(/(listening on )(\[::\]|0\.0\.0\.0):\d+/, '$1ANY')
    .replace(/(#\d+ )(\[::1\]|127\.0\.0\.1):\d+/g, '$1PEER')
}

t.test('commands', async t => {
  t.strictSame(
    all('command').map(block => block.text),
    ['npm install && npm start', 'npm install && npm test'],
  )
  for (const [, name] of readme.matchAll(/npm (?:run )?(start|test|(?<=run )\w+)/g))
    t.ok(name! in manifest.scripts, `npm ${name}`)
})

t.test('the tree has the files of src/, each once', async t => {
  let files = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
    .filter(name => name.endsWith('.ts'))
    .map(name => `src/${name}`)
  const patterns = treeOf(only('tree').text)
  // The plain names first: what they name is no part of what a star stands for.
  for (const pattern of patterns.sort(
    (one, other) => Number(one.includes('*')) - Number(other.includes('*')),
  )) {
    const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[a-z-]+')}$`)
    t.ok(
      files.some(file => expression.test(file)),
      pattern,
    )
    files = files.filter(file => !expression.test(file))
  }
  t.strictSame(files, [], 'and no others')
})

t.test('the states are those of the table', async t => {
  const { TRANSITIONS } = (await import(join(lib, 'core/life-cycle.js'))) as {
    TRANSITIONS: Record<string, readonly string[]>
  }
  t.equal(only('states').text, drawStates(TRANSITIONS))
})

/** What leads from one state to another. */
const CAUSES: Readonly<Record<string, string>> = {
  'closed>opening': 'open()',
  'opening>active': 'it is ready',
  'opening>error': 'it could not be opened',
  'opening>closing': 'close()',
  'active>closing': 'close(), or the peer closes',
  'active>error': 'it has failed',
  'closing>closed': 'it is done',
  'closing>error': 'it could not finish',
  'error>closing': 'close()',
}

/** A column for each state, and an arrow for each change from one to another. */
function drawStates(table: Record<string, readonly string[]>): string {
  const states = Object.keys(table)
  const column = (state: string): number => states.indexOf(state) * 10 + 3
  const arrow = (from: string, to: string): string => {
    const [start, end] = [column(from), column(to)]
    const cells = Array.from({ length: 10 * states.length }, (_, at) => {
      const isOn = at > Math.min(start, end) && at < Math.max(start, end)
      if (at === end + Math.sign(start - end)) return end > start ? '►' : '◄'
      if (at === start) return end > start ? '├' : '┤'
      return at % 10 === 3 ? (isOn ? '┼' : '│') : isOn ? '─' : ' '
    })
    return `${cells.join('')}${CAUSES[`${from}>${to}`]}`
  }
  const arrows = Object.entries(table).flatMap(([from, to]) => to.map(each => arrow(from, each)))
  return [
    states
      .map(state => state.padEnd(10))
      .join('')
      .trimEnd(),
    ...arrows,
  ].join('\n')
}

/** The paths in a tree whose depth is shown by indents of two, whose folders end with a slash. */
function treeOf(text: string): string[] {
  const found: string[] = []
  let folders: string[] = []
  for (const line of text.split('\n')) {
    const names = line.trim().split(/ {2,}/)[0] as string
    folders = folders.slice(0, line.search(/\S/) / 2)
    if (names.endsWith('/')) folders.push(names)
    else found.push(...names.split(' ').map(name => `${folders.join('')}${name}.ts`))
  }
  return found
}

t.test('names and links', async t => {
  const names = await Promise.all(
    ['index.js', 'messages/index.js'].map(
      name => import(join(lib, name)) as Promise<Record<string, { prototype?: object }>>,
    ),
  )
  const members = new Set(
    names
      .flatMap(each => Object.values(each))
      .flatMap(value => Object.getOwnPropertyNames(value.prototype ?? {})),
  )
  for (const [hook] of readme.matchAll(/\bon_[a-z_]+/g)) t.ok(members.has(hook), hook)
  const headings = new Set(
    [...readme.matchAll(/^## (.*)$/gm)].map(([, text]) => text!.toLowerCase().replaceAll(' ', '-')),
  )
  const links = new Set([...readme.matchAll(/\]\(#([^)]*)\)/g)].map(([, to]) => to as string))
  t.strictSame([...links].sort(), [...headings].sort(), 'the contents are those')
  const paths = [...readme.matchAll(/`((?:core|channels|io|messages)\/[a-z-]+)`/g)].map(
    ([, path]) => `src/${path}.ts`,
  )
  for (const path of paths) t.ok(readFileSync(join(ROOT, path)), path)
})
