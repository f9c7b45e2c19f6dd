import { openFileSet, resolveTensors } from '../../weights';
import { openTorchFile } from '../../weights/pickle';
import { readIndex } from '../../weights/safetensors/header';
import { type TensorData, writeSafetensors } from '../../weights/safetensors/writer';
import { bufferSource } from '../../weights/source';
import { goldenBytes } from '../support/golden-files.node';
import { op, stateDict, tensorOf, torchFile } from '../support/pickles';
import { randomTensors, tinyConfig } from '../support/random-checkpoint';
import { data, load } from '../weights/tokenizer/files';
import { spiece } from '../weights/tokenizer/spiece-writer';
import type { Fuzzer, Work } from './law';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const float = (shape: readonly number[]): TensorData => ({
  type: 'F32',
  shape,
  data: new Uint8Array(4 * shape.reduce((product, size) => product * size, 1)),
});

/** A checkpoint of the golden whose weights are smallest. */
const GOLDEN = 't5-table-in-encoder';
const config = goldenBytes(`${GOLDEN}/config.json`);
const weights = goldenBytes(`${GOLDEN}/model.safetensors`);

/** Codes for tensors that are read well and are not those of the config. */
const NO_T5: readonly unknown[] = ['tensor-missing', 'tensor-invalid', 'type-unsupported'];

/** Opens a checkpoint, finds its tensors and reads some of them. */
async function open(work: Work, contents: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const checkpoint = await openFileSet(work.files(contents));
  try {
    const { all } = resolveTensors(checkpoint);
    for (const { name } of all.slice(0, 3)) await checkpoint.read(name);
    await checkpoint.statements?.();
    await checkpoint.sourceLength?.();
  } finally {
    await checkpoint.dispose();
  }
}

/** Encodes and decodes: what loads must also work. */
async function speak(contents: Readonly<Record<string, Uint8Array>>, vocabulary: number): Promise<void> {
  const tokenizer = await load(contents, vocabulary);
  const ids = tokenizer.encode('ﬁne thou  ▁art 生\u0000 <extra_id_0></s>');
  tokenizer.decode(ids.filter((id) => id < tokenizer.vocabularySize));
}

const header: Fuzzer = {
  name: 'header',
  kind: 'bytes',
  seeds: () => [
    writeSafetensors(
      new Map([
        ['a', float([2, 3])],
        ['b', float([])],
        ['empty', float([0, 4])],
      ]),
      { format: 'pt' },
    ),
    writeSafetensors(new Map([['shared.weight', { ...float([2, 36]), type: 'U8', data: new Uint8Array(72) }]]), {
      format: 'tandem-q8',
    }),
    writeSafetensors(
      new Map([
        ['shared.weight', { ...float([2, 36]), type: 'U8', data: new Uint8Array(72) }],
        ['a.weight', { type: 'U8', shape: [2, 2, 18], data: new Uint8Array(72) }],
        ['b.weight', { type: 'U8', shape: [1, 2, 18], data: new Uint8Array(36) }],
      ]),
      { format: 'tandem-q4', columns: '{"b.weight": 40}' },
    ),
    writeSafetensors(randomTensors(tinyConfig({ encoderLayers: 1, decoderLayers: 1 }), 1)),
  ],
  use: async (input, work) => {
    const source = work.counted(bufferSource('model.safetensors', input));
    const { tensors } = await readIndex(source);
    for (const { begin, bytes: length } of tensors.values()) await source.read(begin, length);
    await open(work, { 'config.json': config, 'model.safetensors': input }).catch((error) => {
      if (!NO_T5.includes(error.code)) throw error;
    });
  },
};

