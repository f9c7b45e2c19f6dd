import { invalid } from '../common';
import { DecodingError, type Drafter, type NgramTable } from '../decoding';
import { loadModel, storedDtype, type T5Model } from '../engine';
import { type Backend, createBackend, type Dtype, KernelError } from '../kernels';
import { type Checkpoint, type GenerationStart, hasDecoder, WeightsError } from '../weights';
import { CostKeeper } from './costs/keeper';
import { type DraftPlan, draftPlans, UNASKED_DRAFT, withFirst } from './drafts/names';
import { type OpenedDrafts, openDrafts } from './drafts/open';
import { readTable } from './drafts/tables.node';
import type { ModelSource } from './drafts/types';
import { type EmbeddingHead, embeddingHead } from './embed-head';
import { giveNotice } from './notices.node';
import { findBundledPair } from './sources/bundled';
import { type OpenedModel, openModel } from './sources/open';
import { withoutGeneration } from './start';
import { checkedTokenizer, type OpenedTokenizer } from './tokenizers';
import type { LoadOptions, Progress } from './types';

/** Everything that decoding needs, in memory. */
export interface Loaded extends OpenedDrafts, OpenedTokenizer {
  readonly backend: Backend;
  readonly target: T5Model;
  /** Models that draft, in the order of their names. */
  readonly drafts: readonly T5Model[];
  readonly prefix: string;
  /** Whether the target drafts for itself although no draft was named. A beam search then drafts only where γ is asked for. */
  readonly draftsUnasked: boolean;
  /** Learns what decoding with the draft costs; null where nothing drafts. */
  readonly costs: CostKeeper | null;
  /** What the target states of generation; null where calls start from nothing. */
  readonly generation: GenerationStart | null;
  /** Longest source, in ids, that the target was made for; null where it does not say. */
  readonly sourceLength: number | null;
  /** Tells, once, of a source that is longer than that. */
  tellLength(found: number, most: number): void;
  /** What makes embeddings of encoder states; where the checkpoint's files of it are broken, the error that says so. */
  readonly embedding: EmbeddingHead | WeightsError;
}

/** Which target and drafts to load. */
export interface LoadPlan {
  readonly target: ModelSource;
  readonly drafts: readonly DraftPlan[];
  /** Whether the caller left the draft open. A target that has no draft of its own then drafts for itself, where that pays. */
  readonly mayDraftItself: boolean;
  readonly prefix: string;
}

/** Reads the model and the options `draft` and `prefix`; what they leave out comes from the bundled pair. */
export async function planLoad(model: ModelSource | undefined, options: LoadOptions): Promise<LoadPlan> {
  const { draft, prefix, bundledUrl, signal } = options;
  const drafts = draftPlans(draft ?? null);
  if (model !== undefined) return { target: model, drafts, mayDraftItself: draft === undefined, prefix: prefix ?? '' };
  const pair = await findBundledPair(bundledUrl, signal);
  return {
    target: pair.target,
    drafts: draft === undefined ? [{ kind: 'model', model: pair.draft }] : drafts,
    mayDraftItself: false,
    prefix: prefix ?? pair.prefix,
  };
}

/**
 * Whether a target drafts for itself unasked: where its weights are float32, on the backend on which that was never found slower
 * than decoding without a draft (docs/performance.md).
 */
function itselfPays({ tensors }: Checkpoint, { facts }: Backend, dtypeOf: () => Dtype): boolean {
  return hasDecoder(tensors) && facts.name === 'wasm' && dtypeOf() === 'f32';
}

/** A draft of the target's own first layers cannot have more of them than the target. @throws TandemError `option-invalid` */
function checkLayers(drafts: readonly DraftPlan[], { name, config }: Checkpoint): void {
  for (const draft of drafts) {
    if (draft.kind !== 'layers' || draft.layers <= config.decoderLayers) continue;
    throw invalid('draft', `layers:1 to layers:${config.decoderLayers} of ${name}`, `layers:${draft.layers}`);
  }
}

