import { type Command, Option } from 'commander';
import { type LoadOptions, Tandem, VERSION } from '../../api';
import { theory } from '../../decoding';
import { integer, oneOf } from '../flags';
import { countProgress } from '../progress';
import { type Cell, table } from '../table';
import { jsonLine } from '../terminal';
import { measurePaper, type PaperMeasurements } from './measure';
import * as published from './published';

export interface PaperFlags {
  readonly passages: number;
  readonly maxTokens: number;
  readonly backend?: LoadOptions['backend'];
  readonly threads?: number;
  readonly dtype?: LoadOptions['dtype'];
  readonly json?: boolean;
}

/** Puts what `tandem paper` takes on a command. */
export function addPaperFlags(command: Command): Command {
  const flag = (flags: string, text: string, parse: (text: string) => unknown) =>
    command.addOption(new Option(flags, text).argParser(parse));
  command.description(
    'Tables 1 to 3 and 5 of Leviathan et al. 2023, beside what this machine measures on the bundled pair',
  );
  command.addOption(new Option('--passages <n>', 'held-out passages to decode').default(20).argParser(integer(1)));
  command.addOption(new Option('-n, --max-tokens <n>', 'tokens of each at most').default(128).argParser(integer(1)));
  flag('-b, --backend <name>', 'auto, wasm, cpu, gpu or reference', oneOf('auto', 'wasm', 'cpu', 'gpu', 'reference'));
  flag('--threads <n>', 'threads to compute with (default: what the machine has)', integer(1, 64));
  flag('--dtype <type>', 'keep weights as f32, bf16 or q8 (default: as stored)', oneOf('f32', 'bf16', 'q8'));
  return command.option('--json', 'print one JSON object');
}

/** `tandem paper`: the paper in numbers, and this machine's beside them. */
export async function paper(flags: PaperFlags, signal: AbortSignal): Promise<void> {
  const { backend, threads, dtype } = flags;
  const tandem = await Tandem.load(undefined, { backend, threads, dtype, signal });
  try {
    const bar = countProgress('passages', flags.passages);
    const job = { passages: flags.passages, maxNewTokens: flags.maxTokens, signal, onPassage: bar.update };
    const measured = await measurePaper(tandem, job).finally(bar.stop);
    process.stdout.write(flags.json ? jsonLine(asData(tandem, measured)) : page(tandem, measured));
  } finally {
    await tandem.dispose();
  }
}

function ideal() {
  return published.TABLE_1.map((row) => ({
    ...row,
    theory: {
      operations: theory.expectedOperations(row.alpha, row.gamma),
      speed: theory.predictedSpeedup({ alpha: row.alpha, gamma: row.gamma, c: 0 }),
    },
  }));
}

function asData(tandem: Tandem, { passages, tokens, pair, ngrams, lenience }: PaperMeasurements) {
  const { name, level, threads } = tandem.backend;
  return {
    version: VERSION,
    target: tandem.target.name,
    draft: tandem.draft?.name ?? null,
    dtype: tandem.target.dtype,
    backend: { name, level, threads },
    passages,
    tokens,
    table1: ideal(),
    table2: { published: published.TABLE_2, measured: pair },
    table3: { published: published.TABLE_3, bigram: published.BIGRAM_SPEEDUP, measured: ngrams },
    table5: { published: published.TABLE_5, measured: lenience },
  };
}

const fixed = (digits: number) => (value: number) => value.toFixed(digits);
const [two, three] = [fixed(2), fixed(3)];
const times = (value: number) => `${value.toFixed(2)}×`;
const heading = (number: number, text: string) => `Table ${number}. ${text}\n`;

function page(tandem: Tandem, measured: PaperMeasurements): string {
  const { name, level, threads } = tandem.backend;
  const millions = (parameters = 0) => `${(parameters / 1e6).toPrecision(3)} M`;
  const here = `here: ${millions(tandem.target.parameters)} target, ${millions(tandem.draft?.parameters)} draft, ${tandem.target.dtype} on ${name} (${level}), ${threads} threads; ${measured.passages} held-out passages, ${measured.tokens} tokens`;
  return `${[
    'Leviathan, Kalman and Matias 2023 (arXiv 2211.17192): published figures, and those of this machine',
    `${here}\n`,
    tableOne(),
    tableTwo(measured),
    tableThree(measured),
    tableFive(measured),
    'α: mean of Σ min(target, draft) over positions up to each round’s first rejection. c: a draft step over a target step.',
    'v: a target call of γ + 1 rows over one of a single row; the paper takes it for 1, which a processor is not.',
  ].join('\n')}\n`;
}

function tableOne(): string {
  const rows = ideal().map(({ alpha, gamma, operations, speed, theory: own }): Cell[] => [
    two(alpha),
    gamma,
    times(operations),
    times(own.operations),
    times(speed),
    times(own.speed),
  ]);
  const head = ['α', 'γ', 'operations', '(formula)', 'speed', '(formula)'];
  return heading(1, 'What theorems 3.8 and 3.11 give at c = 0') + table(head, rows);
}

function tableTwo({ pair }: PaperMeasurements): string {
  const head = ['pair', 'T', 'γ', 'α', 'c', 'v', 'theorem 3.8', 'with v', 'measured'];
  const theirs = published.TABLE_2.map((row): Cell[] => {
    const { task, draft, temperature, gamma, alpha, c } = row;
    return [
      `${task}, ${draft}`,
      temperature,
      gamma,
      two(alpha),
      two(c),
      '',
      times(row.theory),
      '',
      times(row.measured),
    ];
  });
  const ours = pair.map((row): Cell[] => {
    const { temperature, gamma, alpha, c, v } = row;
    const speeds = [row.theory, row.predicted, row.measured].map(times);
    return ['here', temperature, gamma, two(alpha), three(c), two(v), ...speeds];
  });
  return heading(2, 'Speed-up of T5-XXL on a TPU v4, and of the bundled pair here') + table(head, [...theirs, ...ours]);
}

function tableThree({ ngrams }: PaperMeasurements): string {
  const orders = ['', 'unigram', 'bigram'];
  const theirs = published.TABLE_3.map(({ task, order, alpha }): Cell[] => {
    const { speed, gamma } = published.BIGRAM_SPEEDUP;
    const known = task === 'EnDe' && order === 2 ? `${times(speed)} (γ = ${gamma}, c = 0)` : '';
    return [`${task}, ${orders[order]}`, two(alpha.greedy), two(alpha.sampled), known, ''];
  });
  const ours = ngrams.map(({ order, alpha, measured }): Cell[] => [
    `here, ${orders[order]}`,
    two(alpha.greedy),
    two(alpha.sampled),
    times(measured.greedy),
    times(measured.sampled),
  ]);
  const head = ['draft', 'α, T = 0', 'α, T = 1', 'speed-up, T = 0', 'T = 1'];
  return heading(3, 'n-gram drafts') + table(head, [...theirs, ...ours]);
}

function tableFive({ lenience }: PaperMeasurements): string {
  const rows = published.TABLE_5.map((row, i): Cell[] => {
    const { exact, alpha, measured } = lenience[i];
    return [row.lenience, two(row.alpha), two(alpha), times(measured), exact ? 'yes' : 'NO'];
  });
  const head = ['lenience', 'α of EnDe, small', 'α here', 'speed-up here', 'exact'];
  return (
    heading(5, 'Lenience at temperature 1: faster, but below 1 no longer the target’s distribution') + table(head, rows)
  );
}
