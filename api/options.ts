import {
  abortSignal,
  anyOf,
  callable,
  checkOptions,
  flagged,
  invalid,
  listOf,
  nothing,
  type OptionEntry,
  type OptionTable,
  objectWith,
  oneOf,
  text,
  whole,
} from '../common';
import { BEAM_ONLY, BEAM_SETTINGS, CONCURRENCY, checkAuto, NOT_FOLLOWED, SETTINGS, TRUNCATIONS } from '../decoding';
import { WEIGHT_TYPES } from '../kernels';
import { draftPlans, draftRule } from './drafts/names';
import { DECODE_OPTIONS, ENCODE_OPTIONS } from './text-options';
import type { CompareOptions, GenerateOptions, LoadOptions, MeasureCostsOptions } from './types';

const address = {
  expected: 'an address',
  holds: (value: unknown) => value instanceof URL || text(1).holds(value),
};

/** Every option of `Tandem.load`: what it accepts, what it means, and its flag on the command line. */
export const LOAD_OPTIONS: OptionTable<keyof LoadOptions> = {
  draft: {
    ...draftRule,
    about:
      'what proposes tokens: a model, self (the target’s decoder in q8; self:q4 in 4 bits; self:q8:DRAFT with a draft of its own), layers:N (its first), copy (from the source), ngram or ngram:FILE, random; ' +
      'several with commas are tried in turn; none decodes autoregressively (default: self beside --model where its weights are float32 on wasm, else none)',
    flag: '-d, --draft <names>',
  },
  dtype: {
    ...oneOf(...WEIGHT_TYPES),
    about:
      'type of weights in memory: f32, bf16, q8, or q4, which is for drafts (default: as stored; float32 that fits in bf16 is kept in it, with the same results)',
    flag: '--dtype <type>',
  },
  backend: {
    ...oneOf('auto', 'wasm', 'cpu', 'gpu', 'reference'),
    about: 'what computes: auto, wasm, cpu, gpu or reference (default: auto, the fastest that works)',
    flag: '-b, --backend <name>',
  },
  threads: {
    ...whole(1, 64),
    about: 'threads that compute (default: the cores that are free, at most 8)',
    flag: '--threads <n>',
  },
  level: {
    ...text(1),
    about: 'feature level of the backend to stay at, such as simd (default: the best)',
    flag: '--level <name>',
  },
  wide: {
    ...anyOf(flagged, oneOf('auto')),
    about:
      'true computes in 256 bits, with the same results, where V8 can, and refuses elsewhere; auto does not refuse (default: false, in the command auto)',
    flag: '--wide <when>',
  },
  prefix: {
    ...text(),
    about: 'text before every input (default: the bundled pair’s own, else none)',
    flag: '--prefix <text>',
  },
  revision: {
    ...text(1),
    about: 'branch, tag or commit of the target on the hub (default: main)',
    flag: '--revision <name>',
  },
  cacheDir: {
    ...text(1),
    about: 'directory of downloaded models (default: as Hugging Face’s tools)',
    flag: '--cache-dir <path>',
  },
  token: { ...anyOf(text(), nothing), about: 'access token of the hub; null sends none (default: HF_TOKEN)' },
  endpoint: { ...text(1), about: 'address of the hub (default: HF_ENDPOINT)' },
  offline: { ...flagged, about: 'take models on the hub from the cache alone', flag: '--offline' },
  timeoutMs: { ...whole(1, 2 ** 31 - 1), about: 'longest silence of a connection, in milliseconds (default: 30000)' },
  bundledUrl: { ...address, about: 'address of the bundled pair, for pages' },
  generationConfig: {
    ...flagged,
    about:
      'false leaves out what generation_config.json of the target states: generation starts from nothing (default: true)',
    flag: '--generation-config <follow>',
  },
  continuousBatching: {
    ...CONCURRENCY,
    flag: undefined,
    about: 'decode the sequences of all calls that are under way in one batch of at most so many (default: none)',
  },
  worker: { ...flagged, about: 'run the engine in a worker of its own (default: false)' },
  signal: { ...abortSignal, about: 'cancels loading' },
  onProgress: { ...callable, about: 'called while files are downloaded and weights are read' },
  onNotice: {
    ...callable,
    about: 'hears of retries, of a cache in place of the hub, and of sources that are too long',
  },
};

const truncate: OptionEntry = {
  ...anyOf(flagged, whole(1)),
  about:
    'cut a longer source to so many ids, or without a number to what the model was made for; EOS stays (default: false)',
  flag: '--truncate [n]',
};

/** Every option of `Tandem.generate` and `Tandem.stream`. */
export const GENERATE_OPTIONS: OptionTable<keyof GenerateOptions> = {
  ...SETTINGS,
  ...BEAM_ONLY,
  numBeams: {
    ...BEAM_ONLY.numBeams,
    about: 'hypotheses of a beam search (default: 1, no search); a draft that is a model saves target calls',
  },
  numReturnSequences: {
    ...BEAM_ONLY.numReturnSequences,
    about: 'sequences of each input: samples, or the best of a beam search (default: 1)',
  },
  stop: {
    ...listOf(text(1), 'a list of strings, none of them empty'),
    parse: undefined, // a string may hold commas: the command gives the flag several times
    about: 'end before this text; may be given again',
    flag: '--stop <text>',
  },
  ...ENCODE_OPTIONS,
  ...DECODE_OPTIONS,
  speculative: { ...flagged, about: 'false leaves the draft out (default: true)' },
  concurrency: CONCURRENCY,
  truncate,
  signal: { ...abortSignal, about: 'cancels the call' },
  onEncoding: { ...callable, about: 'called while sources are encoded' },
  trace: { ...objectWith('a TraceRecorder', 'begin', 'round', 'finish'), about: 'records every round as data' },
};

