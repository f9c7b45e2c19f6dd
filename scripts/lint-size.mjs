/**
 * Checks the sizes that keep a file readable in one go: a file has at most 300 lines, a function at most 60 (from its first
 * line to its last, inner functions included), and a function takes at most 4 arguments by position. A backend's kernels take
 * more arguments, because a kernel names each of its tensors.
 *
 * A function that lists specs (it calls `test`, `describe` and the like itself) is a table of contents, not an algorithm; only
 * the functions inside it are measured.
 *
 *   node scripts/lint-size.mjs [ROOT]    exits with 1 and one line for each breach; also for an exception that no longer applies
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const LIMITS = { file: 300, function: 60, arguments: 4 };

/** The only exceptions: what, which limit, and why. `what` are paths, or `path#function`. */
const EXCEPTIONS = [
  {
    what: ['kernels/wasm/assembly/tileQ8.ts#tileQ8'],
    limit: 'function',
    why: 'one loop written out by hand: a call in it would cost more than its arithmetic',
  },
  {
    what: [
      'decoding/verification/token.ts#verifyTokens',
      'decoding/verification/tree.ts#verifySiblings',
      'decoding/verification/tree.ts#verifyTree',
    ],
    limit: 'arguments',
    why: "the last argument has a default, the paper's rule; proofs replace it by a wrong one",
  },
].flatMap(({ what, limit, why }) => what.map((one) => ({ what: one, limit, why })));

/** Folders with sources that nobody writes by hand, or none. */
const SKIPPED = [
  'node_modules',
  'dist',
  'build',
  'coverage',
  'models',
  'docs/api',
  'spec/data',
  'kernels/wasm/generated',
];
const GROUPS = /^(describe|test|it|beforeAll|beforeEach|afterAll|afterEach)$/;

const root = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..');

function sourcesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    const name = relative(root, path).split(sep).join('/');
    if (entry.isDirectory()) {
      const isHidden = entry.name.startsWith('.') && entry.name !== '.ci';
      return isHidden || SKIPPED.includes(name) ? [] : sourcesIn(path);
    }
    return /\.([cm]?js|tsx?)$/.test(entry.name) ? [name] : [];
  });
}

/** Breaches as { what, limit, found, line }. */
function breachesIn(name) {
  const text = readFileSync(join(root, name), 'utf8');
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const breaches = [];
  const lineOf = (position) => source.getLineAndCharacterOfPosition(position).line + 1;
  const lines = text.trimEnd().split('\n').length;
  if (lines > LIMITS.file) breaches.push({ what: name, limit: 'file', found: lines, line: 1 });

  const isKernel = name.startsWith('kernels/');
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body !== undefined) {
      const line = lineOf(node.getStart(source));
      const what = `${name}#${functionName(node)}`;
      const length = lineOf(node.end) - line + 1;
      if (length > LIMITS.function && !listsSpecs(node))
        breaches.push({ what, limit: 'function', found: length, line });
      const count = node.parameters.filter((one) => one.name.getText(source) !== 'this').length;
      if (count > LIMITS.arguments && !isKernel) breaches.push({ what, limit: 'arguments', found: count, line });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return breaches;
}

function functionName(node) {
  if (node.name !== undefined) return node.name.getText();
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)) {
    return parent.name.getText();
  }
  return '(no name)';
}

/** Whether a function declares specs itself, rather than in a function inside it. */
function listsSpecs(node) {
  let found = false;
  const look = (inner) => {
    if (found || (inner !== node && ts.isFunctionLike(inner))) return;
    if (ts.isCallExpression(inner) && GROUPS.test(calleeOf(inner))) found = true;
    else ts.forEachChild(inner, look);
  };
  look(node.body);
  return found;
}

/** `describe` for describe(…), describe.each(…)(…) and (isThere ? describe : describe.skip)(…). */
function calleeOf({ expression }) {
  let callee = expression;
  for (;;) {
    if (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
    else if (ts.isParenthesizedExpression(callee)) callee = callee.expression;
    else if (ts.isConditionalExpression(callee)) callee = callee.whenTrue;
    else return ts.isIdentifier(callee) ? callee.text : '';
  }
}

const breaches = sourcesIn(root).sort().flatMap(breachesIn);
const isExcepted = ({ what, limit }) => EXCEPTIONS.some((one) => one.what === what && one.limit === limit);
const unused = EXCEPTIONS.filter(
  (one) => !breaches.some(({ what, limit }) => what === one.what && limit === one.limit),
);
const refused = breaches.filter((breach) => !isExcepted(breach));
for (const { what, limit, found, line } of refused) {
  const unit = limit === 'arguments' ? 'arguments' : 'lines';
  console.error(`${what}: expected at most ${LIMITS[limit]} ${unit}, found ${found} (line ${line})`);
}
for (const { what, limit } of unused) console.error(`${what}: the exception (${limit}) is not needed; remove it`);
if (refused.length + unused.length > 0) process.exit(1);
