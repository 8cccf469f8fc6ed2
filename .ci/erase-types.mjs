/**
 * Makes the JavaScript of the tests and benchmarks in .build/: their files with blanks in place of
 * the types. Each line stays where it is, so nobody needs source maps. To compile them takes three
 * times as long. `npm run typecheck` checks the types.
 *
 * This is enough because `erasableSyntaxOnly` is on. What Node 20 does not know, `using`, is
 * compiled.
 */

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'

// An import would make Node look for names in nine million characters, which takes 0.3 s.
const ts = createRequire(import.meta.url)('typescript')

/** Modifiers that only the compiler reads. */
const OF_TYPES = new Set([
  ts.SyntaxKind.OverrideKeyword,
  ts.SyntaxKind.PrivateKeyword,
  ts.SyntaxKind.ProtectedKeyword,
  ts.SyntaxKind.PublicKeyword,
  ts.SyntaxKind.ReadonlyKeyword,
  ts.SyntaxKind.AbstractKeyword,
])

/** A file's text without its types. */
class Erased {
  #text
  #source
  /** What comes in place of what: [start, end, text]. */
  #edits = []

  constructor(name, text) {
    this.#text = text
    this.#source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2023)
    this.#visitChildren(this.#source)
  }

  toString() {
    let result = ''
    let at = 0
    for (const [start, end, text] of this.#edits.sort((a, b) => a[0] - b[0])) {
      result += this.#text.slice(at, start) + text
      at = end
    }
    return result + this.#text.slice(at)
  }

  #visitChildren(node) {
    ts.forEachChild(node, child => this.#visit(child))
  }

  #visit(node) {
    if (isOfTypes(node)) this.#blank(this.#start(node), node.end, ';')
    else if (isOneOfTypes(node)) this.#blankWithComma(node)
    else if (!isType(node)) {
      this.#erase(node)
      this.#specifier(node)
      this.#visitChildren(node)
    }
  }

  /** What of a node itself is for types. */
  #erase(node) {
    this.#list(node.typeParameters)
    this.#list(node.typeArguments)
    this.#modifiers(node)
    if (ts.isFunctionLike(node)) this.#result(node)
    if (ts.isClassLike(node)) this.#implements(node)
    if (ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isPropertyDeclaration(node))
      this.#annotation(node)
    // x as T, x satisfies T, x!
    if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isNonNullExpression(node))
      this.#blank(node.expression.end, node.end)
  }

  /** Type parameters or arguments, with < and >. */
  #list(types) {
    if (types !== undefined) this.#blank(types.pos - 1, this.#text.indexOf('>', types.end) + 1)
  }

  /** A class member begins with a semicolon: the field in front of it may end without one. */
  #modifiers(node) {
    for (const [index, each] of (node.modifiers ?? []).entries()) {
      const first = index === 0 && ts.isClassElement(node) ? ';' : ''
      if (OF_TYPES.has(each.kind)) this.#blank(this.#start(each), each.end, first)
    }
  }

  #annotation(node) {
    const last = node.type ?? node.questionToken ?? node.exclamationToken
    if (last !== undefined) this.#blank(node.name.end, last.end)
  }

  /** The type of what a function returns. No line may end in front of =>. */
  #result(node) {
    if (node.type === undefined) return
    const start = this.#text.indexOf(')', node.parameters.end) + 1
    if (!ts.isArrowFunction(node)) return this.#blank(start, node.type.end)
    const { end } = node.equalsGreaterThanToken
    this.#edits.push([start, end, ` =>${blanks(this.#text.slice(start, end - 3))}`])
  }

  #implements(node) {
    for (const clause of node.heritageClauses ?? [])
      if (clause.token === ts.SyntaxKind.ImplementsKeyword)
        this.#blank(this.#start(clause), clause.end)
  }

  /** './x.ts' of an import is './x.js'. */
  #specifier(node) {
    const isCall = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
    const name = isCall ? node.arguments[0] : node.moduleSpecifier
    if (name !== undefined && ts.isStringLiteral(name) && /^\..*\.ts$/.test(name.text))
      this.#edits.push([name.end - 3, name.end - 1, 'js'])
  }

  #start(node) {
    return node.getStart(this.#source)
  }

  #blank(start, end, first = '') {
    this.#edits.push([start, end, first + blanks(this.#text.slice(start + first.length, end))])
  }

  /** One of a list, with the comma that follows. */
  #blankWithComma(node) {
    const [comma] = /^\s*,|/.exec(this.#text.slice(node.end))
    this.#blank(this.#start(node), node.end + comma.length)
  }
}

/** Blanks for a text. Lines end where they did. */
function blanks(text) {
  return text.replaceAll(/[^\n]/g, ' ')
}

/** Is it a statement or class member of which nothing remains? */
function isOfTypes(node) {
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true
  if (ts.isIndexSignatureDeclaration(node)) return true
  if (ts.isImportDeclaration(node)) return node.importClause?.isTypeOnly === true
  if (ts.isExportDeclaration(node)) return node.isTypeOnly
  const has = kind => node.modifiers?.some(each => each.kind === kind) === true
  if (has(ts.SyntaxKind.DeclareKeyword)) return true
  if (ts.isClassElement(node) && has(ts.SyntaxKind.AbstractKeyword)) return true
  const isOverload = ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)
  return isOverload && node.body === undefined
}

/** `type X` among names, `this` among parameters. */
function isOneOfTypes(node) {
  if (ts.isImportSpecifier(node) || ts.isExportSpecifier(node)) return node.isTypeOnly
  return ts.isParameter(node) && node.name.text === 'this'
}

function isType(node) {
  if (ts.isTypeParameterDeclaration(node)) return true
  return ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)
}

function compiled(fileName, text) {
  const { target, module } = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext }
  const compilerOptions = { target, module, rewriteRelativeImportExtensions: true }
  return ts.transpileModule(text, { fileName, compilerOptions }).outputText
}

for (const folder of ['test', 'bench']) {
  rmSync(`.build/${folder}`, { recursive: true, force: true })
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!name.endsWith('.ts') || name.startsWith('build/')) continue
    const to = `.build/${folder}/${name.replace(/ts$/, 'js')}`
    const text = readFileSync(`${folder}/${name}`, 'utf8')
    const isNew = /^ *(await )?using \w+ =/m.test(text)
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, isNew ? compiled(name, text) : `${new Erased(name, text)}`)
  }
}
copyFileSync('package.json', '.build/package.json')
