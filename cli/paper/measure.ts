import { readFile } from 'node:fs/promises';
import { type BundledPair, bundledPair, type LoadedParts } from '../../api';
import {
  addTallies,
  collect,
  type Drafter,
  generate,
  measuredSpeedup,
  metricsOf,
  NgramTable,
  ngramDrafter,
  published,
  type Settings,
  type Tally,
  theory,
} from '../../decoding';
import { withEventLoop, yieldToEventLoop } from '../event-loop';
import { CommandError } from '../failure';

const { BIGRAM_SPEEDUP, TABLE_5 } = published;

/** γ of the paper's table 2. */
const GAMMAS = [3, 5, 7] as const;
/** γ of the paper's bigram figure, and of its lenience table (English to German, T5-small, temperature 1). */
const NGRAM_GAMMA = BIGRAM_SPEEDUP.gamma;
const LENIENCE_GAMMA = 7;
const TEMPERATURES = [0, 1] as const;

/** One way of decoding all passages. */
interface Way {
  readonly drafter: Drafter | null;
  readonly settings: Settings & { readonly temperature: 0 | 1; readonly gamma?: number };
  /** One for each passage. */
  readonly tallies: Tally[];
}

/** What a way of decoding gave, beside decoding without a draft at the same temperature. */
export interface Figures {
  /** α: mean of Σ min(target, draft) over positions up to each round's first rejection. */
  readonly alpha: number;
  /** A draft step / a target step; null where no model drafts. */
  readonly c: number | null;
  /** A target call of γ + 1 rows / a target step. */
  readonly v: number | null;
  /** The speed-up of theorem 3.8, which takes v for 1; and with v as measured. */
  readonly theory: number | null;
  readonly predicted: number | null;
  /** Time a token without a draft / with it. */
  readonly measured: number;
}

export interface MeasuredPair extends Figures {
  readonly temperature: 0 | 1;
  readonly gamma: number;
}

export interface MeasuredNgram {
  readonly order: 1 | 2;
  readonly gamma: number;
  readonly greedy: Figures;
  readonly sampled: Figures;
}

export interface MeasuredLenience extends Figures {
  readonly lenience: number;
  readonly exact: boolean;
}

export interface PaperMeasurements {
  readonly passages: number;
  /** Tokens of the passages, decoded greedily without a draft. */
  readonly tokens: number;
  readonly pair: readonly MeasuredPair[];
  readonly ngrams: readonly MeasuredNgram[];
  readonly lenience: readonly MeasuredLenience[];
}

export interface MeasureJob {
  readonly parts: LoadedParts;
  readonly encode: (text: string) => Promise<number[]>;
  readonly texts: readonly string[];
  readonly maxNewTokens: number;
  readonly signal: AbortSignal;
  readonly onPassage: (done: number) => void;
}

/** Decodes held-out passages in every way that the tables ask for. All ways decode a passage before the next one is begun. */
export async function measurePaper(job: MeasureJob): Promise<PaperMeasurements> {
  const { parts, signal } = job;
  const pair = await bundledPair();
  const { texts } = job;
  const tables = await ngramTables(pair, job);
  const plain = TEMPERATURES.map((temperature) => wayOf(null, { temperature }));
  const pairs = TEMPERATURES.flatMap((temperature) =>
    GAMMAS.map((gamma) => wayOf(parts.drafter, { temperature, gamma })),
  );
  const ngrams = tables.map((table) =>
    TEMPERATURES.map((temperature) => {
      const drafter = ngramDrafter(parts.target.vocabularySize, { table, online: 0 });
      return wayOf(drafter, { temperature, gamma: NGRAM_GAMMA });
    }),
  );
  const lenient = TABLE_5.map(({ lenience }) =>
    wayOf(parts.drafter, { temperature: 1, gamma: LENIENCE_GAMMA, lenience }),
  );
  const ways = [...plain, ...pairs, ...ngrams.flat(), ...lenient];
  const first = await job.encode(texts[0]);
  for (const way of ways) await decode(way, first, job); // so that the runs that count find compiled code
  for (const [index, text] of texts.entries()) {
    const source = await job.encode(text);
    for (const way of ways) way.tallies.push(await decode(way, source, job));
    job.onPassage(index + 1);
    await yieldToEventLoop(signal);
  }
  const figures = (way: Way) => figuresOf(way, plain[way.settings.temperature]);
  return {
    passages: texts.length,
    tokens: addTallies(plain[0].tallies).newTokens,
    pair: pairs.map((way) => {
      const { temperature, gamma = 0 } = way.settings;
      return { temperature, gamma, ...figures(way) };
    }),
    ngrams: ngrams.map(([greedy, sampled], i) => ({
      order: (i + 1) as 1 | 2,
      gamma: NGRAM_GAMMA,
      greedy: figures(greedy),
      sampled: figures(sampled),
    })),
    lenience: lenient.map((way) => {
      const { lenience = 1 } = way.settings;
      return { lenience, exact: lenience === 1, ...figures(way) };
    }),
  };
}

function wayOf(drafter: Drafter | null, settings: Way['settings']): Way {
  return { drafter, settings, tallies: [] };
}

/** The figures of a way of decoding beside those of decoding without a draft. */
export function figuresOf(
  { tallies, settings }: Pick<Way, 'tallies' | 'settings'>,
  { tallies: plainTallies }: Pick<Way, 'tallies'>,
): Figures {
  const plain = addTallies(plainTallies);
  const { gamma = 0 } = settings;
  const total = metricsOf(addTallies(tallies), { gamma, plain });
  const { acceptanceRate: alpha, costRatio: c, verifyRatio: v, predictedSpeedup: predicted } = total;
  const inTheory = c === null ? null : theory.predictedSpeedup({ alpha, gamma, c });
  return { alpha, c, v, theory: inTheory, predicted, measured: measuredSpeedup(total, plain) };
}

async function decode({ drafter, settings }: Way, source: number[], job: MeasureJob): Promise<Tally> {
  const { parts, maxNewTokens, signal } = job;
  const run = generate({ target: parts.target, drafter, source, settings: { ...settings, maxNewTokens }, signal });
  return (await collect(withEventLoop(run, signal))).metrics;
}

/** Held-out passages at equal distances among all, so that they come from every book. */
export async function passagesOf({ heldOut }: BundledPair, count: number): Promise<string[]> {
  const passages = JSON.parse(await readFile(heldOut, 'utf8')) as { source: string }[];
  if (count > passages.length) {
    throw new CommandError('option-invalid', `--passages: expected at most ${passages.length}, found ${count}`);
  }
  const distance = passages.length / count;
  return Array.from({ length: count }, (_, i) => passages[Math.floor(i * distance)].source);
}

/** A unigram and a bigram table of the text that comes with the pair. */
async function ngramTables({ text }: BundledPair, { parts, signal }: MeasureJob): Promise<NgramTable[]> {
  const { tokenizer, target } = parts;
  if (tokenizer === null) {
    throw new CommandError('tokenizer-invalid', 'paper: expected a tokenizer with the target, found none');
  }
  const tables = [1, 2].map((order) => new NgramTable(order, target.vocabularySize));
  for (const line of (await readFile(text, 'utf8')).split('\n')) {
    await yieldToEventLoop(signal);
    if (line === '') continue;
    const ids = tokenizer.encode(line);
    for (const table of tables) table.learn(ids);
  }
  return tables;
}
