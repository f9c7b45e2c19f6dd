import type { GenerateOptions } from '../api';
import { nearest, quoted, TandemError } from '../common';
import { GENERATION_KEYS, readGeneration, type Way } from '../weights';
import type { JsonObject } from './files';

/** transformers.js counts the start token, and stops here where nothing says a length. */
const DEFAULT_MAX_LENGTH = 20;

/** Keys that ask Hugging Face's `generate` for other outputs than ids. */
const OUTPUTS = ['output_attentions', 'output_hidden_states', 'output_logits', 'output_scores'];

/** Settings of Tandem itself that a program may give beside those of transformers.js. */
const OWN = [
  'gamma',
  'costs',
  'branching',
  'verification',
  'seed',
  'speculative',
  'signal',
] as const satisfies readonly (keyof OwnSettings)[];

/** Settings that have Tandem's own names. */
export type OwnSettings = Pick<
  GenerateOptions,
  'gamma' | 'costs' | 'branching' | 'verification' | 'seed' | 'speculative' | 'signal'
>;

/** Parameters of `generate`, by the names of Hugging Face: `max_new_tokens`, `num_beams`, `do_sample`, … and settings of Tandem. */
export type GenerationParameters = OwnSettings & { readonly [name: string]: unknown };

/**
 * The options of Tandem that parameters of Hugging Face's `generate` mean. What the caller says wins over what the checkpoint
 * states, key by key, before anything is made of them: so `top_k: 0` takes back a `top_k` that the checkpoint states.
 *
 * @param stated generation_config.json, or in old checkpoints config.json
 * @throws TandemError `option-invalid` for unknown parameters, for what Tandem does not do, and for values it does not take
 */
export function generateOptions(stated: JsonObject, given: GenerationParameters): GenerateOptions {
  const own: Record<string, unknown> = {};
  const named: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if ((OWN as readonly string[]).includes(key)) own[key] = value;
    else if (Object.hasOwn(GENERATION_KEYS, key)) named[key] = value;
    else throw unknown(key);
  }
  for (const [key, value] of Object.entries(named)) {
    if (OUTPUTS.includes(key) && value) throw refused(key, value, 'generate gives ids alone');
    if ('model' in GENERATION_KEYS[key] && value !== null) throw refused(key, value, 'the checkpoint alone says it');
  }
  const json = withLength({ ...stated, ...named }, stated, named);
  const { settings, doSample, refused: refusals } = readGeneration(json, 'generate', { startToken: 0, eosTokens: [] });
  const way = wayOf(settings.numBeams?.value, doSample);
  for (const { key, value, why, way: only } of refusals)
    if (only === undefined || only === way) throw refused(key, value, why);
  const options: Record<string, unknown> = way === 'sampling' ? { temperature: 1 } : {};
  for (const [name, { key, value, way: only }] of Object.entries(settings)) {
    if (only === undefined || only === way) options[name] = value;
    else if (Object.hasOwn(named, key)) throw refused(key, named[key], WITHOUT[only]);
  }
  if (way !== 'beams') delete options.numBeams; // one beam is no search
  return { ...options, ...own };
}

const WITHOUT: Readonly<Record<Way, string>> = {
  beams: 'it has an effect with num_beams of 2 and more',
  sampling: 'it has an effect with do_sample: true',
  greedy: 'it has an effect without do_sample and num_beams',
};

/** A length that the caller gives takes the place of every stated one; new tokens count before the whole length, as there. */
function withLength(json: JsonObject, stated: JsonObject, named: JsonObject): JsonObject {
  if (typeof named.max_new_tokens === 'number') return { ...json, max_length: null };
  if (typeof named.max_length === 'number') return { ...json, max_new_tokens: null };
  const isStated = [stated.max_new_tokens, stated.max_length].some((length) => typeof length === 'number');
  return isStated ? json : { ...json, max_length: DEFAULT_MAX_LENGTH };
}

function wayOf(beams: unknown, doSample: boolean): Way {
  if (typeof beams === 'number' && beams > 1) {
    if (doSample) throw refused('do_sample', true, 'a beam search does not sample');
    return 'beams';
  }
  return doSample ? 'sampling' : 'greedy';
}

function refused(key: string, value: unknown, why: string): TandemError {
  return new TandemError('option-invalid', `${key}: ${quoted(value)} is refused: ${why}`);
}

function unknown(key: string): TandemError {
  const meant = nearest(key, [...Object.keys(GENERATION_KEYS), ...OWN]);
  const hint = meant === null ? '' : `; is it ${meant}?`;
  return new TandemError(
    'option-invalid',
    `generate: expected parameters of Hugging Face's generate, found ${quoted(key)}${hint}`,
  );
}
