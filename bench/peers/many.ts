/** Peers that decode many sequences together: the same task as for one, with other ids in each source. */
import { table } from '../../cli/table';
import { type Interleaved, interleave, type PairedRatio } from '../harness/interleave';
import { agreeing, judgeOf, opponent, quartiles, reasons, type Skipped, sourceIds } from './start';
import type { Setting, Worker } from './worker';

/** What every peer decodes. */
export interface ManyTask {
  /** Sequences that are decoded together; every count is a case of its own. */
  readonly counts: readonly number[];
  /** New tokens of each sequence. */
  readonly tokens: number;
  /** Ids of each source. */
  readonly sourceIds: number;
}

/** What a peer reached with one count of sequences. */
export interface ManyCase {
  readonly sequences: number;
  /** New tokens of all sequences together, over the time of the whole call. */
  readonly tokensPerSecond: number;
  /** Tandem's speed over this peer's in the same type and with as many sequences, computed within each round; null for itself. */
  readonly ratio: PairedRatio | null;
  /** Sum over the sequences of the tokens at the start that equal those of the first float32 peer. */
  readonly agreeing: number;
}

export interface ManyResult {
  readonly name: string;
  readonly version: string;
  readonly cases: readonly ManyCase[];
}

/** What `compareMany` needs of a worker. */
export type ManyWorker = Pick<Worker, 'name' | 'version' | 'many' | 'runMany' | 'rest'>;

/** Counts of sequences as they are written: "1,8,32"; an empty text is none. @throws Error for what is not a list of whole numbers */
export function parseCounts(text: string): number[] {
  if (text === '') return [];
  const counts = text.split(',').map(Number);
  if (counts.some((count) => !Number.isInteger(count) || count < 1) || new Set(counts).size < counts.length) {
    throw new Error(`peers: --sequences: expected different whole numbers from 1, as 1,8,32, found ${text}`);
  }
  return counts;
}

/** Times every worker with every count in turns. Workers that decode one sequence at a time are skipped. */
export async function compareMany(
  workers: readonly ManyWorker[],
  task: ManyTask,
  rounds: number,
): Promise<{ readonly results: readonly ManyResult[]; readonly skipped: readonly Skipped[] }> {
  const able = workers.filter(({ many }) => many);
  const skipped = workers
    .filter(({ many }) => !many)
    .map(({ name }) => ({ name, reason: 'its worker decodes one sequence at a time' }));
  if (able.length === 0) throw new Error(`peers: none decodes many sequences: ${reasons(skipped)}`);
  const found = new Map<string, Sequences>();
  const cases = task.counts.flatMap((count) => {
    const sources = Array.from({ length: count }, (_, i) => sourceIds(task.sourceIds, i));
    return able.map((worker) => ({
      name: caseName(worker.name, count),
      calls: 1,
      run: async () => {
        found.set(caseName(worker.name, count), await worker.runMany(sources, task.tokens));
        worker.rest();
      },
    }));
  });
  const timed = await interleave(cases, rounds, { warmUp: 1 });
  return { results: summarise({ timed, found, workers: able, task }), skipped };
}

/** The ids of each sequence. */
type Sequences = readonly (readonly number[])[];

const caseName = (name: string, count: number) => `${name} × ${count}`;

interface Compared {
  readonly timed: Interleaved;
  readonly found: ReadonlyMap<string, Sequences>;
  readonly workers: readonly ManyWorker[];
  readonly task: ManyTask;
}

function summarise({ timed, found, workers, task: { counts, tokens } }: Compared): ManyResult[] {
  const judge = judgeOf(workers);
  return workers.map(({ name, version }) => {
    const against = opponent(name, workers);
    const cases = counts.map((count): ManyCase => {
      const own = caseName(name, count);
      const judged = found.get(caseName(judge.name, count)) ?? [];
      const equal = (found.get(own) ?? []).map((ids, i) => agreeing(ids, judged[i] ?? []));
      return {
        sequences: count,
        tokensPerSecond: (1000 * count * tokens) / timed.medianMs(own),
        ratio: against === null || against === name ? null : timed.ratio(own, caseName(against, count)),
        agreeing: equal.reduce((sum, one) => sum + one, 0),
      };
    });
    return { name, version, cases };
  });
}

/** What `manyPage` tells. */
export interface ManyReport extends Setting, ManyTask {
  readonly results: readonly ManyResult[];
  readonly skipped: readonly Skipped[];
}

/** Two tables, speeds and ratios, with a column for each count of sequences. */
export function manyPage({ shape, threads, counts, tokens, sourceIds: length, results, skipped }: ManyReport): string {
  const head = counts.map((count) => `× ${count}`);
  const total = tokens * counts.reduce((sum, count) => sum + count, 0);
  const speeds = results.map(({ name, cases }) => [
    name,
    ...cases.map(({ tokensPerSecond }) => tokensPerSecond.toFixed(1)),
    `${cases.reduce((sum, one) => sum + one.agreeing, 0)} of ${total}`,
  ]);
  const ratios = results
    .filter(({ cases }) => cases.some(({ ratio }) => ratio !== null))
    .map(({ name, cases }) => [name, ...cases.map(({ ratio }) => (ratio ? quartiles(ratio) : ''))]);
  const versions = [...new Set(results.map(({ version }) => version))];
  return [
    `${shape}, ${threads} thread(s), ${length} source ids, ${tokens} tokens of each sequence, greedy, whole call`,
    'Tokens/s of all sequences together, by the sequences that are decoded at once:\n',
    table(['peer', ...head, 'same tokens'], speeds),
    ...(ratios.length === 0
      ? []
      : ["Tandem's speed over it with as many sequences (quartiles):\n", table(['peer', ...head], ratios)]),
    ...skipped.map(({ name, reason }) => `  ${name}: skipped, ${reason}`),
    versions.join('; '),
    'Ratios are medians over rounds in which all took turns. q8 is each peer’s own kind of int8; random weights.',
  ].join('\n');
}
