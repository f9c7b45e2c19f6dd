import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadModel, type T5Model } from '../../engine';
import { type Backend, type BackendName, createBackend } from '../../kernels';
import { type Checkpoint, openCheckpoint } from '../../weights';
import { type GoldenSentence, readGolden, readGoldenTensors, relativeError, tensorRecorder } from './goldens';
import { chain, greedyTokens } from './greedy';

const TOLERANCE = 1e-5;
const MODELS = path.join(__dirname, '..', '..', 'models');

export interface BundledRun {
  readonly name: string;
  /** By default the backend of that name. */
  readonly create?: () => Promise<Backend>;
  readonly role: 'target' | 'draft';
  /** How many of the golden's held-out passages to decode, shortest first. */
  readonly sentences: number;
}

/** Declares the specs of one bundled model on one backend. */
export function describeBundled({ name, role, sentences, create }: BundledRun): void {
  const golden = readGolden(`modernize-${role}`);
  const directory = path.join(MODELS, golden.checkpoint);
  let backend: Backend;
  let checkpoint: Checkpoint;
  let model: T5Model;
  let recorder: ReturnType<typeof tensorRecorder>;

  describe(`modernize-${role} on ${name} agrees with Hugging Face`, () => {
    beforeAll(async () => {
      backend = await (create ?? (() => createBackend(name as BackendName)))();
      recorder = tensorRecorder(backend);
      checkpoint = await openCheckpoint(directory);
      model = await loadModel(checkpoint, backend, { dtype: 'f32', observe: recorder.observe });
    });

    afterAll(async () => {
      model?.dispose();
      await checkpoint?.dispose();
      await backend?.dispose();
    });

    test('the golden belongs to the file in models/', () => {
      const bytes = readFileSync(path.join(directory, 'model.safetensors'));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(golden.sha256);
    });

    test('layer tensors and logits of a short text within 1e-5 of scale', async () => {
      const [{ source, decoder, rows }] = golden.cases;
      const logits = new Float32Array(rows.length * model.vocabularySize); // [rows, vocabulary]
      const found = await recorder.during(async () => {
        const [encoded] = await model.encode([source]);
        const view = await model.forward(chain(encoded.open(), decoder));
        for (const [i, row] of rows.entries()) logits.set(await view.read(row), i * model.vocabularySize);
        view.dispose();
        encoded.dispose();
      });
      found.set('logits', logits);
      for (const [key, { values }] of readGoldenTensors(`modernize-${role}`)) {
        const close = relativeError(found.get(key.slice(2)) ?? [], values) <= TOLERANCE;
        expect({ key, close }).toEqual({ key, close: true });
      }
    });

    test(`greedy tokens of ${sentences} held-out passages, one ragged call a step, are equal`, async () => {
      const chosen = shortest(golden.sentences ?? [], sentences);
      expect(chosen).toHaveLength(sentences);
      const encoded = await model.encode(chosen.map(({ source }) => source));
      const longest = Math.max(...chosen.map(({ greedy }) => greedy.tokens.length));
      const found = await greedyTokens(model, encoded, longest, model.eosTokens[0]);
      for (const one of encoded) one.dispose();
      for (const [i, { ref, greedy }] of chosen.entries()) {
        expect({ ref, tokens: found[i] }).toEqual({ ref, tokens: greedy.tokens });
      }
    });

    test('the tokenizer turns the golden text into its ids, and golden tokens into the text SentencePiece gives', async () => {
      const tokenizer = await checkpoint.tokenizer();
      expect(tokenizer.encode(`modernize: ${golden.cases[0].text}`)).toEqual(golden.cases[0].source);
      for (const { ref, greedy, text } of golden.sentences ?? []) {
        expect({ ref, text: tokenizer.decode(greedy.tokens) }).toEqual({ ref, text });
      }
    });
  });
}

function shortest(sentences: readonly GoldenSentence[], count: number): GoldenSentence[] {
  return [...sentences].sort((a, b) => a.greedy.tokens.length - b.greedy.tokens.length).slice(0, count);
}
