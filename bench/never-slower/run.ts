/**
 * Measures whether γ 'auto' is ever slower than decoding without a draft: `npm run bench -- never-slower [--drafts
 * pair,self:q8:copy,copy,ngram,random] [--dtypes f32,bf16,q8] [--temperatures 0,1] [--threads 1,2] [--passages 4] [--tokens 48]
 * [--rounds 9] [--most-rounds 40] [--precision 0.015]`.
 *
 * In every combination held-out passages are decoded with γ 'auto' and without the draft, in turns. Decoding is timed whole, with
 * opening the draft and without the target's encoder, which is the same in both. Costs are learnt from nothing in each combination,
 * in the first call of each passage, which is not timed: the later ones are what a program finds that has run before. A ratio below 1 is slower than without.
 * Beside it stands where it lies with a probability of 95 %, by the spread of the rounds. After the least number of rounds more
 * follow until half the width of that interval is at most --precision, as a share of the ratio, or until --most-rounds are taken. When a cell ends depends on the width
 * alone and never on the ratio.
 * `self`, the target's decoder in q8, is left out beside a target in q8.
 */
import { join } from 'node:path';
import { median } from 'simple-statistics';
import { type DraftSource, Tandem } from '../../api';
import { table } from '../../cli/table';
import { fits } from '../../cli/tune/candidates';
import type { Dtype } from '../../kernels';
import { heldOut } from '../harness/heldOut';
import { ratioInterval } from '../harness/ratioInterval';
import { untilPrecise } from '../harness/untilPrecise';
import { machineLines } from '../headline/machine';
import { type Options, parseOptions } from './options';
import { type Cell, marginOf, progressOf, summaryOf } from './summary';

const TARGET = join(__dirname, '..', '..', 'models', 'modernize-target');

/** Runs the bench; returns the number of cases that it measured. */
export async function neverSlowerBench(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  process.env.TANDEM_COSTS = 'off'; // what this machine has learnt before says nothing about a new one
  const pairs = options.dtypes.reduce((sum, dtype) => sum + draftsBeside(dtype, options).length, 0);
  const all = pairs * options.threads.length * options.temperatures.length;
  const found: Case[] = [];
  for (const threads of options.threads) {
    for (const dtype of options.dtypes) {
      for (const draft of draftsBeside(dtype, options)) {
        const tandem = await Tandem.load(undefined, { dtype, threads, wide: 'auto', draft: sourceOf(draft) });
        try {
          const { backend } = tandem.core ?? {};
          if (found.length === 0 && backend) console.log(machineLines(backend).join('\n'));
          const name = [draft, dtype, `${threads}`];
          for (const temperature of options.temperatures) {
            const one = { name: [...name, `${temperature}`], ...(await measure(tandem, temperature, options)) };
            found.push(one);
            process.stderr.write(`${progressOf(one, { done: found.length, all })}\n`);
          }
        } finally {
          await tandem.dispose();
        }
      }
    }
  }
  if (found.length === 0)
    throw new Error(`never-slower: expected a draft that is not the target itself, found ${options.drafts.join(',')}`);
  console.log(table(HEAD, found.map(lineOf)));
  console.log(summaryOf(found, options.rounds).join('\n'));
  return found.length;
}

/** What decoding with the draft did. Without it the same tokens come out. */
interface Case extends Cell {
  readonly tokens: number;
  readonly calls: number;
  readonly proposed: number;
  /** Tokens a second without the draft. */
  readonly plainSpeed: number;
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
  'rounds',
  'ratio',
  '95 %',
  'half',
];

function lineOf(one: Case): string[] {
  const { name, tokens, calls, proposed, speedup, plainSpeed } = one;
  const { ratio, low, high } = speedup.interval;
  const speeds = [plainSpeed.toFixed(0), (plainSpeed * ratio).toFixed(0)];
  const figures = [(tokens / calls).toFixed(2), (proposed / calls).toFixed(2), `${speedup.rounds}`];
  return [
    ...name,
    ...speeds,
    ...figures,
    `${ratio.toFixed(3)}×`,
    `${low.toFixed(3)}–${high.toFixed(3)}`,
    marginOf(one),
  ];
}

/** A draft of the target's own type would be the target itself. */
function draftsBeside(dtype: Dtype, { drafts }: Options): string[] {
  return drafts.filter((name) => fits({ name, draft: [name] }, dtype));
}

function sourceOf(draft: string): DraftSource | undefined {
  return draft === 'pair' ? undefined : (draft as DraftSource);
}

/** Each round decodes every passage in both ways; which one begins changes from text to text and from round to round. */
async function measure(tandem: Tandem, temperature: number, options: Options): Promise<Omit<Case, 'name'>> {
  const { passages, tokens: maxNewTokens } = options;
  const sources = await heldOut(TARGET, passages);
  const did = { tokens: 0, calls: 0, proposed: 0 };
  const times = sources.map(() => ({ plain: [] as number[], drafted: [] as number[] })); // decoding without the encoder
  let round = 0;
  const takeRound = async () => {
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
    round++;
  };
  await takeRound(); // learns costs, and is not timed
  const speedup = await untilPrecise(options.rounds, takeRound, () => ratioInterval(times));
  const seconds = times.reduce((sum, { plain }) => sum + median(plain), 0);
  return { ...did, plainSpeed: did.tokens / speedup.rounds / seconds, speedup };
}
