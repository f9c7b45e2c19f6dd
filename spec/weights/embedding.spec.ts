import fc from 'fast-check';
import type { EmbeddingStep, Pooling } from '../../weights';
import { readEmbeddingSteps } from '../../weights/embedding';
import { type TensorData, writeSafetensors } from '../../weights/safetensors/writer';
import { op, tensorOf, zipped } from '../support/pickles';

type Files = Record<string, Uint8Array | object>;

const PREFIX = 'sentence_transformers.models.';
const named = (type: string, path: string) => ({ idx: 0, name: path, path, type: PREFIX + type });
const TRANSFORMER = named('Transformer', '');

function open(files: Files) {
  const read = async (file: string) => {
    const content = files[file];
    if (content === undefined || content instanceof Uint8Array) return content ?? null;
    return new TextEncoder().encode(JSON.stringify(content));
  };
  return readEmbeddingSteps({ name: 'model', read });
}

const floats = (count: number, first: number) =>
  new Uint8Array(Float32Array.from({ length: count }, (_, i) => first + i).buffer);

/** The files of a dense step, and the tensors in them. */
function dense(path: string, inputs: number, outputs: number, more: object = {}) {
  const weight: TensorData = { type: 'F32', shape: [outputs, inputs], data: floats(inputs * outputs, 1) };
  const bias: TensorData = { type: 'F32', shape: [outputs], data: floats(outputs, -1) };
  const config = { in_features: inputs, out_features: outputs, ...more };
  const tensors = new Map([
    ['linear.weight', weight],
    ['linear.bias', bias],
  ]);
  return {
    files: { [`${path}/config.json`]: config, [`${path}/model.safetensors`]: writeSafetensors(tensors) } as Files,
    weight,
    bias,
  };
}

const POOLING_KEYS: readonly (readonly [string, Pooling])[] = [
  ['pooling_mode_mean_tokens', 'mean'],
  ['pooling_mode_cls_token', 'cls'],
  ['pooling_mode_mean_sqrt_len_tokens', 'meanSqrtLength'],
  ['pooling_mode_max_tokens', 'max'],
];
/** The order in which sentence-transformers joins several poolings. */
const ORDER: readonly Pooling[] = ['cls', 'max', 'mean', 'meanSqrtLength'];
const TORCH = 'torch.nn.modules.';
const ACTIVATIONS = [
  [`${TORCH}linear.Identity`, 'identity'],
  [`${TORCH}activation.Tanh`, 'tanh'],
  [`${TORCH}activation.ReLU`, 'relu'],
  [undefined, 'tanh'],
] as const;

