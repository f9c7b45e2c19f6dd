/**
 * Mutation tests: `npm run mutate -- FOLDER [SPECS]` changes one expression of FOLDER's sources at a time and runs the specs of SPECS
 * (default: those of the table below) that reach it. A mutant that no spec kills shows a check that is missing. FOLDER may be one file,
 * or several folders and files with commas between.
 *
 *     --sample N [--seed S] only N mutants, drawn at random; prints the score and its 95 % interval
 *     --minutes M           ends after M minutes, and counts what was tried until then
 *     --static              also mutants of code that runs at import, such as tables
 *     --concurrency N       processes that run specs (default 2)
 *     --near                without Stryker: each mutant in a copy of the tree, against the specs that reach its lines, the quick ones
 *                           first (scripts/mutation/nearest.mjs); for samples
 *     --again               with --near: those of the last run of FOLDER that survived, and the score of that run with what they are now;
 *                           with --sample as well: those of the sample that survived or that had no time
 *
 * `npm run mutate -- --changed [--since REF]` takes the lines that changed since REF (default: since this branch left main; on main
 * since the commit before), and the specs nearest to them. Default: 60 mutants.
 * `npm run mutate -- --all` takes all folders one after the other, and prints a score for each: this takes days, or hours with --sample.
 * `npm run mutate -- --named [TEXT]` runs each mutant of scripts/named-mutants.json, or those that TEXT is a part of, against its spec.
 *
 * Left out are mutants that change only wording (scripts/mutation/wording.mjs) and those that nobody can notice
 * (scripts/mutation/equivalent.json). The report is build/mutate/report.html. Ends with exit code 1 when the score is below the bar; that
 * of a sample is when its whole interval is below.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { baseOf, changedLines, nearSpecs } from './mutation/changed.mjs';
import { draw, mutantsOf } from './mutation/mutants.mjs';
import { nameOfRun, resultsIn, tryNearest } from './mutation/nearest.mjs';
import { isAlive, isBelowBar, printScores, printSurvivors, scoreOf } from './mutation/report.mjs';
import { withTypeErrors } from './mutation/types.mjs';
import { runNamed } from './named-mutants.mjs';

const FOLDER = 'build/mutate';
const NEAR = 'build/mutate-near';

/** Folders of sources, each with its specs; of a folder inside another one the longest name counts. */
const SPECS = {
  common: 'spec/common',
  weights: 'spec/weights',
  kernels: 'spec/kernels',
  'kernels/shared': 'spec/kernels/shared,spec/kernels/cpu.spec.ts,spec/kernels/reference.spec.ts',
  'kernels/cpu': 'spec/kernels/cpu.spec.ts',
  'kernels/reference': 'spec/kernels/reference.spec.ts,spec/kernels/cpu.spec.ts',
  'kernels/sampling': 'spec/kernels/sampling',
  'kernels/wasm': 'spec/kernels/wasm,spec/kernels/registry.spec.ts',
  'kernels/gpu': 'spec/kernels/gpu',
  engine: 'spec/engine',
  decoding: 'spec/decoding',
  api: 'spec/api',
  server: 'spec/server',
  cli: 'spec/cli',
  transformers: 'spec/transformers',
  testing: 'spec/testing',
};
/** What `--all` measures. Of the kernels on a gpu that is what gpu.js runs in JavaScript; the devices need one. */
const ALL = Object.keys(SPECS).filter((folder) => folder !== 'kernels');

function refuse(message) {
  console.error(`mutate: ${message}`);
  process.exit(2);
}

function wholeOption(name, text, least) {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  return refuse(`--${name}: expected a whole number from ${least} on, found ${text}`);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        again: { type: 'boolean', default: false },
        all: { type: 'boolean', default: false },
        changed: { type: 'boolean', default: false },
        concurrency: { type: 'string', default: '2' },
        minutes: { type: 'string' },
        named: { type: 'boolean', default: false },
        near: { type: 'boolean', default: false },
        sample: { type: 'string' },
        seed: { type: 'string', default: '1' },
        since: { type: 'string' },
        static: { type: 'boolean', default: false },
      },
    });
    const whole = (name, least) => (values[name] === undefined ? undefined : wholeOption(name, values[name], least));
    const numbers = { concurrency: whole('concurrency', 1), minutes: whole('minutes', 1), seed: whole('seed', 0) };
    return { options: { ...values, ...numbers, sample: whole('sample', 1) }, positionals };
  } catch (error) {
    return refuse(error.message);
  }
}

