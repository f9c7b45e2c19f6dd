import type { Json } from '../fields';
import { CONFIG_KEYS } from './config-keys';
import { type GenerationStart, reviewGeneration } from './generation';
import { GENERATION_KEYS } from './generation-keys';
import { reviewQuantization } from './quantization-keys';
import { review, type Statement } from './statement';
import { ADDED_TOKEN_KEYS, SPECIAL_TOKEN_KEYS, TOKENIZER_CONFIG_KEYS, TOKENIZER_FILE_KEYS } from './tokenizer-keys';

export { type GenerationStart, type RefusedKey, readGeneration, type StatedSetting } from './generation';
export { GENERATION_KEYS, type GenerationKey, type Way } from './generation-keys';
export type { Outcome, Statement } from './statement';

/** What becomes of each key of config.json that is of the model itself, not of generation. */
export function reviewConfig(file: string, json: Json): Statement[] {
  const ofModel = Object.entries(json).filter(([key]) => Object.hasOwn(CONFIG_KEYS, key) || !isOfGeneration(key));
  return [
    ...review(file, Object.fromEntries(ofModel), CONFIG_KEYS),
    ...reviewQuantization(file, json.quantization_config),
  ];
}

const isOfGeneration = (key: string) => Object.hasOwn(GENERATION_KEYS, key);

/** What becomes of the keys of generation in config.json, and of all keys of generation_config.json where there is one. */
export function reviewStart(config: Json, generation: Json | null, start: GenerationStart): Statement[] {
  if (!generation) return reviewGeneration(config, start);
  const unknown = Object.entries(generation).filter(([key]) => !isOfGeneration(key));
  const note = `${start.file} is there`;
  const fromModel = Object.entries(config)
    .filter(([key]) => isOfGeneration(key) && !Object.hasOwn(CONFIG_KEYS, key) && !/_token_id$/.test(key))
    .map(([key, value]): Statement => ({ file: 'config.json', key, value, outcome: 'no effect', note }));
  return [...fromModel, ...reviewGeneration(generation, start), ...review(start.file, Object.fromEntries(unknown), {})];
}

const TABLES = {
  'tokenizer_config.json': TOKENIZER_CONFIG_KEYS,
  'special_tokens_map.json': SPECIAL_TOKEN_KEYS,
  'tokenizer.json': TOKENIZER_FILE_KEYS,
} as const;

/** Files of a tokenizer whose keys are reviewed. */
export const TOKENIZER_FILES = [...(Object.keys(TABLES) as (keyof typeof TABLES)[]), 'added_tokens.json'] as const;

/** Where added tokens stand in a file, with their flags. */
const ADDED = ['added_tokens', 'added_tokens_decoder'];

/** What becomes of each key of a file of the tokenizer, and of the flags of the tokens that it adds. */
export function reviewTokenizer(file: keyof typeof TABLES | 'added_tokens.json', json: Json): Statement[] {
  if (file === 'added_tokens.json') {
    const value = Object.keys(json).length;
    return [{ file, key: 'tokens', value, outcome: 'followed', note: 'added tokens, where no other file has them' }];
  }
  const flags = ADDED.flatMap((key) => {
    const tokens = Object.values((json[key] as object | null | undefined) ?? {});
    const members = Object.assign({}, ...tokens.filter((token) => typeof token === 'object')) as Json;
    return review(file, members, ADDED_TOKEN_KEYS).map((one) => ({ ...one, key: `${key}[].${one.key}` }));
  });
  return [...review(file, json, TABLES[file]), ...flags];
}
