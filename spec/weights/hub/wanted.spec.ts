import fc from 'fast-check';
import { checkNames } from '../../../weights/hub/names';
import { isOfWeights, isOtherWeights, isWanted, isWeights, withoutSecondCopy } from '../../../weights/hub/wanted';

/** The copies of the weights that a repository may have, the best first, and the names of each. */
const COPIES: readonly (readonly string[])[] = [
  ['model.safetensors'],
  ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', 'model.safetensors.index.json'],
  ['pytorch_model.bin'],
  ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin', 'pytorch_model.bin.index.json'],
];
const SETTINGS = [
  ...['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'],
  ...['added_tokens.json', 'spiece.model', 'vocab.json', 'merges.txt', 'modules.json', 'sentence_bert_config.json'],
];
const STEPS = ['Pooling', 'Dense', 'Normalize'].flatMap((step) =>
  ['config.json', 'model.safetensors', 'pytorch_model.bin'].flatMap((name) => [
    `1_${step}/${name}`,
    `23_${step}/${name}`,
  ]),
);
const OTHERS = ['tf_model.h5', 'flax_model.msgpack', 'model.ckpt', 'model.onnx'];
const isShard = (name: string) => /-of-\d+\.safetensors$/.test(name);

describe('a file of a repository', () => {
  it.each([...COPIES.flat(), ...SETTINGS, ...STEPS])(
    '%s is wanted, and nothing whose name is only nearly that',
    (name) => {
      expect(isWanted(name)).toBe(true);
      const other = [`${name}x`, `${name}/x`, `x/${name}`, name.replace('.', ''), name.toUpperCase()];
      if (!isShard(name)) other.push(`x${name}`, `.${name}`, `-${name}`); // shards may have any name
      expect(other.filter(isWanted)).toEqual([]);
    },
  );

  it.each([
    ...[
      'model.fp16-00001-of-00002.safetensors',
      '-00001-of-00002.safetensors',
      '.a-1-of-2.safetensors',
      'a-1-of-2.bin',
    ],
    ...['a-of-2.safetensors', 'a-1-of-.safetensors', 'a-x-of-2.safetensors', 'a-1-of-2x.safetensors', 'README.md'],
    ...['Pooling/config.json', 'x1_Pooling/config.json', '1_Other/config.json', '1_Pooling/x/config.json'],
    ...['pytorch_model-1-of-.bin', 'pytorch_model--of-2.bin', 'pytorch_model.bin.json', ...OTHERS],
  ])('%s stays on the hub', (name) => {
    expect(isWanted(name)).toBe(false);
  });

  it('is of the weights, is weights, or is other weights, by its name alone', () => {
    for (const name of COPIES.flat()) {
      expect([name, isOfWeights(name), isWeights(name)]).toEqual([name, true, !name.endsWith('.json')]);
      expect([name, isOfWeights(`x/${name}`), isOfWeights(`${name}x`)]).toEqual([name, false, false]);
      if (!isShard(name) && !/-of-/.test(name)) expect([name, isOfWeights(`x${name}`)]).toEqual([name, false]);
    }
    for (const name of SETTINGS)
      expect([name, isOfWeights(name), isWeights(name), isOtherWeights(name)]).toEqual([name, false, false, false]);
    for (const name of OTHERS) {
      expect([name, isOtherWeights(name), isOtherWeights(`x/${name}`), isOtherWeights(`${name}x`)]).toEqual([
        name,
        true,
        false,
        false,
      ]);
      expect([name, isOfWeights(name)]).toEqual([name, false]);
    }
  });

  it('of a second copy of the weights is left out; the index alone is no copy, and what is in folders stays', () => {
    const files = [...COPIES.flat(), 'config.json', '1_Dense/model.safetensors', '1_Dense/pytorch_model.bin'];
    fc.assert(
      fc.property(fc.subarray(files), (names) => {
        const best = COPIES.find((copy) => copy.some((name) => !name.endsWith('.json') && names.includes(name))) ?? [];
        const kept = names.filter((name) => !COPIES.flat().includes(name) || best.includes(name));
        expect(withoutSecondCopy(names.map((path) => ({ path }))).map(({ path }) => path)).toEqual(kept);
      }),
    );
  });
});

describe('the name of a repository and of a revision', () => {
  const failure = (id: string, revision: string) => {
    try {
      checkNames(id, revision);
      return null;
    } catch (error) {
      return (error as Error).message.replace(/^.*: expected /, '').replace(/, found .*$/s, '');
    }
  };
  const ID = 'a checkpoint directory or a hub id (org/name)';
  const REVISION = 'a branch, tag or commit';

  it.each(['t5', 'a/b', 'A9/b_-.c', `${'a'.repeat(96)}/${'b'.repeat(96)}`])('%s is an id', (id) => {
    expect(failure(id, 'main')).toBeNull();
  });

  it.each([
    ...[
      '',
      '/',
      'a/',
      '/b',
      'a/b/c',
      '-a',
      '.a',
      '_a',
      'a/-b',
      'a/.b',
      'a b',
      'a/b\n',
      '\na',
      'a..b',
      'a/b..c',
      'ä',
      'a%2f',
    ],
    ...['a'.repeat(97), `a/${'b'.repeat(97)}`, 'a\\b', 'a/b?x', 'a/b#x', 'a:b'],
  ])('%j is no id', (id) => {
    expect(failure(id, 'main')).toBe(ID);
  });

  it.each(['main', 'v1.0', 'refs/pr/1', 'a-b_c', 'ä', 'x'.repeat(200), 'a.b', '-x', '0', 'lock', 'a.lockx', "it's"])(
    '%s is a revision',
    (revision) => {
      expect(failure('a/b', revision)).toBeNull();
    },
  );

  it.each([
    ...['', '.', '..', '/', 'a/', '/a', 'a//b', '.a', 'a/.b', 'a..b', 'a.', 'a.lock', 'a.lock/b', 'x'.repeat(201)],
    ...[...'\\:*?"<>|~^ \n\u0000\u007f'].flatMap((letter) => [
      letter,
      `a${letter}`,
      `${letter}a`,
      `a${letter}b`,
      `b/a${letter}`,
    ]),
  ])('%j is no revision', (revision) => {
    expect(failure('a/b', revision)).toBe(REVISION);
  });

  it('says what is there in place of a directory', () => {
    expect(() => checkNames('a b', 'main', 'a file')).toThrow(/found a file$/);
    expect(() => checkNames('a b', 'main')).toThrow(/found neither$/);
    expect(() => checkNames('a b', 'main')).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(() => checkNames('a/b', '..')).toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});