const isSource = (name) =>
  name.endsWith('.ts') &&
  Object.keys(SPECS).includes(name.split('/')[0]) &&
  !/\.browser\.ts$|\.d\.ts$|^kernels\/wasm\/(assembly|generated)\/|^kernels\/gpu\/device(Gl|Webgpu)\.ts$/.test(name);

/** Sources of a folder that can be mutated, or the one file. */
function sourcesOf(target) {
  if (!statSync(target).isDirectory()) return [target];
  return readdirSync(target, { recursive: true })
    .map((name) => join(target, name).replaceAll('\\', '/'))
    .filter((name) => isSource(name))
    .sort();
}

function specsOf(target) {
  const parts = target.split('/').filter(Boolean);
  for (let length = parts.length; length > 0; length--) {
    const specs = SPECS[parts.slice(0, length).join('/')];
    if (specs !== undefined) return specs;
  }
  return refuse(`expected a folder or file of ${Object.keys(SPECS).join(', ')}, found ${target}`);
}

/** Runs Stryker, at most until `deadline`. */
function runStryker(files, variables, { concurrency, deadline }) {
  // Stryker gives half of its processes to the checker, which has nearly nothing to do.
  const processes = String(2 * concurrency);
  const program = ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', '--concurrency', processes];
  const child = spawn(process.execPath, [...program, '--mutate', files.join(',')], {
    stdio: 'inherit',
    detached: true,
    env: { ...process.env, ...variables },
  });
  // Its processes are one group, which ends as a whole.
  const end = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // all of them have ended
    }
  };
  const late =
    deadline === undefined ? undefined : setTimeout(() => end('SIGKILL'), Math.max(1, deadline - Date.now()));
  const onSignal = () => end('SIGKILL');
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, onSignal);
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      for (const name of ['SIGINT', 'SIGTERM']) process.off(name, onSignal);
      resolve({ code, wasLate: signal === 'SIGKILL' && deadline !== undefined && Date.now() >= deadline });
    });
  });
}

/** Tries mutants. @returns them, each with its status where there was time for it; null where Stryker failed */
async function tryMutants(mutants, specs, { concurrency, deadline, ...options }) {
  const files = { TANDEM_MUTATE_KEYS: join(FOLDER, 'keys.json'), TANDEM_MUTATE_RESULTS: join(FOLDER, 'results.jsonl') };
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(files.TANDEM_MUTATE_KEYS, JSON.stringify(mutants.map(({ key }) => key)));
  writeFileSync(files.TANDEM_MUTATE_RESULTS, '');
  const variables = { ...files, TANDEM_MUTATE_SPECS: specs, TANDEM_MUTATE_STATIC: options.static ? '1' : '' };
  // A mutant that never ends is given up sooner where there is little time: it may then count as killed because the machine is busy.
  if (deadline !== undefined) variables.TANDEM_MUTATE_PATIENCE = '1.5';
  const sources = [...new Set(mutants.map(({ file }) => file))];
  const { code, wasLate } = await runStryker(sources, variables, { concurrency, deadline });
  if (wasLate) rmSync(join(FOLDER, 'sandbox'), { recursive: true, force: true });
  else if (code !== 0) return null;
  const lines = readFileSync(files.TANDEM_MUTATE_RESULTS, 'utf8').split('\n').filter(Boolean);
  const statuses = new Map(lines.map((line) => JSON.parse(line)).map(({ key, status }) => [key, status]));
  return mutants.map((mutant) => ({ ...mutant, status: statuses.get(mutant.key) }));
}

/** Survivors that are no valid TypeScript do not count: the type check of CI refuses such a change. */
function withoutInvalid(results) {
  const invalid = new Set(withTypeErrors(results.filter(isAlive)));
  for (const result of results) if (invalid.has(result.key)) result.status = 'CompileError';
}

