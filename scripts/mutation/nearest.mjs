/**
 * Tries mutants one after the other in a copy of the tree. Each spec first runs once without a mutant, which shows the lines that it
 * reaches and its time. A mutant then meets the specs that reach it: that of the source's name first, then the quicker ones. Most
 * mutants end at the first, so that a sample takes a fraction of the time that a run of all specs takes for each. Mutants of code that
 * runs at import count as well.
 */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { nearSpecs } from './changed.mjs';
import { reachOf } from './reach.mjs';
import { runSpecs } from './runner.mjs';

/** What specs need of the tree. Everything that is large and that no source of a mutant is in is a link. */
const LEFT_OUT = new Set(['.git', 'build', 'explorer', 'coverage']);
const LINKED = new Set(['node_modules', 'dist', 'models', 'docs', 'examples']);

/** Specs that take more than this together, each with its mutant, wait until all mutants have met the quicker ones. */
const QUICK_SECONDS = 20;

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

/** The specs that reach a mutant, in the order in which it meets them, in two groups: quick, and the others. */
export function groupsOf({ key, file }, reach) {
  const [, first, , last] = JSON.parse(key); // lines from 0
  const own = nearSpecs(file)[0];
  const reaches = ({ lines }) => [...(lines.get(file) ?? [])].some((line) => line > first && line <= last + 1);
  const rank = ({ spec, seconds }) => (spec === own ? 0 : seconds);
  const met = reach.filter(reaches).sort((a, b) => rank(a) - rank(b));
  let sum = 0;
  const isQuick = ({ seconds }, i) => {
    sum += seconds;
    return i === 0 || sum <= QUICK_SECONDS;
  };
  const count = met.filter(isQuick).length;
  return [met.slice(0, count), met.slice(count)];
}

/** What a run of mutants has left in its folder: the last line of each mutant, by key. */
export function resultsIn(folder) {
  const name = join(folder, 'results.jsonl');
  if (!existsSync(name)) return new Map();
  const lines = readFileSync(name, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map((result) => [result.key, result]));
}

async function attempt(copy, mutant, group) {
  const path = join(copy, mutant.file);
  const source = readFileSync(path, 'utf8');
  const begun = Date.now();
  const specs = group.map(({ spec }) => spec);
  const seconds = group.reduce((sum, one) => sum + one.seconds, 0);
  let outcome = { late: false, failed: false };
  if (specs.length > 0) {
    writeFileSync(path, mutated(source, mutant));
    outcome = await runSpecs(copy, specs, { seconds });
    writeFileSync(path, source);
  }
  mutant.seconds += Math.round((Date.now() - begun) / 1000);
  mutant.status = 'Survived';
  if (outcome.late) mutant.status = 'Timeout';
  else if (outcome.failed) Object.assign(mutant, { status: 'Killed', by: outcome.name });
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
  const tried = mutants.map((mutant) => ({ seconds: 0, ...mutant }));
  for (const mutant of tried) if (mutant.status !== undefined) write(mutant);
  const waiting = tried.filter(({ status }) => status === undefined);
  const reach = await reachOf(copy, specs.split(','), [...new Set(tried.map(({ file }) => file))]);
  console.log(`${reach.length} specs ran once, ${Math.round(reach.reduce((sum, { seconds }) => sum + seconds, 0))} s`);
  const say = (mutant) => {
    const { status, seconds, by, file, line, from, to } = mutant;
    write(mutant);
    console.log(
      `${status}${by ? ` by ${by}` : ''} after ${seconds} s: ${file}:${line} ${from.slice(0, 80)} → ${to.slice(0, 60)}`,
    );
  };
  // All mutants meet the quick specs before one meets the others.
  for (const late of [0, 1]) {
    if (late) console.log('the others meet the other specs that reach them:');
    for (const mutant of waiting) {
      const group = groupsOf(mutant, reach)[late];
      if (late && (mutant.status !== 'Survived' || group.length === 0)) continue;
      if (deadline !== undefined && Date.now() >= deadline) continue;
      await attempt(copy, mutant, group);
      say(mutant);
    }
  }
  rmSync(copy, { recursive: true, force: true });
  return tried;
}
