import type { GenerateOptions, LoadedParts, Tandem } from '../../api';
import { addTallies, collect, generate, type Metrics, metricsOf } from '../../decoding';
import { yieldToEventLoop } from '../event-loop';
import { CommandError } from '../failure';
import { type Agreement, AgreementMeter } from './agreement';
import { type Bleu, bleu } from './bleu';
import { chrf } from './chrf';
import type { Pair } from './pairs';

/** How near texts are to their references. */
export interface Quality {
  readonly bleu: Bleu;
  readonly chrf: number;
}

/** How probable the target holds the references to be, their EOS included. */
export interface Loss {
  readonly tokens: number;
  /** Mean of −log p over tokens, natural logarithm. */
  readonly perToken: number;
}

export interface Speed {
  readonly tokens: number;
  /** Wall-clock time of decoding. */
  readonly seconds: number;
  readonly metrics: Metrics;
}

export interface Evaluation {
  readonly pairs: number;
  readonly texts: readonly string[];
  readonly quality: Quality;
  /** The sources in place of texts: what a model that changes nothing gets. */
  readonly copying: Quality;
  /** The draft decoding alone, greedily; null where no model drafts. */
  readonly draftAlone: Quality | null;
  readonly loss: Loss;
  readonly agreement: Agreement | null;
  readonly speed: Speed;
}

export interface EvaluateJob {
  readonly tandem: Tandem;
  readonly pairs: readonly Pair[];
  readonly options: GenerateOptions;
  readonly signal: AbortSignal;
  readonly onPair: (done: number) => void;
}

/** Inputs that are decoded by one call, so that progress is shown and a signal is heard between them. */
const GROUP = 16;

/** Decodes every source, and measures the texts, the references' loss and how far the draft agrees. */
export async function evaluate(job: EvaluateJob): Promise<Evaluation> {
  const { tandem, pairs, options, signal, onPair } = job;
  const parts = tandem.core;
  if (parts === null) throw new CommandError('unavailable', 'eval: expected the models on this thread, found none');
  const meter = parts.drafts.length > 0 ? new AgreementMeter(parts.target, parts.drafts[0]) : null;
  const tallies: Metrics[] = [];
  const texts: string[] = [];
  const drafted: string[] = [];
  let [seconds, lossSum, lossTokens] = [0, 0, 0];
  for (let first = 0; first < pairs.length; first += GROUP) {
    const group = pairs.slice(first, first + GROUP);
    const started = performance.now();
    const results = await tandem.generate(
      group.map(({ source }) => source),
      { ...options, signal },
    );
    seconds += (performance.now() - started) / 1000;
    for (const [i, result] of results.entries()) {
      if ('error' in result) throw result.error;
      texts.push(result.text);
      tallies.push(result.metrics);
      const source = await tandem.encode(group[i].source);
      const [score] = await tandem.score(group[i].source, [group[i].reference], { signal });
      lossSum -= score.logProb;
      lossTokens += score.ids.length;
      if (meter !== null) {
        await meter.add(source, result.ids, signal);
        drafted.push(await draftText(parts, source, options, signal));
      }
      await yieldToEventLoop(signal);
    }
    onPair(Math.min(pairs.length, first + GROUP));
  }
  const references = pairs.map(({ reference }) => reference);
  const qualityOf = (found: readonly string[]) => ({ bleu: bleu(found, references), chrf: chrf(found, references) });
  const metrics = metricsOf(addTallies(tallies));
  return {
    pairs: pairs.length,
    texts,
    quality: qualityOf(texts),
    copying: qualityOf(pairs.map(({ source }) => source)),
    draftAlone: meter === null ? null : qualityOf(drafted),
    loss: { tokens: lossTokens, perToken: lossSum / lossTokens },
    agreement: meter?.finish() ?? null,
    speed: { tokens: metrics.newTokens, seconds, metrics },
  };
}

async function draftText(
  { drafts, tokenizer }: LoadedParts,
  source: number[],
  { maxNewTokens }: GenerateOptions,
  signal: AbortSignal,
): Promise<string> {
  const { ids } = await collect(generate({ target: drafts[0], source, settings: { maxNewTokens }, signal }));
  return tokenizer?.decode(ids) ?? '';
}
