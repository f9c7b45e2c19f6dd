import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATE_OPTIONS } from '../../../api';
import { ACTIVATIONS, OTHER_ACTIVATIONS } from '../../../weights/activations';
import { CONFIG_KEYS } from '../../../weights/stated/config-keys';
import { GENERATION_KEYS } from '../../../weights/stated/generation-keys';
import { OTHER_METHODS, QUANTIZATION_KEYS } from '../../../weights/stated/quantization-keys';
import {
  ADDED_TOKEN_KEYS,
  SPECIAL_TOKEN_KEYS,
  TOKENIZER_CONFIG_KEYS,
  TOKENIZER_FILE_KEYS,
} from '../../../weights/stated/tokenizer-keys';

/** Lists that `scripts/goldens/keys.py` made from the sources of two versions of transformers. */
const FOLDER = join(__dirname, '..', '..', 'data', 'keys');
const LISTS = readdirSync(FOLDER)
  .sort()
  .map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Record<string, string[]>);

const TABLES: readonly [list: string, table: object][] = [
  ['config.json', { ...CONFIG_KEYS, ...GENERATION_KEYS }],
  ['generation_config.json', GENERATION_KEYS],
  ['tokenizer_config.json', TOKENIZER_CONFIG_KEYS],
  ['special_tokens_map.json', SPECIAL_TOKEN_KEYS],
  ['tokenizer.json', TOKENIZER_FILE_KEYS],
  ['added token', ADDED_TOKEN_KEYS],
  ['quantization_config', QUANTIZATION_KEYS],
  ['quantization methods', Object.fromEntries(['bitsandbytes', ...OTHER_METHODS].map((name) => [name, true]))],
  ['activations', { ...ACTIVATIONS, ...Object.fromEntries(OTHER_ACTIVATIONS.map((name) => [name, true])) }],
];

describe.each(LISTS)('every key that transformers $transformers knows', (known) => {
  it.each(TABLES)('of %s has a row in the tables', (list, table) => {
    expect(known[list].length).toBeGreaterThan(5);
    expect(known[list].filter((key) => !Object.hasOwn(table, key))).toEqual([]);
  });
});

it('the lists are of transformers 4 and of transformers 5', () => {
  expect(LISTS.map(({ transformers }) => String(transformers).split('.')[0])).toEqual(['4', '5']);
});

it('no key of the model is a key of generation too, so that each has one treatment', () => {
  const both = Object.keys(CONFIG_KEYS).filter((key) => Object.hasOwn(GENERATION_KEYS, key));
  expect(both).toEqual(['transformers_version', '_commit_hash']);
});

it('a setting that starts from a key of generation is an option, and has the name of the key', () => {
  const others = { max_length: 'maxNewTokens', min_length: 'minNewTokens', stop_strings: 'stop' };
  const nameOf = (key: string) => key.replace(/_ids?$/, '').replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
  const settings = Object.entries(GENERATION_KEYS).flatMap(([key, rule]) =>
    'setting' in rule ? [[key, rule.setting]] : [],
  );
  expect(settings).toEqual(settings.map(([key]) => [key, others[key as keyof typeof others] ?? nameOf(key)]));
  expect(settings.filter(([, setting]) => !Object.hasOwn(GENERATE_OPTIONS, setting))).toEqual([]);
  expect(settings.length).toBeGreaterThan(20);
});
