/**
 * What follows the encoder of a model for embeddings, as sentence-transformers writes it: `modules.json` names the steps, and each has
 * a folder (`1_Pooling`, `2_Dense`, `3_Normalize`).
 */
import { WeightsError } from './errors';
import { Fields, type Json, parseObject } from './fields';
import { openTorchFile } from './pickle';
import { readIndex } from './safetensors/header';
import { bufferSource } from './source';
import type { ByteSource, EmbeddingStep, EmbeddingSteps, Pooling, StoredTensor } from './types';

/** The files of a model. */
export interface EmbeddingFiles {
  readonly name: string;
  /** Null where the file is not there. */
  read(file: string): Promise<Uint8Array | null>;
}

const POOLINGS: readonly Pooling[] = ['cls', 'max', 'mean', 'meanSqrtLength'];
const MODULES = 'modules.json';
const ACTIVATIONS: Readonly<Record<string, 'identity' | 'tanh' | 'relu'>> = {
  'torch.nn.modules.linear.Identity': 'identity',
  'torch.nn.modules.activation.Tanh': 'tanh',
  'torch.nn.modules.activation.ReLU': 'relu',
};
const MODES: readonly (readonly [key: string, pooling: Pooling])[] = [
  ['pooling_mode_cls_token', 'cls'],
  ['pooling_mode_max_tokens', 'max'],
  ['pooling_mode_mean_tokens', 'mean'],
  ['pooling_mode_mean_sqrt_len_tokens', 'meanSqrtLength'],
];

/**
 * Reads the steps; null where there is no modules.json.
 *
 * @throws WeightsError `config-invalid` for a step that is not known, `not-found` or `tensor-missing` for a step without its files
 */
export async function readEmbeddingSteps(files: EmbeddingFiles): Promise<EmbeddingSteps | null> {
  const text = await files.read(MODULES);
  if (text === null) return null;
  let pooling: readonly Pooling[] = ['mean'];
  const steps: EmbeddingStep[] = [];
  for (const { kind, path } of modulesOf(text, `${files.name}/${MODULES}`)) {
    if (kind === 'Transformer' && path === '') continue;
    if (kind === 'Pooling' && steps.length === 0) pooling = await readPooling(files, path);
    else if (kind === 'Dense') steps.push(await readDense(files, path));
    else if (kind === 'Normalize') steps.push({ kind: 'normalize' });
    else {
      const found = `${kind} in '${path}' after ${steps.length} steps`;
      throw invalid(files, MODULES, 'a Transformer in the folder itself, then Pooling, Dense or Normalize', found);
    }
  }
  return { maxTokens: await maxTokensOf(files), pooling, steps };
}

function modulesOf(bytes: Uint8Array, file: string): { kind: string; path: string }[] {
  const { list } = parseObject(`{"list":${new TextDecoder().decode(bytes)}}`, file);
  const modules = Array.isArray(list) ? (list as (Json | null)[]) : [null];
  return modules.map((module) => {
    const { type, path } = module ?? {};
    if (typeof type === 'string' && typeof path === 'string' && !/\.\.|^[\\/]/.test(path)) {
      return { kind: type.split('.').at(-1) as string, path };
    }
    throw new WeightsError('config-invalid', `${file}: expected a list of modules with type and path, found another`);
  });
}

async function readJson(files: EmbeddingFiles, file: string): Promise<Fields> {
  const bytes = await files.read(file);
  if (bytes === null) throw new WeightsError('not-found', `${files.name}: expected ${file}, found none`);
  return new Fields(parseObject(new TextDecoder().decode(bytes), `${files.name}/${file}`), `${files.name}/${file}`);
}

async function maxTokensOf(files: EmbeddingFiles): Promise<number | null> {
  const file = 'sentence_bert_config.json';
  if ((await files.read(file)) === null) return null;
  const fields = await readJson(files, file);
  if (fields.flag('do_lower_case')) throw fields.error('do_lower_case', 'false', 'true');
  return (fields.json.max_seq_length ?? null) === null ? null : fields.integer('max_seq_length', 1, 1 << 24);
}

async function readPooling(files: EmbeddingFiles, path: string): Promise<Pooling[]> {
  const file = `${path}/config.json`;
  const fields = await readJson(files, file);
  const known = new Map(MODES);
  const wanted: Pooling[] = [];
  for (const key of Object.keys(fields.json)) {
    if (!key.startsWith('pooling_mode') || !fields.flag(key)) continue;
    const pooling = known.get(key);
    if (!pooling) throw invalid(files, file, MODES.map(([mode]) => mode).join(', '), key);
    wanted.push(pooling);
  }
  if (wanted.length === 0) throw invalid(files, file, 'a pooling mode', 'none');
  return POOLINGS.filter((pooling) => wanted.includes(pooling));
}

async function readDense(files: EmbeddingFiles, path: string): Promise<EmbeddingStep> {
  const fields = await readJson(files, `${path}/config.json`);
  const [inputs, outputs] = [fields.size('in_features', 1 << 18), fields.size('out_features', 1 << 18)];
  const named = fields.text('activation_function', 'torch.nn.modules.activation.Tanh');
  const activation = Object.hasOwn(ACTIVATIONS, named) ? ACTIVATIONS[named] : undefined;
  if (!activation) throw fields.error('activation_function', Object.keys(ACTIVATIONS).join(', '), named);
  const { source, index } = await openWeights(files, path);
  const tensor = async (name: string, shape: readonly number[]): Promise<StoredTensor> => {
    const found = index.tensors.get(name);
    if (!found) throw new WeightsError('tensor-missing', `${source.name}: expected tensor ${name}, found none`);
    if (found.shape.join() !== shape.join()) {
      const expected = `expected shape [${shape}], found [${found.shape}]`;
      throw new WeightsError('tensor-invalid', `${source.name}: ${name}: ${expected}`);
    }
    return { info: found, bytes: await source.read(found.begin, found.bytes) };
  };
  const weight = await tensor('linear.weight', [outputs, inputs]);
  const bias = fields.flag('bias') === false ? null : await tensor('linear.bias', [outputs]);
  return { kind: 'dense', weight, bias, activation };
}

async function openWeights(files: EmbeddingFiles, path: string) {
  for (const file of ['model.safetensors', 'pytorch_model.bin']) {
    const bytes = await files.read(`${path}/${file}`);
    if (bytes === null) continue;
    const source: ByteSource = bufferSource(`${files.name}/${path}/${file}`, bytes);
    return file.endsWith('.bin') ? openTorchFile(source) : { source, index: await readIndex(source) };
  }
  throw new WeightsError('not-found', `${files.name}: expected ${path}/model.safetensors, found none`);
}

function invalid({ name }: EmbeddingFiles, file: string, expected: string, found: string): WeightsError {
  return new WeightsError('config-invalid', `${name}/${file}: expected ${expected}, found ${found}`);
}
