import { readFile } from 'node:fs/promises';
import { type BundledPair, bundledPair, type LoadedParts, type Tandem } from '../../api';
import { type Drafter, generate, type Metrics, NgramTable, ngramDrafter, type Settings, theory } from '../../decoding';
import { yieldToEventLoop } from '../event-loop';
import { CommandError } from '../failure';
import * as paper from './published';

/** γ of the paper's table 2. */
const GAMMAS = [3, 5, 7] as const;
/** γ of the paper's bigram figure, and of its lenience table (English to German, T5-small, temperature 1). */
const NGRAM_GAMMA = paper.BIGRAM_SPEEDUP.gamma;
const LENIENCE_GAMMA = 7;
const TEMPERATURES = [0, 1] as const;

/** A way of decoding, run over all passages. */
interface Way {
  readonly drafter: Drafter | null;
  readonly settings: Settings;
  readonly total: Total;
}

/** Sums over passages. */
interface Total {
  tokens: number;
  seconds: number;
  targetCalls: number;
  targetSeconds: number;
  draftCalls: number;
  draftSeconds: number;
  /** Σ of min(target, draft) over verified positions, and their number. */
  overlap: number;
  positions: number;
}

export interface MeasuredPair {
  readonly temperature: 0 | 1;
  readonly gamma: number;
  /** Mean of Σ min(target, draft) over positions up to each round's first rejection. */
  readonly alpha: number;
  /** A draft step / a one-row target call. */
  readonly c: number;
  /** A target call of γ + 1 rows / a one-row call. */
  readonly v: number;
  /** Theorem 3.8, which takes v for 1; and with v as measured. */
  readonly theory: number;
  readonly predicted: number;
  /** Time a token of autoregressive decoding / of this. */
  readonly measured: number;
}

export interface MeasuredNgram {
  readonly order: 1 | 2;
  readonly gamma: number;
  readonly alpha: { readonly greedy: number; readonly sampled: number };
  readonly measured: { readonly greedy: number; readonly sampled: number };
}

export interface MeasuredLenience {
  readonly lenience: number;
  readonly exact: boolean;
  readonly alpha: number;
  readonly measured: number;
}

export interface PaperMeasurements {
  readonly passages: number;
  readonly tokens: number;
  readonly pair: readonly MeasuredPair[];
  readonly ngrams: readonly MeasuredNgram[];
  readonly lenience: readonly MeasuredLenience[];
}

export interface MeasureJob {
  readonly passages: number;
  readonly maxNewTokens: number;
  readonly signal: AbortSignal;
  readonly onPassage: (done: number, of: number) => void;
}

/** Decodes held-out passages in every way that the tables ask for; the ways take turns within each passage. */
export async function measurePaper(tandem: Tandem, job: MeasureJob): Promise<PaperMeasurements> {
  const bundled = await bundledPair();
  const sources: number[][] = [];
  for (const text of await passagesOf(bundled, job.passages)) sources.push(await tandem.encode(text));
  const core = tandem.core as LoadedParts; // it was loaded on this thread
  const tables = await ngramTables(bundled, core);
  const { drafter } = core;
  const way = (settings: Settings, one: Drafter | null = drafter): Way => ({ drafter: one, settings, total: zero() });
  const alone = TEMPERATURES.map((temperature) => way({ temperature }, null));
  const pairs = TEMPERATURES.flatMap((temperature) => GAMMAS.map((gamma) => way({ temperature, gamma })));
  const ngrams = tables.map((table) =>
    TEMPERATURES.map((temperature) => {
      const counted = ngramDrafter(tandem.target.vocabularySize, { table, online: 0 });
      return way({ temperature, gamma: NGRAM_GAMMA }, counted);
    }),
  );
  const lenient = paper.TABLE_5.map(({ lenience }) => way({ temperature: 1, gamma: LENIENCE_GAMMA, lenience }));
  const ways = [...alone, ...pairs, ...ngrams.flat(), ...lenient];
  for (const { drafter: one, settings } of ways) await run(core, one, settings, { ...job, source: sources[0] }); // compiles
  for (const [index, source] of sources.entries()) {
    for (const one of ways) add(one.total, await run(core, one.drafter, one.settings, { ...job, source }));
    job.onPassage(index + 1, sources.length);
  }
  const against = ({ total, settings }: Way) => speed(total) / speed(alone[settings.temperature === 1 ? 1 : 0].total);
  return {
    passages: sources.length,
    tokens: alone[0].total.tokens,
    pair: pairs.map((one) => measuredPair(one, alone)),
    ngrams: ngrams.map(([greedy, sampled], i) => ({
      order: (i + 1) as 1 | 2,
      gamma: NGRAM_GAMMA,
      alpha: { greedy: alphaOf(greedy.total), sampled: alphaOf(sampled.total) },
      measured: { greedy: against(greedy), sampled: against(sampled) },
    })),
    lenience: lenient.map((one) => {
      const { lenience = 1 } = one.settings;
      return { lenience, exact: lenience === 1, alpha: alphaOf(one.total), measured: against(one) };
    }),
  };
}