/**
 * Opens and checks every model before the weights of the first are loaded.
 *
 * @throws WeightsError, KernelError, EngineError; DecodingError `vocabulary-mismatch` or `option-invalid`
 */
export async function load(plan: LoadPlan, options: LoadOptions): Promise<Loaded> {
  const loader = new Loader(plan, options);
  try {
    return await loader.load();
  } catch (error) {
    await loader.disposeLoaded();
    throw error;
  } finally {
    await loader.disposeOpened();
  }
}

class Loader {
  private readonly opened: OpenedModel[] = [];
  private readonly models: T5Model[] = [];
  private backend: Backend | null = null;

  constructor(
    private readonly plan: LoadPlan,
    private readonly options: LoadOptions,
  ) {}

  async load(): Promise<Loaded> {
    const { plan, options } = this;
    const tables = new Map<DraftPlan, NgramTable>();
    for (const draft of withFirst(plan.drafts)) {
      if (draft.kind === 'ngram' && draft.file !== null) tables.set(draft, await readTable(draft.file));
    }
    const target = await this.open(plan.target, 'target', options.revision);
    checkLayers(withFirst(plan.drafts), target);
    const drafts = withFirst(plan.drafts).filter((draft) => draft.kind === 'model');
    const checkpoints: Checkpoint[] = [];
    for (const draft of drafts) checkpoints.push(await this.open(draft.model, 'draft', draft.revision));
    const { tokenizer, tokenizerError } = await checkedTokenizer(target, checkpoints);
    const embedding = await embeddingOf(target);
    const { threads, level, wide } = options;
    const backend = await createBackend(options.backend ?? 'auto', { threads, level, wide });
    this.backend = backend;
    checkLevel(backend, options.level);
    const generation = options.generationConfig === false ? null : (target.generation ?? null);
    const started = generation === null ? withoutGeneration(target) : target;
    const dtypeOf = () => options.dtype ?? storedDtype(target, backend);
    const draftsItself = plan.mayDraftItself && itselfPays(target, backend, dtypeOf);
    const plans = draftsItself ? [UNASKED_DRAFT] : plan.drafts;
    const copy = copyOf(withFirst(plans), dtypeOf);
    const model = await this.loadWeights(started, backend, 'target', { dtype: options.dtype, copy });
    const models = new Map<DraftPlan, T5Model>();
    for (const [i, draft] of drafts.entries()) {
      const same = drafts.slice(0, i).find((other) => isSameModel(other, draft));
      const drafting = same && models.get(same);
      models.set(
        draft,
        drafting ?? (await this.loadWeights(checkpoints[i], backend, 'draft', { dtype: draft.dtype ?? options.dtype })),
      );
    }
    for (const draft of withFirst(plans)) if (draft.kind === 'drafter') checkVocabulary(draft.drafter, model);
    const opened = openDrafts(plans, { target: model, models, tables });
    const { prefix } = plan;
    const { drafter } = opened;
    const drafting = this.models.slice(1);
    const tell = (message: string) => giveNotice(options.onNotice, { kind: 'costs', message });
    const costs = drafter && (await CostKeeper.open({ target: model, drafts: drafting, drafter, backend }, tell));
    return {
      costs,
      ...{
        backend,
        target: model,
        drafts: drafting,
        tokenizer,
        tokenizerError,
        prefix,
        generation,
        embedding,
        ...opened,
      },
      draftsUnasked: draftsItself,
      sourceLength: (await target.sourceLength?.()) ?? null,
      tellLength: lengthTeller(target.name, options),
    };
  }

  async disposeLoaded(): Promise<void> {
    for (const model of this.models) model.dispose();
    await this.backend?.dispose();
  }

  async disposeOpened(): Promise<void> {
    for (const { checkpoint, own } of this.opened) if (own) await checkpoint.dispose();
  }

