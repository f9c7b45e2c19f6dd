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
import { loadModel, type T5Model } from '../../engine';
import { type Backend, createBackend, type Dtype, MOST_DEFAULT_THREADS } from '../../kernels';
import { type FileSet, firstVocabularyDifference, openFileSet, type Tokenizer } from '../../weights';
import type { DraftKind, EngineInfo, LoadRequest, ModelInfo, PairSource } from '../protocol';
import { keepOnly } from './address';
import { fetchFiles, fetchPair, ownFiles } from './files';
import { unpacked } from './wasm-code';
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
    private readonly models: { target: T5Model; readonly draft: T5Model | null },
    readonly tokenizer: Tokenizer,
    private readonly pair: OpenedPair,
  ) {}

  get target(): T5Model {
    return this.models.target;
  }

  static async load({ source, threads, level, dtype }: LoadRequest, ways: LoadWays): Promise<Models> {
    const pair = await openPair(source, ways); // its files are on their way while the backend is created
    await unpacked;
    const backend = await backendFor({ threads, level });
    const loaded: T5Model[] = [];
    try {
      // The draft is small: it is loaded while the target's file is still arriving.
      const drafting = pair.draft && (await loadOne(pair.draft, backend, ways));
      const draft = drafting?.model ?? null;
      if (draft) loaded.push(draft);
      const target = await loadOne(pair.target, backend, { ...ways, dtype });
      loaded.push(target.model);
      if (drafting) checkVocabulary(target, drafting);
      if (source.kind === 'bundled') bundled = pair;
      return new Models(backend, { target: target.model, draft }, target.tokenizer, pair);
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
      canCopy: this.target.dtype !== 'q8',
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

  async drafter(kind: DraftKind, signal: AbortSignal): Promise<Drafter | null> {
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
        await this.addCopy(signal);
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

  /** Loads the target again with its decoder a second time in q8. Only who asks for that draft waits for it. */
  private async addCopy(signal: AbortSignal): Promise<void> {
    const before = this.target;
    if (before.copyDtype !== null) return;
    const dtype = before.narrowed > 0 ? undefined : before.dtype; // what is narrowed was loaded without a type
    const ways = { signal, onProgress: () => undefined, dtype, copy: 'q8' } as const;
    this.models.target = (await loadOne(this.pair.target, this.backend, ways)).model;
    before.dispose();
  }

  async dispose(): Promise<void> {
    this.models.draft?.dispose();
    this.target.dispose();
    await this.backend.dispose();
  }
}

/** Creates the backend. Where nobody says how many threads, one core is left to the page: it draws while the engine computes. */
async function backendFor({ threads, level }: Pick<LoadRequest, 'threads' | 'level'>): Promise<Backend> {
  const name = level === undefined ? 'auto' : 'wasm';
  const others = Math.min(navigator.hardwareConcurrency - 1, MOST_DEFAULT_THREADS);
  if (threads !== undefined || !crossOriginIsolated || others < 1) return createBackend(name, { threads, level });
  try {
    return await createBackend(name, { threads: others, level });
  } catch {
    return createBackend(name, { level }); // so many do not start here
  }
}

/** The pair beside the page: it is fetched once, also when it is loaded again in another type. */
let bundled: OpenedPair | null = null;

async function openPair(source: PairSource, ways: LoadWays): Promise<OpenedPair> {
  keepOnly(source.kind === 'own' ? [source.target, source.draft] : []);
  if (source.kind === 'own') return openOwn(source, ways);
  if (bundled !== null) return bundled;
  const { base } = source;
  const pair = await fetchPair(base, ways.signal);
  const { prefix, examples } = pair;
  const draft = pair.draft === null ? null : fetchFiles(base, pair.draft, pair, ways);
  const target = fetchFiles(base, pair.target, pair, ways);
  return { target, draft, prefix, examples };
}

async function openOwn({ target, draft }: OwnPair, ways: LoadWays): Promise<OpenedPair> {
  const drafting = draft === null ? null : await ownFiles(draft, ways);
  return { target: await ownFiles(target, ways), draft: drafting, prefix: '', examples: [] };
}

async function loadOne(
  files: FileSet,
  backend: Backend,
  { signal, onProgress, dtype, copy }: LoadWays & { dtype?: Dtype; copy?: Dtype },
) {
  const checkpoint = await openFileSet(files);
  try {
    const tokenizer = await checkpoint.tokenizer();
    const model = await loadModel(checkpoint, backend, {
      ...{ signal, dtype, copy },
      onProgress: ({ loaded, total }) => onProgress(`${checkpoint.name}: weights`, loaded, total),
    });
    if (!model.hasDecoder) {
      model.dispose();
      throw new TandemError('tensor-missing', `${checkpoint.name}: expected a decoder, found an encoder alone`);
    }
    return { model, tokenizer };
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
