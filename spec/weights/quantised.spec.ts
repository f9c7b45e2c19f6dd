import { fileSet, openFileSet, resolveTensors, type SafetensorsType, WeightsError } from '../../weights';
import { OTHER_METHODS } from '../../weights/stated/quantization-keys';
import { t5Shapes, t5Tensors } from '../../weights/tensors';
import { checkpointBytes, randomTensors, tinyConfig } from '../support/random-checkpoint';

const QUERY = 'encoder.block.0.layer.0.SelfAttention.q.';
const config = tinyConfig();

type Change = Record<string, { type: SafetensorsType; shape: readonly number[] } | null>;

/** Resolves a checkpoint in which some tensors are others, or gone. */
function resolve(changes: Change) {
  const formats = t5Shapes(config, t5Tensors(config)).map(({ name, shape }) => [name, { type: 'F32', shape }] as const);
  const all = Object.entries({ ...Object.fromEntries(formats), ...changes }).filter(([, format]) => format !== null);
  const infos = all.map(([name, format]) => [name, { ...format, name, bytes: 0, file: 'f' }] as const);
  return resolveTensors({ name: 'model', config, tensors: new Map(infos) as never });
}

describe('weights in fewer bits', () => {
  const shape = [12, 16];

  it('are taken when they are bitsandbytes’s 8 bits, whose scales have one number a row', () => {
    const codes = { type: 'I8', shape } as const;
    const scale = (size: readonly number[], type: SafetensorsType = 'F32') => ({
      [`${QUERY}weight`]: codes,
      [`${QUERY}SCB`]: { type, shape: size },
    });
    expect(() => resolve(scale([12]))).not.toThrow();
    expect(() => resolve(scale([11]))).toThrow(`f: ${QUERY}SCB: expected shape [12], found [11]`);
    expect(() => resolve(scale([12, 1]))).toThrow(`f: ${QUERY}SCB: expected shape [12], found [12,1]`);
    expect(() => resolve(scale([12], 'I64'))).toThrow(`f: ${QUERY}SCB: expected F32, the scales of`);
  });

  it.each<[string, string, Change]>([
    ['GPTQ or AWQ', 'with no weight', { weight: null, qweight: { type: 'I32', shape: [2, 12] } }],
    [
      'bitsandbytes in 4 bits',
      'packed',
      { weight: { type: 'U8', shape: [96, 1] }, 'weight.absmax': { type: 'F32', shape: [3] } },
    ],
    [
      'bitsandbytes in 4 bits',
      'with its state',
      { weight: { type: 'U8', shape: [96, 1] }, 'weight.quant_state.bitsandbytes__nf4': { type: 'U8', shape: [80] } },
    ],
    [
      'fp8 or compressed-tensors',
      'with a scale',
      { weight: { type: 'F8_E4M3', shape }, weight_scale: { type: 'F32', shape: [] } },
    ],
    [
      'fp8 or compressed-tensors',
      'as int8',
      { weight: { type: 'I8', shape }, weight_scale: { type: 'F32', shape: [12, 1] } },
    ],
    [
      'fp8',
      'with the inverse of one',
      { weight: { type: 'F8_E4M3', shape }, weight_scale_inv: { type: 'F32', shape: [1, 1] } },
    ],
    ['compressed-tensors', 'packed', { weight: null, weight_packed: { type: 'I32', shape: [12, 2] } }],
    ['EETQ', 'as int8', { weight: { type: 'I8', shape }, weight_scales: { type: 'F16', shape: [12] } }],
    [
      'quanto',
      'in parts',
      { weight: null, 'weight._data': { type: 'I8', shape }, 'weight._scale': { type: 'F32', shape: [12, 1] } },
    ],
    ...['weight.absmax', 'weight.quant_state.bitsandbytes__nf4', 'weight.quant_state.bitsandbytes__fp4'].map(
      (name): [string, string, Change] => [
        'bitsandbytes in 4 bits',
        `with ${name} alone`,
        { weight: { type: 'U8', shape: [96, 1] }, [name]: { type: 'U8', shape: [80] } },
      ],
    ),
    ['quanto', 'with values alone', { weight: null, 'weight._data': { type: 'I8', shape } }],
    ['quanto', 'with a scale alone', { weight: null, 'weight._scale': { type: 'F32', shape: [12, 1] } }],
    ['torchao', 'under its own name', { weight: null, weight_qdata: { type: 'I8', shape } }],
    ['torchao', 'in parts', { weight: null, _weight_qdata: { type: 'I8', shape } }],
    ['HQQ', 'packed', { weight: null, W_q: { type: 'U8', shape: [96, 1] } }],
    ['AQLM', 'as codes', { weight: null, codes: { type: 'I8', shape: [12, 2, 1] } }],
    ['VPTQ', 'as indices', { weight: null, indices: { type: 'U16', shape: [12, 2, 1] } }],
  ])('are refused by name when they are %s, %s', (layout, _, tensors) => {
    const changes = Object.fromEntries(Object.entries(tensors).map(([name, format]) => [QUERY + name, format]));
    expect(() => resolve(changes)).toThrow(
      `model: ${QUERY}weight: expected its values, or bitsandbytes's 8 bits, found ${layout}: save the model`,
    );
    expect(() => resolve(changes)).toThrow(WeightsError);
  });

  it('are refused when they are whole numbers without scales: nothing says what these stand for', () => {
    const found = `expected F64, F32, F16 or BF16, or I8 with scales in ${QUERY}SCB, found I8 without scales`;
    expect(() => resolve({ [`${QUERY}weight`]: { type: 'I8', shape } })).toThrow(`f: ${QUERY}weight: ${found}`);
    const norm = 'encoder.final_layer_norm.weight';
    expect(() => resolve({ [norm]: { type: 'I8', shape: [16] } })).toThrow(`f: ${norm}: expected F64`);
    expect(() => resolve({ 'not.needed': { type: 'I8', shape } })).not.toThrow();
  });

  it('do not matter beside a weight that has its own values', () => {
    const other = { type: 'F32', shape: [12] } as const;
    expect(() =>
      resolve({ [`${QUERY}SCB`]: other, [`${QUERY}weight_scale`]: other, [`${QUERY}codes`]: other }),
    ).not.toThrow();
  });
});

