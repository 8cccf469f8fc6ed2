/** src/README.md: what every page has; its tree is that of src/, its states those of the table. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { built, ROOT } from '../built.ts'
import { layerOf } from '../style.ts'
import { only, testPage } from './kit.ts'

const PAGE = 'src/README.md'
const lib = built()

testPage('src/README.md')

interface Place {
  /** A folder, with a slash at its end, or a file. */
  readonly path: string
  /** '4-6', '3', or '' for a folder that has no file of its own. */
  readonly layers: string
}

/** The lines of a tree: depth by indents of two, folders with a slash, then layers, then words. */
function treeOf(text: string): Place[] {
  const found: Place[] = []
  let folders: string[] = []
  for (const line of text.split('\n').slice(1)) {
    const [, indent, names, layers = ''] = /^( *)(\S+(?: \S+)*?)(?: {2,}([\d-]+)?.*)?$/.exec(line)!
    folders = folders.slice(0, indent!.length / 2 - 1)
    if (names!.endsWith('/')) {
      folders.push(names!)
      found.push({ path: folders.join(''), layers })
    } else found.push(...names!.split(' ').map(name => ({ path: `${name}.ts`, layers })))
  }
  return found
}

const sources = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[]).filter(name =>
  name.endsWith('.ts'),
)

/** The layers that the headers of files say, as a range. */
function layersOf(names: readonly string[]): string {
  const layers = names.map(name => Number(layerOf(readFileSync(join(ROOT, 'src', name), 'utf8'))))
  const [least, most] = [Math.min(...layers), Math.max(...layers)]
  return names.length === 0 ? '' : least === most ? `${least}` : `${least}-${most}`
}

t.test(
  'the tree has every folder of src/ and every file beside them, with their layers',
  async t => {
    const places = treeOf(only(PAGE, 'tree').text)
    const folders = new Set(
      sources.flatMap(name =>
        name.split('/').map((_, depth, parts) =>
          parts
            .slice(0, depth)
            .map(part => `${part}/`)
            .join(''),
        ),
      ),
    )
    folders.delete('')
    const files = sources.filter(name => !name.includes('/'))
    t.strictSame(places.map(({ path }) => path).sort(), [...folders, ...files].sort())
    for (const { path, layers } of places) {
      const own = path.endsWith('/')
        ? sources.filter(name => name.slice(0, name.lastIndexOf('/') + 1) === path)
        : [path]
      t.equal(layers, layersOf(own), path)
    }
  },
)

t.test('the states are those of the table', async t => {
  const { mayFollow } = (await import(join(lib, 'core/life-cycle.js'))) as {
    mayFollow(from: string, to: string): boolean
  }
  t.equal(only(PAGE, 'states').text, drawStates(mayFollow))
})

const STATES = ['closed', 'opening', 'active', 'closing', 'error']

/** What leads from one state to another. */
const CAUSES: Readonly<Record<string, string>> = {
  'closed>opening': 'connect(), listen() or open()',
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
function drawStates(mayFollow: (from: string, to: string) => boolean): string {
  const column = (state: string): number => STATES.indexOf(state) * 10 + 3
  const arrow = (from: string, to: string): string => {
    const [start, end] = [column(from), column(to)]
    const cells = Array.from({ length: 10 * STATES.length }, (_, at) => {
      const isOn = at > Math.min(start, end) && at < Math.max(start, end)
      if (at === end + Math.sign(start - end)) return end > start ? '►' : '◄'
      if (at === start) return end > start ? '├' : '┤'
      return at % 10 === 3 ? (isOn ? '┼' : '│') : isOn ? '─' : ' '
    })
    return `${cells.join('')}${CAUSES[`${from}>${to}`]}`
  }
  const arrows = STATES.flatMap(from =>
    STATES.filter(to => mayFollow(from, to)).map(to => arrow(from, to)),
  )
  const heads = STATES.map(state => state.padEnd(10)).join('')
  return [heads.trimEnd(), ...arrows].join('\n')
}