  private async open(source: ModelSource, role: Progress['role'], revision?: string): Promise<Checkpoint> {
    const { onProgress } = this.options;
    const name = typeof source === 'string' ? source : source instanceof URL ? source.href : role;
    const onDownload =
      onProgress &&
      ((progress: Pick<Progress, 'item' | 'loaded' | 'total'>) =>
        onProgress({ phase: 'download', role, model: name, ...progress }));
    const opened = await openModel({ source, revision, hub: this.options, onDownload });
    this.opened.push(opened);
    return opened.checkpoint;
  }

  private async loadWeights(
    checkpoint: Checkpoint,
    backend: Backend,
    role: Progress['role'],
    types: { readonly dtype?: Dtype; readonly copy?: Dtype },
  ): Promise<T5Model> {
    const { onProgress, signal } = this.options;
    const model = await loadModel(checkpoint, backend, {
      ...types,
      signal,
      onProgress:
        onProgress &&
        (({ tensor, loaded, total }) =>
          onProgress({ phase: 'load', role, model: checkpoint.name, item: tensor, loaded, total })),
    });
    this.models.push(model);
    if (role === 'target' || model.hasDecoder) return model;
    throw new WeightsError('tensor-missing', `draft ${model.name}: expected a decoder, found an encoder alone`);
  }
}

/** What is broken here concerns embeddings alone: the model loads all the same. */
async function embeddingOf(checkpoint: Checkpoint): Promise<EmbeddingHead | WeightsError> {
  try {
    return embeddingHead((await checkpoint.embeddingSteps?.()) ?? null);
  } catch (error) {
    if (error instanceof WeightsError) return error;
    throw error;
  }
}

function lengthTeller(name: string, { onNotice }: LoadOptions): Loaded['tellLength'] {
  let told = false;
  return (found, most) => {
    if (told) return;
    told = true;
    const message = `${name}: found a source of ${found} ids, and the model was made for at most ${most}; truncate (--truncate) cuts it`;
    giveNotice(onNotice, { kind: 'long-source', message });
  };
}

/**
 * The type in which a draft wants the target's decoder a second time.
 *
 * @throws TandemError `option-invalid` when drafts want several, or the target's own
 */
function copyOf(drafts: readonly DraftPlan[], dtypeOf: () => Dtype): Dtype | undefined {
  const wanted = new Set(drafts.flatMap((draft) => (draft.kind === 'self' ? [draft.dtype] : [])));
  const [copy] = wanted;
  if (wanted.size > 1) throw invalid('draft', 'self in one type', [...wanted].map((type) => `self:${type}`).join(','));
  if (copy === undefined) return undefined;
  const dtype = dtypeOf();
  if (copy === dtype)
    throw invalid('draft', `self in another type than the target's, which is ${dtype}`, `self:${copy}`);
  return copy;
}

/** Two drafts that name one model in one type share its weights. */
function isSameModel(a: DraftPlan, b: DraftPlan): boolean {
  if (a.kind !== 'model' || b.kind !== 'model') return false;
  return a.model === b.model && a.dtype === b.dtype && a.revision === b.revision;
}

/** `auto` takes another backend rather than none; then a level that was asked for by name may not be there. */
function checkLevel({ facts }: Backend, wanted: string | undefined): void {
  if (wanted === undefined || wanted === 'auto' || wanted === facts.level) return;
  const found = facts.reason ?? `${facts.name} (${facts.level})`;
  throw new KernelError('unavailable', `level: expected ${wanted}, found ${found}`);
}

function checkVocabulary(drafter: Drafter, target: T5Model): void {
  if (drafter.vocabularySize === target.vocabularySize) return;
  const [expected, found] = [target.vocabularySize, drafter.vocabularySize];
  throw new DecodingError(
    'vocabulary-mismatch',
    `draft ${drafter.name}: expected logits over the target's ${expected} ids, found ${found}`,
  );
}
