/**
 * Tries mutants one after the other in a copy of the tree: first against the spec of the source's name and those that import it, then,
 * where it has survived these, against all specs of its folder that reach its lines, the quick ones first. Most mutants end at the
 * first, so that a sample takes a fraction of the time that a run of all specs takes for each. Mutants of code that runs at import count
 * as well.
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Reach } from './reach.mjs';
import { listSpecs, runSpecs } from './runner.mjs';

/** What specs need of the tree. Everything that is large and that no source of a mutant is in is a link. */
const LEFT_OUT = new Set(['.git', 'build', 'explorer', 'coverage']);
const LINKED = new Set(['node_modules', 'dist', 'models', 'docs', 'examples']);

/** Kinds whose new text may bind less tightly than the old one. */
const LOOSE = new Set(['ArithmeticOperator', 'EqualityOperator', 'LogicalOperator']);

function makeCopy(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync('.')) {
    if (LEFT_OUT.has(name)) continue;
    if (LINKED.has(name)) symlinkSync(resolve(name), join(folder, name));
    else cpSync(name, join(folder, name), { recursive: true, verbatimSymlinks: true });
  }
}

/** The text of a source with one mutant in it. */
export function mutated(source, { key }) {
  const [, firstLine, firstColumn, lastLine, lastColumn, kind, replacement] = JSON.parse(key);
  const lines = source.split('\n');
  const offset = (line, column) => lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, column);
  const [from, to] = [offset(firstLine, firstColumn), offset(lastLine, lastColumn)];
  const text = LOOSE.has(kind) ? `(${replacement})` : replacement;
  return source.slice(0, from) + text + source.slice(to);
}

/** Whether a spec imports a source by its own path, not by that of its folder. */
function imports(copy, spec, file) {
  const paths = [...readFileSync(join(copy, spec), 'utf8').matchAll(/'(\.{1,2}\/[^']*)'/g)].map(([, path]) => path);
  return paths.some((path) => join(dirname(spec), path).replaceAll('\\', '/') === file.replace(/\.ts$/, ''));
}

/** Specs of the source's name, or that import it, of a list: the shorter ones first. */
function nearOf(file, specs, copy) {
  const name = join('spec', file.replace(/(\.node)?\.ts$/, '.spec.ts')).replaceAll('\\', '/');
  const rank = (spec) => (spec === name ? 0 : statSync(join(copy, spec)).size);
  return specs.filter((spec) => spec === name || imports(copy, spec, file)).sort((a, b) => rank(a) - rank(b));
}

/** Those of some specs that reach a mutant and that it has not met, the quick ones first. */
async function reachedBy({ key, file, met }, specs, reach) {
  const [, first, , last] = JSON.parse(key); // lines from 0
  const found = [];
  for (const spec of specs.filter((name) => !met.includes(name))) {
    const of = await reach.of(spec);
    if ([...(of?.lines.get(file) ?? [])].some((line) => line > first && line <= last + 1)) found.push(of);
  }
  return found.sort((a, b) => a.seconds - b.seconds).map(({ spec }) => spec);
}

/**
 * The name of the folder of a run, by what was asked for. A name of a file has at most 255 bytes, so that of many sources is cut, and a
 * digest of all of them tells it from others that begin like it.
 */
export function nameOfRun(target) {
  const name = target.replace(/[^\w.]+/g, '-');
  if (name.length <= 100) return name;
  return `${name.slice(0, 60)}-${createHash('sha256').update(target).digest('hex').slice(0, 16)}`;
}

/** What a run of mutants has left in its folder: the last line of each mutant, by key. */
export function resultsIn(folder) {
  const name = join(folder, 'results.jsonl');
  if (!existsSync(name)) return new Map();
  const lines = readFileSync(name, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map((result) => [result.key, result]));
}

/** Runs specs against a mutant, until one fails that does not fail without it. @returns what becomes of the mutant */
async function verdict(copy, mutant, specs, reach) {
  const path = join(copy, mutant.file);
  let left = specs;
  let seconds = 0;
  while (left.length > 0) {
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, mutated(source, mutant));
    const { late, failed, name } = await runSpecs(copy, left, { seconds });
    writeFileSync(path, source);
    if (!late && !failed) break;
    const blamed = name === null ? left : [name];
    const sound = [];
    for (const spec of blamed) sound.push(await reach.of(spec));
    const unsound = blamed.filter((_, i) => sound[i] === null);
    if (unsound.length === 0) {
      if (!late) return { status: 'Killed', by: name };
      const needed = sound.reduce((sum, one) => sum + one.seconds, 0);
      if (seconds >= needed || needed < 5) return { status: 'Timeout' };
      seconds = needed;
    }
    left = left.filter((spec) => !unsound.includes(spec));
  }
  return { status: 'Survived' };
}

/**
 * @param mutants those that have a status already are not tried again
 * @param specs folders of specs, as of `npm run mutate`
 * @param folder where the copy and the results are: its own for each target, so that two runs can go on beside each other
 * @returns the mutants, each with its status where there was time for it
 */
export async function tryNearest(mutants, specs, { folder, deadline }) {
  const copy = join(folder, 'copy');
  const results = join(folder, 'results.jsonl');
  makeCopy(copy);
  const write = ({ key, status, seconds, by }) =>
    appendFileSync(results, `${JSON.stringify({ key, status, seconds, by })}\n`);
  writeFileSync(results, '');
  const tried = mutants.map((mutant) => ({ seconds: 0, met: [], ...mutant }));
  for (const mutant of tried) if (mutant.status !== undefined) write(mutant);
  const waiting = tried.filter(({ status }) => status === undefined);
  const all = await listSpecs(copy, specs.split(','));
  const reach = new Reach(copy, [...new Set(tried.map(({ file }) => file))]);
  // All mutants meet the near specs before one meets the others.
  for (const far of [false, true]) {
    if (far) console.log('the others meet the other specs that reach them:');
    for (const mutant of waiting) {
      if (far && mutant.status !== 'Survived') continue;
      if (deadline !== undefined && Date.now() >= deadline) continue;
      const begun = Date.now();
      const group = far ? await reachedBy(mutant, all, reach) : nearOf(mutant.file, all, copy);
      if (far && group.length === 0) continue;
      Object.assign(mutant, await verdict(copy, mutant, group, reach));
      mutant.met.push(...group);
      mutant.seconds += Math.round((Date.now() - begun) / 1000);
      write(mutant);
      const { status, seconds, by, file, line, from, to } = mutant;
      console.log(
        `${status}${by ? ` by ${by}` : ''} after ${seconds} s: ${file}:${line} ${from.slice(0, 80)} → ${to.slice(0, 60)}`,
      );
    }
  }
  rmSync(copy, { recursive: true, force: true });
  return tried;
}