const index: Fuzzer = {
  name: 'index',
  kind: 'json',
  seeds: () =>
    [goldenBytes('t5-sharded/model.safetensors.index.json'), bytes({ weight_map: { a: 'b.safetensors' } })].slice(0, 1),
  use: (input, work) => {
    const shards = ['model-00001-of-00003', 'model-00002-of-00003', 'model-00003-of-00003'].map(
      (name) => `${name}.safetensors`,
    );
    const contents = Object.fromEntries(
      shards.flatMap((name) => {
        try {
          return [[name, goldenBytes(`t5-sharded/${name}`)]];
        } catch {
          return [];
        }
      }),
    );
    return open(work, {
      'config.json': goldenBytes('t5-sharded/config.json'),
      ...contents,
      'model.safetensors.index.json': input,
    });
  },
};

const configFile: Fuzzer = {
  name: 'config',
  kind: 'json',
  seeds: () => [config, goldenBytes('umt5/config.json'), goldenBytes('flan-t5-resaved/config.json')],
  use: (input, work) =>
    open(work, { 'config.json': input, 'model.safetensors': weights }).catch((error) => {
      if (!NO_T5.includes(error.code)) throw error; // the weights are of one config
    }),
};

const generation: Fuzzer = {
  name: 'generation',
  kind: 'json',
  seeds: () => [
    bytes({ decoder_start_token_id: 0, eos_token_id: [1, 5], pad_token_id: 0, max_new_tokens: 20, num_beams: 2 }),
    bytes({
      suppress_tokens: [3],
      bad_words_ids: [[3, 4]],
      forced_bos_token_id: 7,
      no_repeat_ngram_size: 2,
      do_sample: true,
    }),
  ],
  use: (input, work) =>
    open(work, { 'config.json': config, 'generation_config.json': input, 'model.safetensors': weights }),
};

/** The real tokenizer.json with its first pieces and without the table of replacements. */
function smallTokenizer(): Uint8Array {
  const json = JSON.parse(Buffer.from(data('t5.tokenizer.json')).toString());
  json.model.vocab.length = 120;
  json.added_tokens = [...json.added_tokens.slice(0, 3), { ...json.added_tokens[0], id: 120, content: '<extra_id_0>' }];
  json.normalizer = { type: 'Sequence', normalizers: [{ type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }] };
  return bytes(json);
}

const byteBpe = () =>
  bytes({
    added_tokens: [{ id: 5, content: '</s>', special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    decoder: { type: 'ByteLevel' },
    post_processor: null,
    model: { type: 'BPE', vocab: { t: 0, h: 1, e: 2, th: 3, the: 4 }, merges: ['t h', 'th e'] },
  });

const tokenizerJson: Fuzzer = {
  name: 'tokenizer',
  kind: 'json',
  seeds: () => [smallTokenizer(), byteBpe()],
  use: (input) => speak({ 'tokenizer.json': input }, 121),
};

const spieceModel: Fuzzer = {
  name: 'spiece',
  kind: 'bytes',
  seeds: () => [
    spiece(),
    spiece({ byteFallback: true }),
    spiece({ pieces: Array.from({ length: 60 }, (_, i) => [`▁${'a'.repeat(i % 9)}${i}`, -i] as const) }),
  ],
  use: (input) => speak({ 'spiece.model': input }, 400),
};

const pickle: Fuzzer = {
  name: 'pickle',
  kind: 'bytes',
  seeds: () => [
    ...['kinds.bin', 'kinds-protocol-4.bin', 'kinds-before-1.6.bin'].map((name) => goldenBytes(`torch-files/${name}`)),
    torchFile(stateDict(tensorOf({ elements: 12, shape: [3, 4], strides: [4, 1] }))),
    torchFile(stateDict(tensorOf({ elements: 12, shape: [4, 3], strides: [1, 4] })), { zip64: true }),
    torchFile(stateDict([op.dict])),
  ],
  use: async (input, work) => {
    const { index: found, source } = await openTorchFile(work.counted(bufferSource('pytorch_model.bin', input)));
    for (const { begin, bytes: length } of [...found.tensors.values()].slice(0, 6)) await source.read(begin, length);
  },
};

export const files: readonly Fuzzer[] = [header, index, configFile, generation, tokenizerJson, spieceModel, pickle];
