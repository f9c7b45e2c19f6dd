/** Weights that are stored in fewer bits: bitsandbytes's 8 bits, which are read, and other layouts, which are refused by name. */
import { WeightsError } from './errors';
import { rowScaleName } from './tensors';
import type { Checkpoint, SafetensorsType, TensorInfo } from './types';

/** What other layouts store beside a weight or in its place; W is the weight's name without `weight` at its end. */
const TELLING: readonly (readonly [tensor: string, layout: string])[] = [
  ['Wqweight', 'GPTQ or AWQ'],
  ['Wweight.absmax', 'bitsandbytes in 4 bits'],
  ['Wweight.quant_state.bitsandbytes__nf4', 'bitsandbytes in 4 bits'],
  ['Wweight.quant_state.bitsandbytes__fp4', 'bitsandbytes in 4 bits'],
  ['Wweight_packed', 'compressed-tensors'],
  ['Wweight_scale', 'fp8 or compressed-tensors'],
  ['Wweight_scale_inv', 'fp8'],
  ['Wweight_scales', 'EETQ'],
  ['Wweight._data', 'quanto'],
  ['Wweight._scale', 'quanto'],
  ['W_weight_qdata', 'torchao'],
  ['Wweight_qdata', 'torchao'],
  ['WW_q', 'HQQ'],
  ['Wcodes', 'AQLM'],
  ['Windices', 'VPTQ'],
];

const FLOATS: readonly SafetensorsType[] = ['F64', 'F32', 'F16', 'BF16'];

/**
 * Refuses a weight in another layout than its own values or bitsandbytes's 8 bits.
 *
 * @throws WeightsError `type-unsupported`, which names the layout or says that codes have no scales; `tensor-missing` or `tensor-invalid` for scales
 */
export function checkLayout({ name, tensors }: Pick<Checkpoint, 'name' | 'tensors'>, weight: string): void {
  const info = tensors.get(weight);
  if (info && FLOATS.includes(info.type)) return;
  const scale = tensors.get(rowScaleName(weight));
  if (info?.type === 'I8' && scale) {
    checkScale(info, scale);
    return;
  }
  const stem = weight.replace(/weight$/, '');
  const [, layout] = TELLING.find(([tensor]) => tensors.has(tensor.replace('W', stem))) ?? [];
  if (layout === undefined) {
    if (info?.type === 'I8') throw withoutScales(info);
    return;
  }
  throw new WeightsError(
    'type-unsupported',
    `${name}: ${weight}: expected its values, or bitsandbytes's 8 bits, found ${layout}: save the model without quantization`,
  );
}

/** Whole numbers alone are no weights: what they stand for is said by scales, which this layout would name in its own way. */
function withoutScales({ file, name }: TensorInfo): WeightsError {
  const expected = `F64, F32, F16 or BF16, or I8 with scales in ${rowScaleName(name)}`;
  return new WeightsError('type-unsupported', `${file}: ${name}: expected ${expected}, found I8 without scales`);
}

function checkScale({ name, shape }: TensorInfo, scale: TensorInfo): void {
  const where = `${scale.file}: ${scale.name}`;
  if (shape.length !== 2 || scale.shape.length !== 1 || scale.shape[0] !== shape[0]) {
    throw new WeightsError('tensor-invalid', `${where}: expected shape [${shape[0]}], found [${scale.shape}]`);
  }
  if (!FLOATS.includes(scale.type)) {
    throw new WeightsError('type-unsupported', `${where}: expected F32, the scales of ${name}, found ${scale.type}`);
  }
}
