/**
 * Tries changed inputs on what reads bytes from outside, as long as it is told to:
 *
 *     npm run fuzz -- NAME [--minutes 10] [--seed 1]
 *     npm run fuzz -- NAME --input FILE        tries one input again
 *
 * The inputs are tried in a process of its own. It writes each to build/fuzz/NAME.input first, so that an input which ends or blocks the
 * process is known too. An input that breaks the law is kept as build/fuzz/NAME-DIGEST.broke, and its beginning is printed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { FUZZERS } from '../spec/fuzz/fuzzers';
import { type Fuzzer, judge, replayOf } from '../spec/fuzz/law';
import { mutationsOf } from '../spec/fuzz/mutate';

const FOLDER = join(__dirname, '..', 'build', 'fuzz');
const BLOCK = 200;
/** An input that takes longer is one that does not end: the slowest take a second. */
const LONGEST_MS = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    input: { type: 'string' },
    child: { type: 'boolean', default: false },
  },
});

function fuzzerOf(name: string | undefined): Fuzzer {
  const fuzzer = FUZZERS.find((one) => one.name === name);
  if (fuzzer) return fuzzer;
  console.error(`fuzz: expected one of ${FUZZERS.map((one) => one.name).join(', ')}, found ${name ?? 'none'}`);
  process.exit(2);
}

/** Tries one input. @returns whether the law held */
async function tryOne(
  fuzzer: Fuzzer,
  input: Uint8Array,
  counts?: { worked: number; refused: number },
): Promise<boolean> {
  const verdict = await judge(fuzzer, input);
  if (verdict.kind === 'broke')
    console.error(`${fuzzer.name}: ${replayOf(fuzzer, input, { how: verdict.how, folder: FOLDER })}`);
  else if (counts) counts[verdict.kind]++;
  else console.log(`${fuzzer.name}: ${verdict.kind}`);
  return verdict.kind !== 'broke';
}

/** The process that tries inputs. It tells its parent after each that it is alive. */
async function tryMany(fuzzer: Fuzzer, minutes: number, first: number): Promise<void> {
  const ends = Date.now() + minutes * 60_000;
  const counts = { worked: 0, refused: 0 };
  const mutations = mutationsOf(await fuzzer.seeds(), fuzzer.kind);
  let seed = first;
  for (; Date.now() < ends; seed++) {
    for (const input of fc.sample(mutations, { seed, numRuns: BLOCK })) {
      writeFileSync(join(FOLDER, `${fuzzer.name}.input`), input);
      process.send?.('alive');
      if (!(await tryOne(fuzzer, input, counts))) process.exit(1);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { worked, refused } = counts;
  console.log(`${fuzzer.name}: ${worked + refused} inputs, ${worked} worked, ${refused} refused; next --seed ${seed}`);
  process.disconnect?.();
}

/** Starts that process, and ends it when it is silent for too long. */
function watch(fuzzer: Fuzzer): void {
  const file = join(FOLDER, `${fuzzer.name}.input`);
  const args = [fuzzer.name, '--child', '--minutes', values.minutes, '--seed', values.seed];
  const child: ChildProcess = fork(__filename, args, { execArgv: ['-r', 'ts-node/register'] });
  let heard = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - heard < LONGEST_MS) return;
    console.error(`${fuzzer.name}: an input does not end: ${file}`);
    child.kill('SIGKILL');
  }, 1000);
  child.on('message', () => {
    heard = Date.now();
  });
  child.on('exit', (code) => {
    clearInterval(timer);
    if (code !== 0) console.error(`${fuzzer.name}: the last input is ${file}`);
    process.exitCode = code === 0 ? 0 : 1;
  });
}

async function main(): Promise<void> {
  const fuzzer = fuzzerOf(positionals[0]);
  mkdirSync(FOLDER, { recursive: true });
  if (values.input !== undefined) process.exitCode = (await tryOne(fuzzer, readFileSync(values.input))) ? 0 : 1;
  else if (values.child) await tryMany(fuzzer, Number(values.minutes), Number(values.seed));
  else watch(fuzzer);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
