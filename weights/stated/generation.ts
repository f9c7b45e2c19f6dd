import { quotedJson } from '../../common';
import type { Json } from '../fields';
import { GENERATION_KEYS, type GenerationKey, type Way } from './generation-keys';
import { isNothing, type Statement } from './statement';

/** The value that a checkpoint states for a setting. Its type is the file's: who takes it checks it. */
export interface StatedSetting {
  /** The file's own name of it. */
  readonly key: string;
  readonly value: unknown;
  /** The only way of decoding in which it has an effect. */
  readonly way?: Way;
}

/** A key that asks for what Tandem does not do. */
export interface RefusedKey {
  readonly key: string;
  readonly value: unknown;
  readonly why: string;
  /** The only way of decoding that it concerns. */
  readonly way?: Way;
}

/** What a checkpoint states of generation: where it starts from, as in Hugging Face's `generate`. It is data alone. */
export interface GenerationStart {
  /** The file that states it: `generation_config.json`, or in old checkpoints `config.json`. */
  readonly file: string;
  /** By the names of Tandem's settings. */
  readonly settings: Readonly<Record<string, StatedSetting>>;
  /** Whether to sample where the caller names no temperature. */
  readonly doSample: boolean;
  readonly refused: readonly RefusedKey[];
  /** Start and ends of a sequence as config.json alone states them. */
  readonly plain: { readonly startToken: number; readonly eosTokens: readonly number[] };
}

/** Hugging Face's `top_k` of a sampled text where nothing else is stated. */
const DEFAULT_TOP_K = 50;

/** Reads the keys of generation of a file. Unknown keys have no effect. */
export function readGeneration(json: Json, file: string, plain: GenerationStart['plain']): GenerationStart {
  const settings: Record<string, StatedSetting> = {};
  const refused: RefusedKey[] = [];
  const doSample = json.do_sample === true;
  for (const [key, rule] of Object.entries(GENERATION_KEYS)) {
    const value = json[key] ?? null;
    if (value === null) continue;
    if ('refused' in rule) {
      if (!isOff(rule, value)) refused.push({ key, value, why: rule.refused, way: rule.way });
    } else if (key === 'num_beams') {
      settings.numBeams = { key, value };
    } else if ('setting' in rule && !Object.hasOwn(settings, rule.setting) && !rule.off?.(value)) {
      settings[rule.setting] = { key, value: rule.convert ? rule.convert(value) : value, way: rule.way };
    }
  }
  if (doSample && (json.top_k ?? null) === null) {
    settings.topK = { key: 'top_k (not stated)', value: DEFAULT_TOP_K, way: 'sampling' };
  }
  return { file, settings, doSample, refused, plain };
}

function isOff(rule: Extract<GenerationKey, { refused: string }>, value: unknown): boolean {
  return rule.off?.(value) ?? isNothing(value);
}

/** What becomes of each key of generation that a file has, should the caller say nothing. */
export function reviewGeneration(json: Json, start: GenerationStart): Statement[] {
  const { file, settings, doSample } = start;
  const searches = typeof json.num_beams === 'number' && json.num_beams > 1;
  const way: Way = searches ? 'beams' : doSample ? 'sampling' : 'greedy';
  const taken = new Set(Object.values(settings).map(({ key }) => key));
  return Object.entries(json)
    .filter(([key]) => Object.hasOwn(GENERATION_KEYS, key))
    .map(([key, value]) => ({
      file,
      key,
      value,
      ...outcome(GENERATION_KEYS[key], { key, value, way, taken, doSample }),
    }));
}

interface Found {
  readonly key: string;
  readonly value: unknown;
  readonly way: Way;
  /** Keys that a setting starts from. */
  readonly taken: ReadonlySet<string>;
  readonly doSample: boolean;
}

const WITHOUT: Readonly<Record<Way, string>> = {
  beams: 'num_beams is not above 1: it applies when beams are asked for',
  sampling: 'do_sample is not true: it applies when a temperature above 0 is asked for',
  greedy: 'only greedy decoding has it',
};

function outcome(rule: GenerationKey, found: Found): Pick<Statement, 'outcome' | 'note'> {
  const { key, value, way, taken, doSample } = found;
  const none = (note: string) => ({ outcome: 'no effect', note }) as const;
  const followed = (note: string) => ({ outcome: 'followed', note }) as const;
  if ('irrelevant' in rule) return none(rule.irrelevant);
  if (value === null) return none('null is as if it were not there');
  if ('model' in rule) return followed(rule.model);
  if (key === 'do_sample' && doSample && way === 'beams') {
    return { outcome: 'refused', note: 'a beam search does not sample' };
  }
  if ('chooses' in rule) return followed(rule.chooses);
  if ('refused' in rule) {
    if (isOff(rule, value)) return none('this value asks for nothing');
    return rule.way !== undefined && rule.way !== way
      ? none(WITHOUT[rule.way])
      : { outcome: 'refused', note: rule.refused };
  }
  if (rule.off?.(value)) return none('this value asks for nothing');
  if (!taken.has(key)) return none('the key that counts new tokens alone wins');
  return rule.way !== undefined && rule.way !== way
    ? none(WITHOUT[rule.way])
    : followed(`as ${rule.setting}${rule.convert ? ` ${quotedJson(rule.convert(value))}` : ''}`);
}
