/**
 * What is the same for all pages: their programs are type-checked, as one; what they name exists;
 * links lead somewhere; each has its test, and the reader finds each.
 */

import {
  type Dirent,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { ROOT } from '../built.ts'
import { type Block, blocksOf, fileOf, manifest, PAGES, pageText, start } from './kit.ts'

t.test('the types of all programs are right, as a user of the package has them', async t => {
  const folder = t.testdir({})
  const programs = new Map<string, Block>()
  for (const block of PAGES.flatMap(page => blocksOf(page)))
    if (block.language === 'ts') programs.set(`${block.page}/${fileOf(block)}.ts`, block)
  for (const [name, { page, text }] of programs) {
    mkdirSync(join(folder, page), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const compilerOptions = {
    strict: true,
    noImplicitOverride: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    // Each is a module, so that none sees what another declares.
    moduleDetection: 'force',
    types: ['node'],
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
  const check = start(process.execPath, [compiler, '--pretty', 'false'], { cwd: folder })
  const { code, out, err } = await check.ended
  const faults = out.replace(/^(.+)\((\d+),\d+\)/gm, (place, name: string, line: string) => {
    const block = programs.get(name)
    return block === undefined ? place : `${block.page}:${block.line + Number(line)}`
  })
  t.ok(programs.size > 40)
  t.strictSame({ code, faults, err }, { code: 0, faults: '', err: '' })
})

t.test('each page has a test, and README leads to each', async t => {
  const tests = readdirSync(join(ROOT, 'test/pages')).map(name =>
    readFileSync(join(ROOT, 'test/pages', name), 'utf8'),
  )
  const door = linksOf('README.md').map(({ path }) => path)
  for (const page of PAGES) {
    t.equal(tests.filter(text => text.includes(`testPage('${page}')`)).length, 1, page)
    if (page !== 'README.md') t.ok(door.includes(page), `README leads to ${page}`)
  }
})

t.test('the reference has each page, in the order of the guide in README', async t => {
  const [, guide] = /^## The guide\n([^]*?)^## /m.exec(prose('README.md')) ?? []
  const pages = linksOf('README.md', guide).map(({ path }) => path)
  const inOrder = pages.filter(path => PAGES.includes(path))
  t.strictSame(manifest.typedocOptions.projectDocuments, inOrder)
  t.strictSame(['README.md', ...inOrder].sort(), PAGES)
})

/** Pages for people who change the code. They have no programs. */
const MAPS = ['test/README.md', 'findings/README.md']

t.test('the map of the tests names all that does not mirror src/', async t => {
  const source = readdirSync(join(ROOT, 'src')).map(name => name.replace(/\.ts$/, ''))
  const known = codeOf('test/README.md')
  const unknown = (readdirSync(join(ROOT, 'test'), { withFileTypes: true }) as Dirent[])
    .map(entry => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .filter(name => /(\/|\.test\.ts)$/.test(name) && !known.includes(name))
    .filter(name => !source.includes(name.replace(/(\/|\.test\.ts)$/, '')))
  t.strictSame(unknown, [])
})

// ---- links --------------------------------------------------------------------------------------

interface Link {
  readonly target: string
  /** From the root of the package. */
  readonly path: string
  readonly anchor: string
}

/** The text without its blocks, and without code in lines. */
function prose(page: string): string {
  return pageText(page)
    .replace(/^```[^]*?^```$/gm, '')
    .replace(/<!--[^]*?-->/g, '')
}

function linksOf(page: string, text = prose(page)): Link[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target as string)
    .filter(target => !/^[a-z]+:/.test(target))
    .map(target => {
      const [path, anchor = ''] = target.split('#') as [string, string?]
      return { target, path: path === '' ? page : join(dirname(page), path), anchor }
    })
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

t.test('links', async t => {
  for (const page of [...PAGES, ...MAPS, 'CHANGELOG.md']) {
    const dead = linksOf(page).filter(
      ({ path, anchor }) =>
        !existsSync(join(ROOT, path)) || (anchor !== '' && !anchorsOf(path).includes(anchor)),
    )
    t.same(dead, [], page)
  }
})

t.test('the contents of a page are its headings, in their order', async t => {
  for (const page of PAGES.filter(name => name !== 'README.md')) {
    const [contents = ''] = /^Contents:[^]*?\n\n/m.exec(pageText(page)) ?? []
    const links = [...contents.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor)
    const all = [...prose(page).matchAll(/^(#+) /gm)].map(([, level]) => level!.length)
    t.strictSame(
      links,
      anchorsOf(page).filter((_, at) => all[at] === 2),
      page,
    )
  }
})

// ---- names --------------------------------------------------------------------------------------

/** Every word of the source. */
const words = new Set(
  (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
    .filter(name => name.endsWith('.ts'))
    .flatMap(name => readFileSync(join(ROOT, 'src', name), 'utf8').match(/\w+/g) ?? []),
)

/** What stands between backticks. */
function codeOf(page: string): string[] {
  return [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code as string)
}

const FOLDERS =
  /^(core|io|channels|protocols|messages|relay|rooms|packets|envelope|commands)\/[a-z/-]+$/

t.test('what a page names is there', async t => {
  for (const page of PAGES) {
    const text = pageText(page)
    const hooks = text.match(/\bon_[a-z_]+/g) ?? []
    const codes = text.match(/\bERR_[A-Z_]*[A-Z]\b/g) ?? []
    const names = codeOf(page).flatMap(code => code.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? [])
    t.same(
      [...hooks, ...codes, ...names].filter(name => !words.has(name)),
      [],
      page,
    )
    for (const [, script] of text.matchAll(/npm (?:run )?(start|test|(?<=run )[\w:]+)/g))
      t.ok(script! in manifest.scripts, `${page}: npm ${script}`)
    for (const code of codeOf(page)) {
      if (!FOLDERS.test(code)) continue
      const path = join(ROOT, 'src', code)
      t.ok(existsSync(code.endsWith('/') ? path : `${path}.ts`), `${page}: ${code}`)
    }
  }
})

t.test('lines have at most 100 columns, but for tables, and what programs print', async t => {
  for (const page of PAGES) {
    const text = pageText(page)
      .replace(/^```text\n[^]*?^```$/gm, '')
      .replace(/^<!-- (bench|runtimes):begin -->[^]*?^<!-- \1:end -->$/gm, '')
    const long = text.split('\n').filter(line => line.length > 100 && !line.startsWith('|'))
    t.strictSame(long, [], page)
  }
})