/** Mutants with what they were in an earlier run; survivors without, so that they are tried again; new ones if `withNew`. */
function ofLastRun(mutants, earlier, withNew) {
  const known = mutants.filter(({ key }) => earlier.has(key));
  console.log(`${known.length} of the ${earlier.size} mutants of the last run are still there and count`);
  return (withNew ? mutants : known).map((mutant) => {
    const status = earlier.get(mutant.key)?.status;
    return status === undefined || status === 'Survived' ? mutant : { ...mutant, status };
  });
}

/** Tries the mutants of some sources that `isWanted` holds for, prints what was found. @returns the exit code */
async function measure({ name, files, specs, isWanted = () => true }, options) {
  const deadline = options.minutes === undefined ? undefined : Date.now() + options.minutes * 60_000;
  const found = (await mutantsOf(files)).filter(isWanted);
  const counted = found.filter(({ leftOut }) => leftOut === null);
  const of = (reason) => found.filter(({ leftOut }) => leftOut === reason).length;
  console.log(
    `${name}: ${counted.length} mutants; left out: ${of('wording')} of wording, ${of('equivalent')} that nobody can notice`,
  );
  if (counted.length === 0) return 0;
  const folder = join(NEAR, nameOfRun(name));
  let mutants = options.sample === undefined ? counted : draw(counted, options.sample, options.seed);
  if (options.again) mutants = ofLastRun(mutants, resultsIn(folder), options.sample !== undefined);
  const results = options.near
    ? await tryNearest(mutants, specs, { folder, deadline })
    : await tryMutants(mutants, specs, { ...options, deadline });
  if (results === null) return 1;
  withoutInvalid(results);
  printSurvivors(results);
  const isSample = results.filter(({ status }) => status !== undefined).length < counted.length;
  printScores(results, { isSample, total: counted.length });
  const score = scoreOf(results);
  if (score === null) {
    console.log(`${name}: no mutant that counts was tried`);
    return 0;
  }
  return isBelowBar(score, isSample) ? 1 : 0;
}

async function measureChanged(options) {
  const base = baseOf(options.since);
  if (base === null) {
    if (options.since !== undefined) refuse(`--since: expected a commit that is here, found ${options.since}`);
    console.log(
      'changed: there is no earlier commit here to compare with (a clone without history?), so no mutant was tried',
    );
    return 0;
  }
  const lines = changedLines(base.commit);
  const files = [...lines.keys()].filter((name) => isSource(name) && existsSync(name));
  console.log(`changed since ${base.name} (${base.commit.slice(0, 12)}): ${files.length} files of sources`);
  if (files.length === 0) return 0;
  const specs = [...new Set(files.flatMap(nearSpecs))].join(',');
  const bounded = {
    sample: 60,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
  const isWanted = ({ file, line }) => lines.get(file).has(line);
  return measure({ name: 'changed', files, specs, isWanted }, bounded);
}

async function measureAll(options) {
  let status = 0;
  for (const folder of ALL) {
    console.log(`── ${folder}`);
    const code = await measure({ name: folder, files: sourcesOf(folder), specs: specsOf(folder) }, options);
    status = Math.max(status, code);
  }
  return status;
}

async function main() {
  const { options, positionals } = readArguments();
  const [target, given] = positionals;
  if (options.named) return runNamed(target);
  if (options.changed) return measureChanged(options);
  if (options.all) return measureAll(options);
  const targets = (target ?? '').split(',');
  for (const name of targets) {
    if (!existsSync(name))
      refuse(`expected a folder or file of sources, such as decoding or api/call.ts, found ${name || 'none'}`);
  }
  const specs = given ?? [...new Set(targets.flatMap((name) => specsOf(name).split(',')))].join(',');
  for (const name of specs.split(',')) {
    if (!existsSync(name)) refuse(`expected folders or files of specs with commas between them, found ${name}`);
  }
  return measure({ name: target, files: [...new Set(targets.flatMap(sourcesOf))], specs }, options);
}

process.exit(await main());
