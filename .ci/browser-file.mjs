/**
 * Makes one file of a module in lib/ and of what it imports, for `<script type="module">`. After
 * tsc, `npm run build` makes lib/rooms/sluice-rooms.js of lib/rooms/browser.js.
 *
 *   load → keep what the exports need → name → write the tokens of what is kept, without blanks
 *
 * Rules:
 * 1. All modules share one scope. The names at its top begin with a capital letter, those inside of
 *    functions with a small one, so they never hide each other.
 * 2. Classes that extend others keep their names: errors are known by them.
 * 3. Public members of sluice are in snake_case. What a class or an object of ours names in
 *    camelCase is ours alone and gets a short name, as #private names do.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

// An import would make Node look for names in nine million characters, which takes 0.3 s.
const ts = createRequire(import.meta.url)('typescript-api')

const ROOT = fileURLToPath(new URL('../', import.meta.url))

/** The text of one file for the module at `entry`. */
export function oneFile(entry) {
  const options = { allowJs: true, noLib: true, types: [], target: ts.ScriptTarget.ES2023 }
  const host = ts.createCompilerHost(options)
  // By default it finds the .d.ts beside each file.
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text }) => ({
      resolvedModule: { resolvedFileName: resolve(dirname(from), text), extension: '.js' },
    }))
  const program = ts.createProgram([entry], options, host)
  const checker = program.getTypeChecker()
  const exported = checker.getExportsOfModule(
    checker.getSymbolAtLocation(program.getSourceFile(entry)),
  )
  const kept = keep(
    checker,
    exported.map(each => origin(checker, each)),
  )
  const statements = inOrder(program, entry).filter(each => kept.has(each))
  const names = new Names(checker, statements)
  const last = exported.map(symbol => `${names.of(origin(checker, symbol))} as ${symbol.name}`)
  return `${names.writeAll()}export{${last.join(',').replaceAll(/\b(\w+) as \1\b/g, '$1')}}`
}

// ---- what is kept -------------------------------------------------------------------------------

