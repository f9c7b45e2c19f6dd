/**
 * Tries mutants one after the other in a copy of the tree: first against the spec of the source's name, then against those beside it,
 * then, where it has survived these, against all of its folder. Most mutants end at the first, so that a sample takes a fraction of the
 * time that a run of all specs takes before its first mutant. Mutants of code that runs at import count as well.
 */
import { spawn } from 'node:child_process';
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
import { join, relative, resolve } from 'node:path';
import { nearSpecs } from './changed.mjs';

/** What specs need of the tree. Everything that is large and that no source of a mutant is in is a link. */
const LEFT_OUT = new Set(['.git', 'build', 'docs', 'examples', 'explorer', 'coverage']);
const LINKED = new Set(['node_modules', 'dist', 'models']);

/** Longest time of one run of specs. Generous: a mutant that is ended by a busy machine would count as killed. */
const PATIENCE_MS = 180_000;

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

/**
 * Runs specs in the copy up to the first one that fails.
 *
 * @returns the spec that failed, or none; null where they did not end in time
 */
function failures(folder, { specs, related, file }) {
  const outcome = resolve(folder, '../failed.txt');
  rmSync(outcome, { force: true });
  const args = [
    ...[resolve('node_modules/jest/bin/jest.js'), '-c', 'jest.mutate.config.js', '-w', '1', '--silent'],
    ...['--reporters', './scripts/mutation/first-failure.cjs', '--testSequencer', './scripts/mutation/sequencer.cjs'],
    ...['--passWithNoTests', ...(related === null ? [] : ['--findRelatedTests', related])],
  ];
  const variables = {
    ...process.env,
    ...{ TANDEM_MUTATE_SPECS: specs.join(','), TANDEM_MUTATE_FILE: file, TANDEM_MUTATE_OUTCOME: outcome },
  };
  const node = resolve('node_modules/node/bin/node');
  const child = spawn(existsSync(node) ? node : process.execPath, args, {
    cwd: folder,
    stdio: 'ignore',
    detached: true,
    env: variables,
  });
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  };
  const stop = () => {
    end();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
  return new Promise((done) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end();
    }, PATIENCE_MS);
    child.once('exit', (code) => {
      clearTimeout(timer);
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);
      end(); // what a spec has left behind
      if (late) return done(null);
      if (code === 0) return done([]);
      const failed = existsSync(outcome) ? [relative(resolve(folder), readFileSync(outcome, 'utf8'))] : [];
      return done(failed.map((name) => name.replaceAll('\\', '/')));
    });
  });
}

/** Groups of specs, nearest first, for a mutant of a file; together they are those of `folders`. */
function groupsOf(file, folders) {
  const near = nearSpecs(file);
  const own = near.filter((name) =>
    name.endsWith(
      `/${file
        .split('/')
        .at(-1)
        .replace(/(\.node)?\.ts$/, '.spec.ts')}`,
    ),
  );
  const beside = near.filter((name) => !own.includes(name));
  return [
    { specs: own, related: null, file },
    { specs: beside, related: null, file },
    { specs: folders, related: file, file },
  ].filter(({ specs }) => specs.length > 0);
}

/**
 * @param specs folders of specs, as of `npm run mutate`
 * @returns the mutants, each with its status where there was time for it
 */
export async function tryNearest(mutants, specs, { folder, results, deadline }) {
  const copy = join(folder, 'copy');
  makeCopy(copy);
  writeFileSync(results, '');
  /** Whether specs pass without a mutant: else their failure tells nothing. */
  const sound = new Map();
  const areSound = async (specs, file) => {
    const name = specs.join(',');
    if (!sound.has(name)) {
      const failed = await failures(copy, { specs, related: null, file });
      sound.set(name, failed?.length === 0);
      if (!sound.get(name)) console.log(`without a mutant too, there fails or does not end: ${failed ?? specs}`);
    }
    return sound.get(name);
  };
  const tried = mutants.map((mutant) => ({ ...mutant, seconds: 0 }));
  const attempt = async (mutant, group) => {
    const path = join(copy, mutant.file);
    const source = readFileSync(path, 'utf8');
    const begun = Date.now();
    writeFileSync(path, mutated(source, mutant));
    const failed = await failures(copy, group);
    writeFileSync(path, source);
    mutant.seconds += Math.round((Date.now() - begun) / 1000);
    mutant.status = 'Survived';
    if (failed?.length === 0 || !(await areSound(failed ?? group.specs, mutant.file))) return;
    Object.assign(mutant, failed === null ? { status: 'Timeout' } : { status: 'Killed', by: failed[0] });
  };
  const say = ({ key, status, seconds, by, file, line, from, to }) => {
    appendFileSync(results, `${JSON.stringify({ key, status, seconds, by })}\n`);
    console.log(
      `${status}${by ? ` by ${by}` : ''} after ${seconds} s: ${file}:${line} ${from.slice(0, 80)} → ${to.slice(0, 60)}`,
    );
  };
  // All mutants meet the nearest specs before one meets the others, which take much longer.
  for (const far of [false, true]) {
    if (far) console.log('the others meet all specs of the folder:');
    for (const mutant of tried) {
      if (far && mutant.status !== 'Survived') continue;
      for (const group of groupsOf(mutant.file, specs.split(','))) {
        if (far !== (group.related !== null) || mutant.status === 'Killed' || mutant.status === 'Timeout') continue;
        if (deadline === undefined || Date.now() < deadline) await attempt(mutant, group);
      }
      say(mutant);
    }
  }
  rmSync(copy, { recursive: true, force: true });
  return tried;
}