describe('quantization_config', () => {
  async function open(quantization: unknown) {
    const files = await checkpointBytes({ config, tensors: randomTensors(config, 1) });
    const json = JSON.parse(new TextDecoder().decode(files['config.json'])) as object;
    const text = JSON.stringify({ ...json, quantization_config: quantization });
    return openFileSet(fileSet({ ...files, 'config.json': new TextEncoder().encode(text) }, 'model'));
  }

  it.each(OTHER_METHODS)(
    'is refused by name when it says %s, but the checkpoint can still be looked at',
    async (method) => {
      const checkpoint = await open({ quant_method: method, bits: 4 });
      expect(() => resolveTensors(checkpoint)).toThrow(
        `model/config.json: quantization_config.quant_method "${method}" is refused: only bitsandbytes in 8 bits is read`,
      );
      expect((await checkpoint.statements?.())?.filter(({ outcome }) => outcome === 'refused')).toHaveLength(1);
    },
  );

  it.each([
    [{ load_in_8bit: true }],
    [{ load_in_8bit: true, load_in_4bit: false, quant_method: 'bitsandbytes', llm_int8_threshold: 6 }],
    [null],
  ])('is followed when it says %j', async (quantization) => {
    const checkpoint = await open(quantization);
    expect(() => resolveTensors(checkpoint)).not.toThrow();
  });

  it('is refused when it says 4 bits', async () => {
    const checkpoint = await open({ load_in_4bit: true, quant_method: 'bitsandbytes' });
    expect(() => resolveTensors(checkpoint)).toThrow(/quantization_config.load_in_4bit true is refused/);
  });
});