/** Every option of `Tandem.measureCosts`. */
export const MEASURE_OPTIONS: OptionTable<keyof MeasureCostsOptions> = {
  rows: { ...whole(1, 64), about: 'rows of the largest target call that is measured (default: 8)' },
  repeats: { ...whole(1, 1000), about: 'how often each call is measured; the fastest counts (default: 3)' },
  truncate,
  signal: { ...abortSignal, about: 'cancels measuring' },
};

const NOT_COMPARED = [
  'numBeams',
  'numReturnSequences',
  'lengthPenalty',
  'earlyStopping',
  'speculative',
  'concurrency',
  'trace',
  'onEncoding',
] as const;

/** Every option of `Tandem.compare`. */
export const COMPARE_OPTIONS: OptionTable<keyof CompareOptions> = without(GENERATE_OPTIONS, NOT_COMPARED);

function without<Names extends string, Left extends Names>(
  table: OptionTable<Names>,
  names: readonly Left[],
): OptionTable<Exclude<Names, Left>> {
  const entries = Object.entries(table).filter(([name]) => !names.includes(name as Left));
  return Object.fromEntries(entries) as OptionTable<Exclude<Names, Left>>;
}

/** @throws TandemError `option-invalid` */
export function checkLoad(options: LoadOptions): void {
  if (options?.draft !== undefined) draftPlans(options.draft); // says which name of a draft is wrong, and why
  checkOptions(options, LOAD_OPTIONS, 'load');
}

/** @throws TandemError `option-invalid` */
export function checkMeasure(options: MeasureCostsOptions): void {
  checkOptions(options, MEASURE_OPTIONS, 'measureCosts');
}

/** @throws TandemError `option-invalid` */
export function checkCompare(options: CompareOptions): void {
  checkOptions(options, COMPARE_OPTIONS, 'compare', NOT_FOLLOWED);
  checkTemperature(options);
}

/**
 * Refuses unknown options, wrong types, and options that cannot be done together.
 *
 * @param sequences inputs of the call
 * @throws TandemError `option-invalid`
 */
export function checkGenerate(options: GenerateOptions, where: string, inputs: number): void {
  checkOptions(options, GENERATE_OPTIONS, where, NOT_FOLLOWED);
  checkTemperature(options);
  if (isBeamSearch(options)) checkBeams(options);
  else {
    checkAuto(options);
    checkSamples(options, inputs);
  }
}

/**
 * Refuses what no checkpoint can make good: unknown options, wrong types, and options that contradict each other whatever the
 * checkpoint states of those that were left out.
 *
 * @throws TandemError `option-invalid`
 */
export function checkGiven(options: GenerateOptions, where: string): void {
  checkOptions(options, GENERATE_OPTIONS, where, NOT_FOLLOWED);
  const { numBeams, temperature } = options;
  if (isBeamSearch(options)) checkBeams(options);
  else if (temperature !== undefined) {
    checkTemperature(options);
    if (numBeams !== undefined) checkSamples(options, 1);
  }
}

/** Whether options ask for a beam search. One beam is no search, as in Hugging Face's `generate`. */
export function isBeamSearch({ numBeams = 1 }: GenerateOptions): boolean {
  return numBeams > 1;
}

/** Greedy decoding takes the most probable token; rules of sampling would have no effect. */
function checkTemperature(options: GenerateOptions): void {
  if ((options.temperature ?? 0) > 0) return;
  for (const name of TRUNCATIONS) {
    if (options[name] !== undefined) {
      throw invalid(name, 'a temperature above 0 beside it, or none at temperature 0, which is greedy', options[name]);
    }
  }
}

/** What a beam search takes beside its own settings and the processors. A seed and a name have no effect and no harm. */
const WITH_BEAMS = [
  ...Object.keys(BEAM_SETTINGS),
  'gamma',
  'seed',
  'sequence',
  'speculative',
  'concurrency',
  'truncate',
  'signal',
  'onEncoding',
  ...Object.keys(ENCODE_OPTIONS),
  ...Object.keys(DECODE_OPTIONS),
];

function checkBeams(options: GenerateOptions): void {
  const { numBeams = 1, numReturnSequences = 1, temperature = 0 } = options;
  if (temperature > 0)
    throw invalid(
      'temperature',
      'none or 0 with numBeams: a beam search does not sample, and beam sampling is not here',
      temperature,
    );
  if (options.gamma === 'auto') {
    throw invalid('gamma', 'a number with numBeams: a beam search does not adapt γ', options.gamma);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || name === 'temperature' || WITH_BEAMS.includes(name)) continue;
    throw invalid(name, 'none with numBeams: a beam search does not have it', value);
  }
  if (numReturnSequences > numBeams) {
    throw invalid('numReturnSequences', `at most numBeams, which is ${numBeams}`, numReturnSequences);
  }
}

function checkSamples(options: GenerateOptions, inputs: number): void {
  const { numReturnSequences = 1, temperature = 0, trace } = options;
  for (const name of ['lengthPenalty', 'earlyStopping'] as const) {
    if (options[name] !== undefined) throw invalid(name, 'numBeams of 2 or more beside it', options[name]);
  }
  if (numReturnSequences > 1 && temperature === 0) {
    throw invalid(
      'numReturnSequences',
      '1 at temperature 0 without beams, where all would be equal',
      numReturnSequences,
    );
  }
  if (trace !== undefined && inputs * numReturnSequences > 1) {
    throw invalid('trace', 'one input and one sequence beside it: a recorder serves one sequence', trace);
  }
}
