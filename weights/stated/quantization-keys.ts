import type { Json } from '../fields';
import { review, type Statement, type TreatmentTable } from './statement';

/** Ways to store weights that Hugging Face's `QuantizationMethod` has and that are refused by name. */
export const OTHER_METHODS: readonly string[] = [
  'aqlm',
  'auto-round',
  'awq',
  'bitnet',
  'compressed-tensors',
  'eetq',
  'fbgemm_fp8',
  'fouroversix',
  'fp8',
  'fp_quant',
  'gemma',
  'gguf',
  'gptq',
  'higgs',
  'hqq',
  'metal',
  'mxfp4',
  'mxfp8',
  'nvfp4',
  'quanto',
  'quark',
  'sinq',
  'spqr',
  'torchao',
  'vptq',
];

const INT8 = 'only while Python multiplies; the weights are code · SCB / 127 all the same';
const FOUR_BITS = 'for 4 bits';

/** Every key of Hugging Face's `BitsAndBytesConfig`. */
export const QUANTIZATION_KEYS: TreatmentTable = {
  quant_method: {
    refused: 'only bitsandbytes in 8 bits is read: save the model without quantization',
    off: isReadable,
  },
  load_in_8bit: { followed: 'rows of int8 with a scale each: weight = code · SCB / 127' },
  _load_in_8bit: { followed: 'rows of int8 with a scale each: weight = code · SCB / 127' },
  load_in_4bit: { refused: 'weights of 4 bits are not read: save the model without quantization', off: isFalse },
  _load_in_4bit: { refused: 'weights of 4 bits are not read: save the model without quantization', off: isFalse },
  llm_int8_threshold: { irrelevant: INT8 },
  llm_int8_has_fp16_weight: { irrelevant: INT8 },
  llm_int8_skip_modules: { irrelevant: 'the tensors say it: one with SCB beside it is in 8 bits' },
  llm_int8_enable_fp32_cpu_offload: { irrelevant: INT8 },
  bnb_4bit_compute_dtype: { irrelevant: FOUR_BITS },
  bnb_4bit_quant_storage: { irrelevant: FOUR_BITS },
  bnb_4bit_quant_type: { irrelevant: FOUR_BITS },
  bnb_4bit_use_double_quant: { irrelevant: FOUR_BITS },
};

function isReadable(value: unknown): boolean {
  return value === 'bitsandbytes';
}

function isFalse(value: unknown): boolean {
  return value === false;
}

/** What becomes of `quantization_config`. Without `quant_method` it is bitsandbytes's, as old files have it. */
export function reviewQuantization(file: string, config: unknown): Statement[] {
  if (typeof config !== 'object' || config === null) return [];
  return review(file, config as Json, QUANTIZATION_KEYS).map((one) => ({
    ...one,
    key: `quantization_config.${one.key}`,
  }));
}
