/**
 * Compares Tandem with other runtimes ("peers") on the same work: `npm run bench:peers -- [--shape t5-small] [--threads 1]
 * [--rounds 5] [--sequences 1,8,32]`. All have the same checkpoint, thread count and source; greedy, batch 1, the same number of
 * tokens. With --sequences they decode so many sources together (many.ts). Every peer is a process of its own. In every round each
 * takes one turn. Run bench/peers/setup.sh first. A missing peer is named and skipped.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../cli/table';
import { type Interleaved, interleave } from '../harness/interleave';
import { browserPeers } from './browser';
import { compareMany, manyPage, parseCounts } from './many';
import { agreeing, judgeOf, opponent, quartiles, reasons, type Skipped, sourceIds, startAll } from './start';
import type { Setting, Worker } from './worker';

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      folder: { type: 'string', default: path.join(__dirname, '..', '..', 'build', 'peers') },
      shape: { type: 'string', default: 't5-small' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '5' },
      tokens: { type: 'string' },
      source: { type: 'string', default: '64' },
      only: { type: 'string', default: '' },
      sequences: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const setting: Setting = { folder: values.folder, shape: values.shape, threads: Number(values.threads) };
  const counts = parseCounts(values.sequences);
  const tokens = Number(values.tokens ?? (counts.length === 0 ? 128 : 64));
  const source = sourceIds(Number(values.source));
  if (!existsSync(path.join(setting.folder, 'checkpoints', `${setting.shape}-f32`))) {
    throw new Error(
      `peers: no checkpoint of ${setting.shape} in ${setting.folder}: run bench/peers/setup.sh ${setting.shape}`,
    );
  }
  const workers: Worker[] = [];
  process.once('SIGINT', () => {
    for (const worker of workers) worker.end(); // a stopped process does not receive the signal
    process.exit(130);
  });
  const skipped = await startAll(setting, values.only, workers);
  try {
    if (workers.length === 0) throw new Error(`peers: none could be started: ${reasons(skipped)}`);
    if (counts.length > 0) {
      const task = { counts, tokens, sourceIds: source.length };
      const compared = await compareMany(workers, task, Number(values.rounds));
      const report = { ...setting, ...task, ...compared, skipped: [...skipped, ...compared.skipped] };
      console.log(values.json ? JSON.stringify(report) : manyPage(report));
      return;
    }
    const found = new Map<string, readonly number[]>();
    const cases = workers.map((worker) => ({
      name: worker.name,
      calls: 1,
      run: async () => {
        found.set(worker.name, await worker.run(source, tokens));
        worker.rest();
      },
    }));
    const timed = await interleave(cases, Number(values.rounds), { warmUp: 1 });
    const results = summarise(timed, found, workers, tokens);
    if (values.json) console.log(JSON.stringify({ ...setting, tokens, sourceIds: source.length, results, skipped }));
    else print({ setting, tokens, sourceIds: source.length }, results, skipped);
  } finally {
    for (const worker of workers) worker.end();
  }
}

interface Result {
  readonly name: string;
  readonly version: string;
  readonly tokensPerSecond: number;
  /** Speed of Tandem's fastest backend in the same type divided by this peer's, computed within each round; quartiles. */
  readonly ratio: {
    readonly against: string;
    readonly median: number;
    readonly low: number;
    readonly high: number;
  } | null;
  /** Number of tokens at the start that equal those of the first float32 peer. */
  readonly agreeing: number;
}

function summarise(
  timed: Interleaved,
  found: ReadonlyMap<string, readonly number[]>,
  workers: readonly Worker[],
  tokens: number,
): Result[] {
  const judge = found.get(judgeOf(workers).name) ?? [];
  return workers.map(({ name, version }) => {
    const against = opponent(name, workers);
    return {
      name,
      version,
      tokensPerSecond: (1000 * tokens) / timed.medianMs(name),
      ratio: against === null || against === name ? null : { against, ...timed.ratio(name, against) },
      agreeing: agreeing(found.get(name) ?? [], judge),
    };
  });
}

/** What every peer decoded. */
interface Task {
  readonly setting: Setting;
  readonly tokens: number;
  readonly sourceIds: number;
}

function print({ setting, tokens, sourceIds }: Task, results: readonly Result[], skipped: readonly Skipped[]): void {
  console.log(
    `${setting.shape}, ${setting.threads} thread(s), ${sourceIds} source ids, ${tokens} tokens, greedy, whole call\n`,
  );
  const rows = results.map(({ name, tokensPerSecond, ratio, agreeing }) => {
    const against = ratio ? `${quartiles(ratio)}, ${ratio.against}` : '';
    return [name, tokensPerSecond.toFixed(1), against, `${agreeing} of ${tokens}`];
  });
  console.log(table(['peer', 'tokens/s', "Tandem's speed over it (quartiles)", 'same tokens'], rows));
  for (const { name, reason } of skipped) console.log(`  ${name}: skipped, ${reason}`);
  console.log(
    `\n${results
      .map(({ version }) => version)
      .filter((one, i, all) => all.indexOf(one) === i)
      .join('; ')}`,
  );
  console.log('Ratios are medians over rounds in which all took turns. int8 is each peer’s own kind; random weights.');
}

if (require.main === module) {
  const [first, ...rest] = process.argv.slice(2);
  const started = first === 'browser' ? browserPeers(rest) : main(process.argv.slice(2));
  started.catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  });
}