describe('the steps after an encoder', () => {
  it('are none without modules.json, and the mean where it names no pooling', async () => {
    expect(await open({ 'config.json': {} })).toBeNull();
    expect(await open({ 'modules.json': [TRANSFORMER] })).toEqual({ maxTokens: null, pooling: ['mean'], steps: [] });
  });

  it('are those of modules.json in its order, with their tensors and activations', async () => {
    const step = fc.oneof(
      fc.constant(null),
      fc.record({ inputs: fc.integer({ min: 1, max: 4 }), outputs: fc.integer({ min: 1, max: 4 }), kind: fc.nat(3) }),
    );
    const poolings = fc.subarray([...POOLING_KEYS], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 4 }), poolings, fc.boolean(), async (wanted, modes, isBiased) => {
        const off = Object.fromEntries(POOLING_KEYS.map(([key]) => [key, false]));
        const on = Object.fromEntries(modes.map(([key]) => [key, true]));
        const modules = [TRANSFORMER, named('Pooling', '1_Pooling')];
        const files: Files = { '1_Pooling/config.json': { word_embedding_dimension: 3, ...off, ...on } };
        const expected: EmbeddingStep[] = [];
        for (const [i, one] of wanted.entries()) {
          const path = `${i + 2}_Step`;
          modules.push(named(one === null ? 'Normalize' : 'Dense', path));
          if (one === null) {
            expected.push({ kind: 'normalize' });
            continue;
          }
          const [name, activation] = ACTIVATIONS[one.kind];
          const made = dense(path, one.inputs, one.outputs, {
            activation_function: name,
            ...(isBiased ? {} : { bias: false }),
          });
          Object.assign(files, made.files);
          const stored = ({ type, shape, data }: TensorData) => ({
            info: expect.objectContaining({ type, shape, bytes: data.length }),
            bytes: data,
          });
          const bias = isBiased ? stored(made.bias) : null;
          expected.push({ kind: 'dense', activation, weight: stored(made.weight), bias });
        }
        const found = await open({ ...files, 'modules.json': modules });
        const pooling = ORDER.filter((one) => modes.some(([, mode]) => mode === one));
        expect(found).toEqual({ maxTokens: null, pooling, steps: expected });
      }),
      { numRuns: 40 },
    );
  });

  it('have their tensors in pytorch_model.bin where there is no safetensors file', async () => {
    const { files } = dense('1_Dense', 2, 1, { bias: false });
    const pickle = Buffer.concat([
      ...[op.proto, op.dict, op.mark, op.text('linear.weight')],
      ...tensorOf({ elements: 2, shape: [1, 2], strides: [2, 1] }),
      ...[op.setItems, op.stop],
    ]);
    const saved = zipped([
      ['archive/data.pkl', pickle],
      ['archive/data/0', floats(2, 1)],
    ]);
    const modules = { 'modules.json': [TRANSFORMER, named('Dense', '1_Dense')] };
    const { '1_Dense/config.json': config } = files;
    const found = await open({ ...modules, '1_Dense/config.json': config, '1_Dense/pytorch_model.bin': saved });
    expect(found?.steps).toMatchObject([{ kind: 'dense', bias: null, weight: { bytes: floats(2, 1) } }]);
    const none = open({ ...modules, '1_Dense/config.json': config });
    await expect(none).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/expected 1_Dense\/model.safetensors, found none/),
    });
  });

  it.each<[unknown, number | null | RegExp]>([
    [undefined, null],
    [{}, null],
    [{ max_seq_length: null, do_lower_case: false }, null],
    [{ max_seq_length: 1 }, 1],
    [{ max_seq_length: 1 << 24 }, 1 << 24],
    [{ max_seq_length: 0 }, /max_seq_length: expected a whole number from 1 to 16777216, found 0/],
    [{ max_seq_length: (1 << 24) + 1 }, /max_seq_length: .* found 16777217/],
    [{ do_lower_case: true }, /sentence_bert_config.json: do_lower_case: expected false, found true/],
  ])('with sentence_bert_config.json %j take texts of so many tokens: %s', async (config, expected) => {
    const files = { 'modules.json': [TRANSFORMER], ...(config ? { 'sentence_bert_config.json': config } : {}) };
    if (expected instanceof RegExp) await expect(open(files)).rejects.toThrow(expected);
    else expect((await open(files))?.maxTokens).toBe(expected);
  });

  const pooled = (config: object, ...more: object[]) => ({
    'modules.json': [TRANSFORMER, named('Pooling', '1_Pooling'), ...more],
    '1_Pooling/config.json': config,
  });
  const mean = { pooling_mode_mean_tokens: true };
  const before = dense('1_Dense', 1, 1).files;
  const withDense = (config: object | undefined, more: object = {}) => {
    const files = dense('1_Dense', 2, 3, config).files;
    return { 'modules.json': [TRANSFORMER, named('Dense', '1_Dense')], ...files, ...more };
  };
  const half = writeSafetensors(new Map([['linear.weight', { type: 'F32', shape: [3, 2], data: floats(6, 0) }]]));

  it.each<[string, Files, string, RegExp]>([
    [
      'a pooling after a step',
      { ...pooled(mean, named('Normalize', 'n'), named('Pooling', '1_Pooling')) },
      'config-invalid',
      /model\/modules.json: expected a Transformer .*, found Pooling in '1_Pooling' after 1 steps/,
    ],
    [
      'a transformer in a folder',
      { 'modules.json': [named('Transformer', '0')] },
      'config-invalid',
      /found Transformer in '0' after 0 steps/,
    ],
    [
      'a step that is not known',
      { 'modules.json': [named('LayerNorm', '4')] },
      'config-invalid',
      /found LayerNorm in '4'/,
    ],
    ['no list', { 'modules.json': {} }, 'config-invalid', /model\/modules.json: expected a list of modules/],
    ['null in the list', { 'modules.json': [null] }, 'config-invalid', /expected a list of modules/],
    [
      'a module without a path',
      { 'modules.json': [{ type: 'x.Pooling' }] },
      'config-invalid',
      /expected a list of mod/,
    ],
    ['a module without a type', { 'modules.json': [{ path: '' }] }, 'config-invalid', /expected a list of modules/],
    ['a path outside', { 'modules.json': [named('Pooling', 'a/../../b')] }, 'config-invalid', /expected a list of mod/],
    ['an absolute path', { 'modules.json': [named('Pooling', '/a')] }, 'config-invalid', /expected a list of modules/],
    ['an absolute path of Windows', { 'modules.json': [named('Pooling', '\\a')] }, 'config-invalid', /expected a list/],
    [
      'no file of the pooling',
      { 'modules.json': [named('Pooling', '1_P')] },
      'not-found',
      /^model: expected 1_P\/config.json, found none$/,
    ],
    [
      'no pooling that is on',
      pooled({ pooling_mode_mean_tokens: false, other: true }),
      'config-invalid',
      /1_Pooling\/config.json: expected a pooling mode, found none/,
    ],
    [
      'a pooling that is not known',
      pooled({ pooling_mode_lasttoken: true }),
      'config-invalid',
      /expected pooling_mode_cls_token, .*, found pooling_mode_lasttoken/,
    ],
    [
      'a pooling that is no flag',
      pooled({ pooling_mode_cls_token: 1 }),
      'config-invalid',
      /pooling_mode_cls_token: expected true or false, found 1/,
    ],
    [
      'an activation that is not known',
      withDense({ activation_function: 'torch.nn.GELU' }),
      'config-invalid',
      /activation_function: expected torch.nn.modules.linear.Identity, .* found torch.nn.GELU/,
    ],
    [
      'an activation of every object',
      withDense({ activation_function: 'toString' }),
      'config-invalid',
      /found toString/,
    ],
    [
      'a width that cannot be',
      withDense({ in_features: 0 }),
      'config-invalid',
      /in_features: expected a whole number from 1 to 262144, found 0/,
    ],
    [
      'a width over the limit',
      withDense({ out_features: (1 << 18) + 1 }),
      'config-invalid',
      /out_features: .* found 262145/,
    ],
    [
      'another shape',
      withDense({ out_features: 4 }),
      'tensor-invalid',
      /1_Dense\/model.safetensors: linear.weight: expected shape \[4,2\], found \[3,2\]/,
    ],
    [
      'no bias',
      withDense({}, { '1_Dense/model.safetensors': half }),
      'tensor-missing',
      /expected tensor linear.bias, found none/,
    ],
    [
      'the tensors of another shape',
      withDense({}, { '1_Dense/model.safetensors': before['1_Dense/model.safetensors'] }),
      'tensor-invalid',
      /linear.weight: expected shape \[3,2\], found \[1,1\]/,
    ],
  ])('are refused by name with %s', async (_, files, code, message) => {
    await expect(open(files)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('take a module of the folder itself, and a pooling after it, as often as it is named', async () => {
    const twice = pooled(mean, named('Pooling', '2_Pooling'));
    const found = await open({ ...twice, '2_Pooling/config.json': { pooling_mode_cls_token: true } });
    expect(found).toMatchObject({ pooling: ['cls'], steps: [] });
  });
});
