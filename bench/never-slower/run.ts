/**
 * Measures whether γ 'auto' is ever slower than decoding without a draft: `npm run bench -- never-slower [--drafts
 * pair,self:q8:copy,copy,ngram,random] [--dtypes f32,bf16,q8] [--temperatures 0,1] [--threads 1,2] [--passages 4] [--tokens 48] [--rounds 9]`.
 *
 * In every combination held-out passages are decoded with γ 'auto' and without the draft, in turns. Decoding is timed whole, with
 * opening the draft and without the target's encoder, which is the same in both. Costs are learnt from nothing in each combination,
 * in the first call of each passage, which is not timed: the later ones are what a program finds that has run before. A ratio below 1 is slower than without.
 * Beside it stands where it lies with a probability of 95 %, by the spread of the rounds.
 * `self`, the target's decoder in q8, is left out beside a target in q8.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from 'simple-statistics';
import { type DraftSource, Tandem } from '../../api';
import { table } from '../../cli/table';
import { fits } from '../../cli/tune/candidates';
import type { Dtype } from '../../kernels';
import { heldOut } from '../harness/heldOut';
import { type RatioInterval, ratioInterval } from '../harness/ratioInterval';
import { machineLines } from '../headline/machine';

const TARGET = join(__dirname, '..', '..', 'models', 'modernize-target');
/** A ratio below it counts as slower. */
const BAR = 0.97;

interface Options {
  readonly temperatures: readonly number[];
  readonly passages: number;
  readonly tokens: number;
  readonly rounds: number;
}

/** Runs the bench; returns the number of cases that it measured. */
export async function neverSlowerBench(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      drafts: { type: 'string', default: 'pair,self:q8:copy,copy,ngram,random' },
      dtypes: { type: 'string', default: 'f32,bf16,q8' },
      temperatures: { type: 'string', default: '0,1' },
      threads: { type: 'string', default: '1,2' },
      passages: { type: 'string', default: '4' },
      tokens: { type: 'string', default: '48' },
      rounds: { type: 'string', default: '9' },
    },
  });
  process.env.TANDEM_COSTS = 'off'; // what this machine has learnt before says nothing about a new one
  const options: Options = {
    temperatures: values.temperatures.split(',').map(Number),
    passages: Number(values.passages),
    tokens: Number(values.tokens),
    rounds: Number(values.rounds),
  };
  const found: Case[] = [];
  for (const threads of values.threads.split(',').map(Number)) {
    for (const dtype of values.dtypes.split(',') as Dtype[]) {
      for (const draft of values.drafts.split(',').filter((name) => fits({ name, draft: [name] }, dtype))) {
        const tandem = await Tandem.load(undefined, { dtype, threads, wide: 'auto', draft: sourceOf(draft) });
        try {
          const { backend } = tandem.core ?? {};
          if (found.length === 0 && backend) console.log(machineLines(backend).join('\n'));
          const name = [draft, dtype, `${threads}`];
          for (const temperature of options.temperatures) {
            found.push({ name: [...name, `${temperature}`], ...(await measure(tandem, temperature, options)) });
          }
        } finally {
          await tandem.dispose();
        }
      }
    }
  }
  if (found.length === 0)
    throw new Error(`never-slower: expected a draft that is not the target itself, found ${values.drafts}`);
  console.log(table(HEAD, found.map(lineOf)));
  const worst = found.reduce((least, one) => (one.speedup.ratio < least.speedup.ratio ? one : least));
  const slower = found.filter(({ speedup }) => speedup.ratio < BAR).length;
  const surely = found.filter(({ speedup }) => speedup.high < BAR).length;
  console.log(
    `worst: ${worst.speedup.ratio.toFixed(3)}× (${worst.name.join(', ')}); ${slower} of ${found.length} below ${BAR}, ${surely} with the whole interval`,
  );
  return found.length;
}

/** What decoding with the draft did. Without it the same tokens come out. */
interface Case {
  readonly name: readonly string[];
  readonly tokens: number;
  readonly calls: number;
  readonly proposed: number;
  /** Tokens a second without the draft. */
  readonly plainSpeed: number;
  readonly speedup: RatioInterval;
}

const HEAD = [
  'draft',
  'dtype',
  'threads',
  'T',
  'tokens/s without',
  'with',
  'tokens/call',
  'proposed/call',
  'ratio',
  '95 %',
];

function lineOf({ name, tokens, calls, proposed, speedup, plainSpeed }: Case): string[] {
  const { ratio, low, high } = speedup;
  const speeds = [plainSpeed.toFixed(0), (plainSpeed * ratio).toFixed(0)];
  const figures = [(tokens / calls).toFixed(2), (proposed / calls).toFixed(2), `${ratio.toFixed(3)}×`];
  return [...name, ...speeds, ...figures, `${low.toFixed(3)}–${high.toFixed(3)}`];
}

function sourceOf(draft: string): DraftSource | undefined {
  return draft === 'pair' ? undefined : (draft as DraftSource);
}

/** Each round decodes every passage in both ways; which one begins changes from text to text. */
async function measure(tandem: Tandem, temperature: number, options: Options): Promise<Omit<Case, 'name'>> {
  const { passages, tokens: maxNewTokens, rounds } = options;
  const sources = await heldOut(TARGET, passages);
  const did = { tokens: 0, calls: 0, proposed: 0 };
  const times = sources.map(() => ({ plain: [] as number[], drafted: [] as number[] })); // decoding without the encoder
  for (let round = 0; round <= rounds; round++) {
    for (const [i, source] of sources.entries()) {
      for (const turn of [i + round, i + round + 1]) {
        const speculative = turn % 2 === 1;
        const given = { speculative, gamma: 'auto' as const, temperature, seed: i, maxNewTokens };
        const { ids, metrics } = await tandem.generate(source, given);
        if (round === 0) continue;
        times[i][speculative ? 'drafted' : 'plain'].push(metrics.seconds);
        if (!speculative) continue;
        did.tokens += ids.length;
        did.calls += metrics.targetCalls;
        did.proposed += metrics.proposed;
      }
    }
  }
  const seconds = times.reduce((sum, { plain }) => sum + median(plain), 0);
  return { ...did, plainSpeed: did.tokens / rounds / seconds, speedup: ratioInterval(times) };
}
