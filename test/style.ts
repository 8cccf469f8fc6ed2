/**
 * What a text can be held to without running it: width, length, names, pointers, the order of
 * imports. Used by layers.test.ts, which shows that each rule bites.
 */

import type TypeScript from 'typescript-api'
import { ts } from './compiler.ts'

/** Files by their path, from src/ on or from the root. */
export type Tree = Readonly<Record<string, string>>

const COLUMNS = 100
const LINES = 350
const FILES = 25

/** Documents that are not in the repository, or numbers in them. */
const NOWHERE = /(?<!lib\/)\breference\/|\bseed 0\d|\bPB\d/

/** One import after the other, each of a line or more. */
const IMPORTS = /(?:^import [^'"`;]*? from '[^']+'\n)+/gm

/** The files that say what a network reports, and the words that everything else is made of. */
const SEAM = ['transport.ts', 'files.ts', 'packet-socket.ts', 'threads.ts', 'tls.ts', 'types.ts']

/** What other packages import. */
const FACE = /^(index|testing|(messages|relay|rooms|packets|envelope|protocols\/\w+)\/index)\.ts$/

/**
 * The layer that the header of a file says; undefined if it says none. (A module of the reference
 * says it in a line of its own, which is not shown there.)
 */
export function layerOf(text: string): number | undefined {
  const header = /^(?:#!.*\n)?(?:\/\*\*\n \*|\/\/) Layer (\d+)\.\s/.exec(text)
  return header === null ? undefined : Number(header[1])
}

const parsed = new Map<string, TypeScript.SourceFile>()

/** A file's program. Many ask for that of src/: it is made once. */
export function programOf(name: string, text: string): TypeScript.SourceFile {
  const key = `${name}\n${text}`
  const made = parsed.get(key) ?? ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true)
  parsed.set(key, made)
  return made
}

/** What every file of the repository has to keep to, one line a fault. */
export function textFaults(tree: Tree): string[] {
  return Object.entries(tree).flatMap(([name, text]) => [
    ...text
      .split('\n')
      .flatMap((line, index) => [
        ...([...line].length > COLUMNS
          ? [`${name}:${index + 1}: more than ${COLUMNS} columns`]
          : []),
        ...(NOWHERE.test(line) ? [`${name}:${index + 1}: points out of the repository`] : []),
      ]),
    ...(text.match(IMPORTS) ?? []).flatMap(imports => orderFaults(name, imports)),
  ])
}

/** Imports that follow each other. */
function orderFaults(name: string, imports: string): string[] {
  const modules = [...imports.matchAll(/ from '(.+)'\n/g)].map(([, module]) => module as string)
  return modules
    .filter((module, index) => index > 0 && placeOf(modules[index - 1] as string) > placeOf(module))
    .map(module => `${name}: imports ${module} too late`)
}

/** Modules of Node come first, then packages, then files: from afar to near, and by their names. */
function placeOf(module: string): string {
  const kind = module.startsWith('node:') ? 0 : module.startsWith('.') ? 2 : 1
  return `${kind} ${9 - module.split('../').length} ${module.replace(/\.\w+$/, '')}`
}

/** What a file of src/ has to keep to besides. */
export function sourceFaults(tree: Tree): string[] {
  const names = Object.keys(tree)
  const sources = names.map(name => programOf(name, tree[name] as string))
  return [
    ...names
      .filter(name => tree[name]!.trimEnd().split('\n').length > LINES)
      .map(name => `${name}: more than ${LINES} lines`),
    ...[...new Set(names.map(folderOf))]
      .filter(folder => names.filter(name => folderOf(name) === folder).length > FILES)
      .map(folder => `${folder}/: more than ${FILES} files`),
    ...sources.flatMap(variables),
    ...memberNames(sources),
  ]
}

function folderOf(name: string): string {
  return name.split('/').slice(0, -1).join('/')
}

/** `export let`: a function that one file fills in and others call. */
function variables(source: TypeScript.SourceFile): string[] {
  return source.statements
    .filter(ts.isVariableStatement)
    .filter(({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    .filter(({ declarationList }) => (declarationList.flags & ts.NodeFlags.Const) === 0)
    .map(() => `${source.fileName}: exports a variable that can change`)
}

interface Member {
  readonly file: string
  /** The class, interface or type that it is a member of. */
  readonly owner: string
  readonly name: string
}

/**
 * What users call or override is in snake_case, and so is what a network reports. Every other
 * member is in camelCase, unless it has the name of one of those because it is the same thing.
 * (With an underscore at the beginning it is Node's.)
 */
function memberNames(sources: readonly TypeScript.SourceFile[]): string[] {
  const members = sources.flatMap(membersOf).filter(({ name }) => /^[a-z]+_/.test(name))
  const open = publicTypes(sources)
  const known = new Set(
    members
      .filter(({ file, owner }) => SEAM.includes(file) || open.has(owner))
      .map(({ name }) => name),
  )
  return members
    .filter(({ name }) => !known.has(name))
    .map(({ file, name }) => `${file}: ${name} is internal, and in snake_case`)
}

function membersOf(source: TypeScript.SourceFile): Member[] {
  const found: Member[] = []
  const visit = (node: TypeScript.Node, owner: string): void => {
    const inside = isType(node) ? (node.name?.text ?? '') : owner
    if (
      (ts.isClassElement(node) || ts.isTypeElement(node)) &&
      node.name &&
      ts.isIdentifier(node.name)
    )
      found.push({ file: source.fileName, owner: inside, name: node.name.text })
    ts.forEachChild(node, child => visit(child, inside))
  }
  visit(source, '')
  return found
}

type Type =
  | TypeScript.ClassLikeDeclaration
  | TypeScript.InterfaceDeclaration
  | TypeScript.TypeAliasDeclaration

function isType(node: TypeScript.Node): node is Type {
  return ts.isClassLike(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)
}

/** The names of the types that users see, and of those that these are made from. */
function publicTypes(sources: readonly TypeScript.SourceFile[]): Set<string> {
  const types = sources.flatMap(({ statements }) => statements.filter(node => isType(node)))
  const open = new Set<string>()
  const add = (name: string): void => {
    if (open.has(name)) return
    open.add(name)
    for (const type of types.filter(type => type.name?.text === name)) parentsOf(type).forEach(add)
  }
  for (const source of sources.filter(({ fileName }) => FACE.test(fileName)))
    exportedBy(source).forEach(add)
  return open
}

function parentsOf(type: Type): string[] {
  return ts.isTypeAliasDeclaration(type)
    ? []
    : (type.heritageClauses ?? [])
        .flatMap(({ types }) => types)
        .map(({ expression }) => expression.getText())
}

/** The names that a face exports from other files, by which these know them; and its own types. */
function exportedBy({ statements }: TypeScript.SourceFile): string[] {
  return statements.flatMap(node => {
    if (isType(node)) return [node.name?.text ?? '']
    if (!ts.isExportDeclaration(node) || !node.exportClause) return []
    if (!ts.isNamedExports(node.exportClause)) return []
    return node.exportClause.elements.map(({ name, propertyName }) => (propertyName ?? name).text)
  })
}
