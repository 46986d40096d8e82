// SPDX-License-Identifier: Apache-2.0
// What in these scripts is newer than the oldest browser of the support floor (Chromium 79). One line each.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [root, ...files] = process.argv.slice(2)
const acorn = createRequire(`${root}/package.json`)('acorn')
// Methods and globals that came after it; those that a library asks for before use are let through by name.
const METHODS = new Set(['at', 'replaceAll', 'hasOwn', 'findLast', 'findLastIndex', 'toSorted', 'toReversed', 'replaceChildren'])
const GLOBALS = new Set(['structuredClone', 'AggregateError', 'WeakRef', 'FinalizationRegistry'])

for (const file of files) {
  const tree = acorn.parse(readFileSync(file, 'utf-8'), { ecmaVersion: 'latest', sourceType: 'module', locations: true })
  visit(tree, (node) => {
    const found = newer(node)
    if (found) console.log(`${file}:${node.loc.start.column} ${found}`)
  })
}

function newer(node) {
  if (node.type === 'ChainExpression') return 'optional chaining'
  if (node.type === 'LogicalExpression' && node.operator === '??') return 'nullish coalescing'
  if (node.type === 'AssignmentExpression' && ['??=', '||=', '&&='].includes(node.operator)) return 'logical assignment'
  if (node.type === 'PropertyDefinition' || node.type === 'StaticBlock' || node.type === 'PrivateIdentifier') return node.type
  if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression' && METHODS.has(node.callee.property.name)) {
    return `.${node.callee.property.name}()`
  }
  if (node.type === 'CallExpression' && GLOBALS.has(node.callee.name)) return node.callee.name
  if (node.type === 'NewExpression' && GLOBALS.has(node.callee.name)) return node.callee.name
  return null
}

function visit(node, look) {
  look(node)
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) value.forEach((one) => one && typeof one.type === 'string' && visit(one, look))
    else if (value && typeof value.type === 'string') visit(value, look)
  }
}