function measuredPair({ settings, total }: Way, alone: readonly Way[]): MeasuredPair {
  const { gamma = 0 } = settings;
  const temperature = settings.temperature === 1 ? 1 : 0;
  const plain = alone[temperature].total;
  const step = plain.targetSeconds / plain.targetCalls;
  const alpha = alphaOf(total);
  const c = total.draftSeconds / Math.max(1, total.draftCalls) / step;
  const v = total.targetSeconds / total.targetCalls / step;
  const shape = { alpha, gamma, c };
  const predicted = { theory: theory.predictedSpeedup(shape), predicted: theory.predictedSpeedup({ ...shape, v }) };
  return { temperature, ...shape, v, ...predicted, measured: speed(total) / speed(plain) };
}

const speed = ({ tokens, seconds }: Total) => tokens / seconds;
const alphaOf = ({ overlap, positions }: Total) => (positions === 0 ? 0 : overlap / positions);

function zero(): Total {
  return {
    tokens: 0,
    seconds: 0,
    targetCalls: 0,
    targetSeconds: 0,
    draftCalls: 0,
    draftSeconds: 0,
    overlap: 0,
    positions: 0,
  };
}

type Run = { readonly metrics: Metrics; readonly corrected: number };

function add(total: Total, { metrics, corrected }: Run): void {
  total.tokens += metrics.newTokens;
  total.seconds += metrics.seconds;
  total.targetCalls += metrics.targetCalls;
  total.targetSeconds += metrics.targetSeconds;
  total.draftCalls += metrics.draftCalls;
  total.draftSeconds += metrics.draftSeconds;
  const positions = metrics.accepted + corrected; // those kept, and the first refused of each round
  total.overlap += metrics.acceptanceRate * positions;
  total.positions += positions;
}

async function run(
  { target }: LoadedParts,
  drafter: Drafter | null,
  settings: Settings,
  { source, maxNewTokens, signal }: { source: number[]; maxNewTokens: number; signal: AbortSignal },
): Promise<Run> {
  const steps = generate({ target, drafter, source, settings: { ...settings, maxNewTokens }, signal });
  let corrected = 0;
  for await (const event of steps) {
    await yieldToEventLoop(signal);
    if (event.kind === 'done') return { metrics: event.result.metrics, corrected };
    if (event.kind === 'token' && event.origin === 'corrected') corrected++;
  }
  throw new Error('paper: expected a result, found none');
}

async function passagesOf({ heldOut }: BundledPair, count: number): Promise<string[]> {
  const passages = JSON.parse(await readFile(heldOut, 'utf8')) as { source: string }[];
  if (count > passages.length) {
    throw new CommandError('option-invalid', `--passages: expected at most ${passages.length}, found ${count}`);
  }
  const stride = passages.length / count; // from every book
  return Array.from({ length: count }, (_, i) => passages[Math.floor(i * stride)].source);
}

/** A unigram and a bigram table of the text that comes with the pair. */
async function ngramTables({ text }: BundledPair, { tokenizer, target }: LoadedParts): Promise<NgramTable[]> {
  if (tokenizer === null)
    throw new CommandError('tokenizer-invalid', 'paper: expected a tokenizer with the target, found none');
  const tables = [1, 2].map((order) => new NgramTable(order, target.vocabularySize));
  for (const line of (await readFile(text, 'utf8')).split('\n')) {
    if (line === '') continue;
    const ids = tokenizer.encode(line);
    for (const table of tables) table.learn(ids);
  }
  return tables;
}
