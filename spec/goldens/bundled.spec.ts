import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, createBackend } from '../../kernels';
import { type Checkpoint, openCheckpoint } from '../../weights';
import {
  type GoldenSentence,
  readGolden,
  readGoldenTensors,
  relativeError,
  type TensorRecorder,
  tensorRecorder,
} from '../support/goldens';
import { chain, greedyTokens } from '../support/greedy';

const TOLERANCE = 1e-5;
const MODELS = path.join(__dirname, '..', '..', 'models');

/** The reference judges in float64 and takes its time: the target only speaks a few sentences on it. */
const runs = [
  { name: 'cpu' as const, role: 'target', sentences: 20 },
  { name: 'cpu' as const, role: 'draft', sentences: 20 },
  { name: 'reference' as const, role: 'target', sentences: 1 },
  { name: 'reference' as const, role: 'draft', sentences: 20 },
];

describe.each(runs)('modernize-$role on $name agrees with Hugging Face', ({ name, role, sentences }) => {
  const golden = readGolden(`modernize-${role}`);
  const tensors = readGoldenTensors(`modernize-${role}`);
  const directory = path.join(MODELS, golden.checkpoint);
  let backend: Backend;
  let checkpoint: Checkpoint;
  let model: T5Model;
  let recorder: TensorRecorder;

  beforeAll(async () => {
    backend = await createBackend(name);
    recorder = tensorRecorder(backend);
    checkpoint = await openCheckpoint(directory);
    model = await loadModel(checkpoint, backend, { type: 'f32', observe: recorder.observe });
  });

  afterAll(async () => {
    model?.release();
    await checkpoint?.close();
    await backend?.dispose();
  });

  test('the golden belongs to the file in models/', () => {
    const bytes = readFileSync(path.join(directory, 'model.safetensors'));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(golden.sha256);
  });

  test('layer tensors and logits of a short text within 1e-5 of scale', async () => {
    const [{ source, decoder, rows }] = golden.cases;
    const picked = new Float32Array(rows.length * model.vocabularySize); // [rows, vocabulary]
    const found = await recorder.during(async () => {
      const [encoded] = await model.encode([source]);
      const logits = await model.forward(chain(encoded.open(), decoder));
      for (const [i, row] of rows.entries()) picked.set(await logits.read(row), i * model.vocabularySize);
      logits.release();
      encoded.release();
    });
    found.set('logits', picked);
    for (const [key, { values }] of tensors) {
      const close = relativeError(found.get(key.slice(2)) ?? [], values) <= TOLERANCE;
      expect({ key, close }).toEqual({ key, close: true });
    }
  });

  test(`greedy tokens of ${sentences} held-out passages are equal, in one ragged call a step`, async () => {
    const chosen = choose(golden.sentences ?? [], sentences);
    expect(chosen).toHaveLength(sentences);
    const encoded = await model.encode(chosen.map(({ source }) => source));
    const longest = Math.max(...chosen.map(({ greedy }) => greedy.tokens.length));
    const found = await greedyTokens(model, encoded, longest, model.eosTokens[0]);
    for (const [i, { ref, greedy }] of chosen.entries()) {
      expect({ ref, tokens: found[i] }).toEqual({ ref, tokens: greedy.tokens });
    }
  });

  test('the tokenizer turns the golden texts into the golden ids, and the golden tokens into text', async () => {
    const tokenizer = await checkpoint.tokenizer();
    const [{ source }] = golden.cases;
    expect(tokenizer.encode('modernize: Jesus wept.')).toEqual(source);
    for (const { ref, greedy, text } of golden.sentences ?? []) {
      expect({ ref, text: tokenizer.decode(greedy.tokens) }).toEqual({ ref, text });
    }
  });
});

/** The shortest ones first. */
function choose(sentences: readonly GoldenSentence[], count: number): GoldenSentence[] {
  return [...sentences].sort((a, b) => a.greedy.tokens.length - b.greedy.tokens.length).slice(0, count);
}