/** The symbol itself, if this is the name of an import or export. */
function origin(checker, symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

/** What an identifier stands for. */
function symbolOf(checker, identifier) {
  const symbol = ts.isShorthandPropertyAssignment(identifier.parent)
    ? checker.getShorthandAssignmentValueSymbol(identifier.parent)
    : checker.getSymbolAtLocation(identifier)
  return symbol && origin(checker, symbol)
}

/** The statements that these symbols need, and those that declare nothing beside them. */
function keep(checker, symbols) {
  const kept = new Set()
  const take = statement => {
    if (kept.has(statement)) return
    kept.add(statement)
    for (const each of statement.getSourceFile().statements)
      if (ts.isExpressionStatement(each)) take(each)
    visit(statement)
  }
  const want = symbol => {
    for (let node of symbol?.declarations ?? []) {
      while (node.parent !== undefined && !ts.isSourceFile(node.parent)) node = node.parent
      if (node.parent !== undefined) take(node)
    }
  }
  const visit = node => {
    if (ts.isIdentifier(node)) want(symbolOf(checker, node))
    ts.forEachChild(node, visit)
  }
  symbols.forEach(want)
  return kept
}

/** The statements of all modules, each module after those that it imports. */
function inOrder(program, entry) {
  const seen = new Set()
  const statements = []
  const load = path => {
    if (seen.has(path)) return
    seen.add(path)
    const file = program.getSourceFile(path)
    for (const { moduleSpecifier } of file.statements)
      if (moduleSpecifier !== undefined) load(resolve(dirname(path), moduleSpecifier.text))
    statements.push(
      ...file.statements.filter(
        each => !ts.isImportDeclaration(each) && !ts.isExportDeclaration(each),
      ),
    )
  }
  load(resolve(entry))
  return statements
}

// ---- names --------------------------------------------------------------------------------------

/** 0 → a, 25 → z, 26 → aa … */
function letters(number) {
  const last = String.fromCharCode(97 + (number % 26))
  return number < 26 ? last : letters(Math.floor(number / 26) - 1) + last
}

/** Two letters that mean something in the language. */
const RESERVED = new Set(['as', 'do', 'if', 'in', 'is', 'of'])

/** As many short names as are asked for, in their order. */
function* shortNames(taken = RESERVED) {
  for (let number = 0; ; number++) if (!taken.has(letters(number))) yield letters(number)
}

/** What stands for a word of the language: fewer words take less room when they are compressed. */
const SHORTER = new Map([
  [ts.SyntaxKind.ConstKeyword, 'let'],
  [ts.SyntaxKind.TrueKeyword, '!0'],
  [ts.SyntaxKind.FalseKeyword, '!1'],
])

const isMember = node =>
  ts.isMethodDeclaration(node) ||
  ts.isPropertyDeclaration(node) ||
  ts.isAccessor(node) ||
  ts.isPropertyAssignment(node) ||
  ts.isShorthandPropertyAssignment(node)

const isKnownByName = node => ts.isClassLike(node) && node.heritageClauses !== undefined

/** The function around a node, or undefined at the top. */
function functionAround(node) {
  return ts.findAncestor(
    node.parent,
    each => ts.isFunctionLike(each) || ts.isClassStaticBlockDeclaration(each),
  )
}

class Names {
  #checker
  #statements
  #ofSymbols = new Map()
  #ofMembers = new Map()
  /** By the class: those that begin with #. */
  #ofPrivates = new Map()

  constructor(checker, statements) {
    this.#checker = checker
    this.#statements = statements
    const locals = new Map()
    const members = new Set()
    const properties = new Set(RESERVED)
    const top = []
    const visit = node => {
      if (isMember(node) && ts.isIdentifier(node.name) && /[a-z][A-Z]/.test(node.name.text))
        members.add(node.name.text)
      if (ts.isIdentifier(node)) {
        properties.add(node.text)
        const symbol = symbolOf(checker, node)
        const [declaration] = symbol?.declarations ?? []
        const isName = declaration !== undefined && declaration.name === node
        if (isName && !isMember(declaration) && !isKnownByName(declaration)) {
          const around = ts.isParameter(declaration)
            ? declaration.parent
            : functionAround(declaration)
          if (around === undefined) top.push(symbol)
          else locals.set(around, [...(locals.get(around) ?? []), symbol])
        }
      }
      ts.forEachChild(node, visit)
    }
    statements.forEach(visit)
    const names = shortNames()
    for (const each of new Set(top)) this.#ofSymbols.set(each, names.next().value.toUpperCase())
    for (const [around, symbols] of locals) this.#nameLocals(locals, around, symbols)
    const free = shortNames(properties)
    for (const each of members) this.#ofMembers.set(each, free.next().value)
  }

  /** Names inside a function come after those of the functions around it. */
  #nameLocals(locals, around, symbols) {
    let taken = 0
    for (let each = functionAround(around); each; each = functionAround(each))
      taken += locals.get(each)?.length ?? 0
    const names = shortNames()
    while (taken-- > 0) names.next()
    for (const each of symbols) this.#ofSymbols.set(each, names.next().value)
  }

  of(symbol) {
    return this.#ofSymbols.get(symbol) ?? symbol.name
  }

  #member(name) {
    return this.#ofMembers.get(name) ?? name
  }

  #private(node) {
    const around = ts.findAncestor(node, ts.isClassLike)
    if (!this.#ofPrivates.has(around))
      this.#ofPrivates.set(around, { names: new Map(), free: shortNames(new Set()) })
    const { names, free } = this.#ofPrivates.get(around)
    if (!names.has(node.text)) names.set(node.text, `#${free.next().value}`)
    return names.get(node.text)
  }

  /** All statements; constants that follow each other become one statement. */
  writeAll() {
    let text = ''
    let before
    for (const each of this.#statements) {
      const more = this.#write(each)
      const isMore = before !== undefined && isConst(before) && isConst(each)
      text = isMore ? `${text.slice(0, -1)},${more.slice('let'.length).trimStart()}` : text + more
      before = each
    }
    return text
  }

  /** A statement without comments and blanks. */
  #write(statement) {
    let text = ''
    const add = token => {
      if (/[\w$#]$/.test(text) && /^[\w$#]/.test(token)) text += ' '
      if (/[+-]$/.test(text) && token[0] === text.at(-1)) text += ' '
      text += token
    }
    const visit = node => {
      const children = node.getChildren().filter(each => !isNeedless(each))
      if (node.kind === ts.SyntaxKind.ExportKeyword || ts.isJSDoc(node)) return
      if (node.kind === ts.SyntaxKind.ConstKeyword && followsConst(node.parent.parent)) {
        text = `${text.slice(0, -1)},`
        return
      }
      if (children.length > 0 || node.kind === ts.SyntaxKind.SyntaxList) children.forEach(visit)
      else add(SHORTER.get(node.kind) ?? this.#token(node))
      // A statement may have no semicolon in front of a brace or a line end.
      if (endsInSemicolon(node) && !text.endsWith(';')) text += ';'
    }
    visit(statement)
    return text.replaceAll(';}', '}')
  }

  #token(node) {
    if (ts.isPrivateIdentifier(node)) return this.#private(node)
    const { parent, text } = node
    // One kind of quotes and one way to say nothing take less room when they are compressed.
    if (ts.isStringLiteral(node) && parent.name !== node && !/[`$\\]/.test(node.getText()))
      return `\`${text}\``
    if (!ts.isIdentifier(node)) return node.getText()
    if (text === 'undefined' && ts.isExpression(parent)) return 'void 0'
    if (ts.isShorthandPropertyAssignment(parent) && parent.name === node)
      return this.#pair(text, this.of(symbolOf(this.#checker, node) ?? { name: text }))
    if (ts.isBindingElement(parent) && parent.name === node && isOfObject(parent))
      return this.#pair(text, this.of(symbolOf(this.#checker, node)))
    const isProperty =
      (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
      (isMember(parent) && parent.name === node) ||
      (ts.isBindingElement(parent) && parent.propertyName === node) ||
      ts.isMetaProperty(parent)
    if (isProperty) return this.#member(text)
    return this.of(symbolOf(this.#checker, node) ?? { name: text })
  }

  #pair(property, value) {
    const name = this.#member(property)
    return name === value ? name : `${name}:${value}`
  }
}

function isOfObject(element) {
  return (
    ts.isObjectBindingPattern(element.parent) &&
    element.propertyName === undefined &&
    element.dotDotDotToken === undefined
  )
}

const isConst = node =>
  ts.isVariableStatement(node) && (node.declarationList.flags & ts.NodeFlags.Const) !== 0

/** `const a = 1; const b = 2` becomes `const a = 1, b = 2`. */
function followsConst(statement) {
  if (!ts.isVariableStatement(statement)) return false
  const { statements } = statement.parent
  if (statements === undefined || ts.isSourceFile(statement.parent)) return false
  const before = statements[statements.indexOf(statement) - 1]
  return before !== undefined && isConst(before)
}

/** A comma behind the last element, `undefined` after `return`, what is around the one parameter. */
function isNeedless(node) {
  if (ts.isReturnStatement(node.parent) && node.getText() === 'undefined') return true
  if (/^[()]$/.test(node.getText()) && ts.isArrowFunction(node.parent))
    return (
      node.parent.modifiers === undefined &&
      /^\w+$/.test(node.parent.parameters.map(each => each.getText()).join())
    )
  const { elements, properties, arguments: args, parameters } = node.parent
  const list = elements ?? properties ?? args ?? parameters
  return (
    node.kind === ts.SyntaxKind.CommaToken && list?.hasTrailingComma && node.pos >= list.at(-1).end
  )
}

function endsInSemicolon(node) {
  return (
    ts.isExpressionStatement(node) ||
    ts.isVariableStatement(node) ||
    ts.isReturnStatement(node) ||
    ts.isThrowStatement(node) ||
    ts.isBreakOrContinueStatement(node) ||
    ts.isPropertyDeclaration(node)
  )
}

// ---- the file -----------------------------------------------------------------------------------

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { name, version, license } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))
  const to = process.argv[2] ?? `${ROOT}lib/rooms/sluice-rooms.js`
  mkdirSync(dirname(to), { recursive: true })
  const text = oneFile(`${ROOT}lib/rooms/browser.js`)
  writeFileSync(to, `/*! ${name}/rooms ${version}, ${license} */\n${text}\n`)
}
