import { sourceLength } from '../../weights/source-length';

const lengthOf = (files: Readonly<Record<string, string>>) => sourceLength(async (file) => files[file] ?? null);

test.each<[string, Record<string, string>, number | null]>([
  ['nothing is said', {}, null],
  ['the config says it', { 'config.json': '{"n_positions": 512}' }, 512],
  ['the tokenizer says it', { 'tokenizer_config.json': '{"model_max_length": 1024}' }, 1024],
  [
    'both say it: the least counts',
    { 'config.json': '{"n_positions": 512}', 'tokenizer_config.json': '{"model_max_length": 64}' },
    64,
  ],
  [
    'Hugging Face’s number for none is none',
    {
      'config.json': '{"n_positions": null}',
      'tokenizer_config.json': '{"model_max_length": 1000000000000000019884624838656}',
    },
    null,
  ],
  [
    'other values are none',
    { 'config.json': '{"n_positions": "512"}', 'tokenizer_config.json': '{"model_max_length": 0}' },
    null,
  ],
  [
    'a file that is broken is the business of others',
    { 'config.json': '{"n_positions": 7}', 'tokenizer_config.json': '{' },
    7,
  ],
])('the longest source where %s', async (_, files, expected) => {
  expect(await lengthOf(files)).toBe(expected);
});
