/**
 * Mutation tests: `npm run mutate -- FOLDER [SPECS]` changes one expression of FOLDER's sources at a time and runs the specs of SPECS
 * (default: spec/FOLDER) that reach it. A mutant that no spec kills shows a check that is missing. FOLDER may also be one file.
 *
 *     --static              also mutants of code that runs at import, such as tables
 *     --sample N [--seed S] only N mutants, drawn at random; prints the score and its 95 % interval
 *     --concurrency N       processes (default 2)
 *
 * `npm run mutate -- --named [TEXT]` runs each mutant of scripts/named-mutants.json, or those that TEXT is a part of, against its spec.
 *
 * The report is build/mutate/report.html. Ends with exit code 1 when the score is below the bar.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { draw, interval, keyOf, mutantsOf } from './mutants.mjs';
import { runNamed } from './named-mutants.mjs';

const BAR = 85;
const FOLDER = 'build/mutate';

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
    return parseArgs({
      allowPositionals: true,
      options: {
        static: { type: 'boolean', default: false },
        named: { type: 'boolean', default: false },
        sample: { type: 'string' },
        seed: { type: 'string', default: '1' },
        concurrency: { type: 'string', default: '2' },
      },
    });
  } catch (error) {
    return refuse(error.message);
  }
}

/** Sources of a folder that can be mutated, or the one file. */
function sourcesOf(target) {
  if (!statSync(target).isDirectory()) return [target];
  return readdirSync(target, { recursive: true })
    .map((name) => join(target, name).replaceAll('\\', '/'))
    .filter(
      (name) => name.endsWith('.ts') && !/\.browser\.ts$|\.d\.ts$|^kernels\/wasm\/(assembly|generated)\//.test(name),
    )
    .sort();
}

function runStryker(files, variables, concurrency) {
  const program = ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', '--concurrency', String(concurrency)];
  const { status } = spawnSync(process.execPath, [...program, '--mutate', files.join(',')], {
    stdio: 'inherit',
    env: { ...process.env, ...variables },
  });
  return status ?? 1;
}

/** What became of the mutants with these keys, by Stryker's report. */
function resultsOf(keys) {
  const { files } = JSON.parse(readFileSync(join(FOLDER, 'report.json'), 'utf8'));
  const wanted = new Set(keys);
  return Object.entries(files).flatMap(([fileName, { mutants }]) =>
    mutants
      .map((mutant) => {
        const { start, end } = mutant.location;
        const from0 = ({ line, column }) => ({ line: line - 1, column: column - 1 });
        return {
          ...mutant,
          fileName,
          key: keyOf({ ...mutant, fileName, location: { start: from0(start), end: from0(end) } }),
        };
      })
      .filter(({ key }) => wanted.has(key)),
  );
}

function printSample(keys, seed, total) {
  const results = resultsOf(keys);
  const of = (...statuses) => results.filter(({ status }) => statuses.includes(status));
  for (const { fileName, location, replacement, status } of of('Survived', 'NoCoverage')) {
    console.log(
      `${status}: ${fileName}:${location.start.line}:${location.start.column} ${replacement.replaceAll(/\s+/g, ' ').slice(0, 160)}`,
    );
  }
  const killed = of('Killed', 'Timeout').length;
  const timeouts = of('Timeout').length;
  const all = killed + of('Survived', 'NoCoverage').length;
  const rest = keys.length - all;
  console.log(
    `${keys.length} of ${total} mutants drawn with seed ${seed}; ${rest} left out (code that runs at import, or no valid change)`,
  );
  if (all === 0) return 1;
  const percent = (share) => (100 * share).toFixed(1);
  const [low, high] = interval(killed, all);
  console.log(
    `score ${percent(killed / all)} % (${killed} of ${all} killed, ${timeouts} of them because they did not end), 95 % interval ${percent(low)} to ${percent(high)} %`,
  );
  return killed / all < BAR / 100 ? 1 : 0;
}

async function main() {
  const { values, positionals } = readArguments();
  const [target, specs] = positionals;
  if (values.named) return runNamed(target);
  if (!target || !existsSync(target)) {
    refuse(`expected a folder or file of sources, such as decoding or api/call.ts, found ${target ?? 'none'}`);
  }
  const folders = specs ?? `spec/${target.split('/')[0]}`;
  for (const folder of folders.split(',')) {
    if (!existsSync(folder)) refuse(`expected folders of specs with commas between them, found ${folder}`);
  }
  const concurrency = wholeOption('concurrency', values.concurrency, 1);
  const seed = wholeOption('seed', values.seed, 0);
  const variables = { TANDEM_MUTATE_SPECS: folders, TANDEM_MUTATE_STATIC: values.static ? '1' : '' };
  const files = sourcesOf(target);
  if (values.sample === undefined) return runStryker(files, variables, concurrency);
  const mutants = await mutantsOf(files);
  const keys = draw(mutants, wholeOption('sample', values.sample, 1), seed);
  mkdirSync(FOLDER, { recursive: true });
  const list = join(FOLDER, 'sample.json');
  writeFileSync(list, JSON.stringify(keys));
  const drawn = [...new Set(keys.map((key) => JSON.parse(key)[0]))];
  const status = runStryker(drawn, { ...variables, TANDEM_MUTATE_SAMPLE: list }, concurrency);
  return status === 0 ? printSample(keys, seed, mutants.length) : status;
}

process.exit(await main());
