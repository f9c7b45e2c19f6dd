import { TandemError } from '../../common';
import {
  copyDrafter,
  type Drafter,
  earlyExitDrafter,
  modelDrafter,
  ngramDrafter,
  randomDrafter,
  selfDrafter,
  withVocabulary,
} from '../../decoding';
import { loadModel, storedDtype, type T5Model } from '../../engine';
import { type Backend, createBackend, type Dtype } from '../../kernels';
import { type FileSet, firstVocabularyDifference, openFileSet, type Tokenizer } from '../../weights';
import type { DraftKind, EngineInfo, LoadRequest, ModelInfo, PairSource } from '../protocol';
import { fetchFiles, fetchPair, ownFiles, type PairFile } from './files';
import type { LoadWays } from './ways';

interface OpenedPair {
  readonly target: FileSet;
  readonly draft: FileSet | null;
  readonly prefix: string;
  readonly examples: readonly string[];
}

type OwnPair = Extract<PairSource, { kind: 'own' }>;

/** The pair that is loaded. Its files stay in memory, so that nothing is requested again after loading. */
export class Models {
  private constructor(
    readonly backend: Backend,
    readonly models: { readonly target: T5Model; readonly draft: T5Model | null; readonly hasCopy: boolean },
    readonly tokenizer: Tokenizer,
    private readonly pair: OpenedPair,
  ) {}

  get target(): T5Model {
    return this.models.target;
  }

  static async load({ source, threads, level, dtype }: LoadRequest, ways: LoadWays): Promise<Models> {
    const { opening } = await beginPair(source, ways);
    const [pair, backend] = await both(
      opening,
      createBackend(level === undefined ? 'auto' : 'wasm', { threads, level }),
    );
    const loaded: T5Model[] = [];
    try {
      const target = await loadOne(pair.target, backend, { ...ways, dtype, copy: true });
      loaded.push(target.model);
      const drafting = pair.draft && (await loadOne(pair.draft, backend, ways));
      const draft = drafting?.model ?? null;
      if (draft) loaded.push(draft);
      if (drafting) checkVocabulary(target, drafting);
      return new Models(backend, { target: target.model, draft, hasCopy: target.hasCopy }, target.tokenizer, pair);
    } catch (error) {
      for (const model of loaded) model.dispose();
      await backend.dispose();
      throw error;
    }
  }

  get info(): Omit<EngineInfo, 'stamp'> {
    const { level, threads, reason = '', name } = this.backend.facts;
    const { prefix, examples } = this.pair;
    return {
      target: infoOf(this.target),
      hasCopy: this.models.hasCopy,
      draft: this.models.draft && infoOf(this.models.draft),
      level: name === 'wasm' ? level : `${name} ${level}`.trim(),
      threads,
      reason,
      prefix,
      examples,
    };
  }

  /** Source ids of a text, with the pair's prefix and the closing EOS. */
  encode(text: string): number[] {
    return this.tokenizer.encode(this.pair.prefix + text);
  }

  /** A token as it is written: a piece of text in which the tokenizer's sign for a space is a space. */
  labelOf(id: number): string {
    return this.tokenizer.piece(id).replaceAll('▁', ' ') || `#${id}`;
  }

  drafter(kind: DraftKind): Drafter | null {
    const size = this.target.vocabularySize;
    if (kind.startsWith('layers:')) return earlyExitDrafter(this.target, Number(kind.slice('layers:'.length)));
    switch (kind) {
      case 'copy':
        return copyDrafter(size);
      case 'ngram':
        return ngramDrafter(size);
      case 'random':
        return randomDrafter(size);
      case 'self':
        return selfDrafter(this.target, `${this.target.name} in q8`);
      case 'model':
        return this.modelDrafter();
      default:
        return null;
    }
  }

  private modelDrafter(): Drafter | null {
    const { draft } = this.models;
    return draft && modelDrafter(withVocabulary(draft, this.target.vocabularySize), draft.name);
  }

  async dispose(): Promise<void> {
    this.models.draft?.dispose();
    this.target.dispose();
    await this.backend.dispose();
  }
}

/** The pair and the backend, which come at the same time. Without the pair the backend is given back. */
async function both(opening: Promise<OpenedPair>, creating: Promise<Backend>): Promise<[OpenedPair, Backend]> {
  try {
    return await Promise.all([opening, creating]);
  } catch (error) {
    await creating.then(
      (backend) => backend.dispose(),
      () => undefined,
    );
    throw error;
  }
}

/** Asks for the files of a pair. @returns as soon as they are asked for: creating a backend keeps the worker from asking */
async function beginPair(source: PairSource, ways: LoadWays): Promise<{ readonly opening: Promise<OpenedPair> }> {
  if (source.kind === 'own') return { opening: openOwn(source, ways) };
  if (bundled !== null) return { opening: Promise.resolve(bundled) };
  const pair = await fetchPair(source.base, ways.signal);
  return { opening: openBundled(source.base, pair, ways) };
}

async function openOwn({ target, draft }: OwnPair, ways: LoadWays): Promise<OpenedPair> {
  const drafting = draft === null ? null : await ownFiles(draft, ways);
  return { target: await ownFiles(target, ways), draft: drafting, prefix: '', examples: [] };
}

/** The pair beside the page: it is fetched once, also when it is loaded again in another type. */
let bundled: OpenedPair | null = null;

async function openBundled(base: string, pair: PairFile, ways: LoadWays): Promise<OpenedPair> {
  const { prefix, examples } = pair;
  const [target, draft] = await Promise.all([
    fetchFiles(base, pair.target, pair, ways),
    pair.draft === null ? null : fetchFiles(base, pair.draft, pair, ways),
  ]);
  bundled = { target, draft, prefix, examples };
  return bundled;
}

/** @param ways `copy` keeps the decoder a second time in q8, where the model is stored in another type: it can draft for itself */
async function loadOne(
  files: FileSet,
  backend: Backend,
  { signal, onProgress, dtype, copy = false }: LoadWays & { dtype?: Dtype; copy?: boolean },
) {
  const checkpoint = await openFileSet(files);
  try {
    const tokenizer = await checkpoint.tokenizer();
    const hasCopy = copy && (dtype ?? storedDtype(checkpoint, backend)) !== 'q8';
    const model = await loadModel(checkpoint, backend, {
      ...{ signal, dtype },
      copy: hasCopy ? 'q8' : undefined,
      onProgress: ({ loaded, total }) => onProgress(`${checkpoint.name}: weights`, loaded, total),
    });
    if (!model.hasDecoder) {
      model.dispose();
      throw new TandemError('tensor-missing', `${checkpoint.name}: expected a decoder, found an encoder alone`);
    }
    return { model, tokenizer, hasCopy };
  } finally {
    await checkpoint.dispose();
  }
}

/** @throws TandemError `vocabulary-mismatch` */
function checkVocabulary(target: { tokenizer: Tokenizer }, draft: { tokenizer: Tokenizer; model: T5Model }): void {
  const found = firstVocabularyDifference(target.tokenizer, draft.tokenizer);
  if (found === null) return;
  throw new TandemError(
    'vocabulary-mismatch',
    `draft ${draft.model.name}: expected the vocabulary of the target, found a difference: ${found}`,
  );
}

function infoOf({ name, parameters, weightBytes, dtype, config }: T5Model): ModelInfo {
  const { encoderLayers, decoderLayers, heads } = config;
  return { name, parameters, weightBytes, dtype, encoderLayers, decoderLayers, heads };
}
