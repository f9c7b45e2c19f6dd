import { PLAIN } from '../../api/embed-head';
import { LocalEngine } from '../../api/local';
import { Tandem } from '../../api/tandem';
import { type Drafter, modelDrafter } from '../../decoding';
import type { T5Model } from '../../engine';
import { type Backend, createReferenceBackend } from '../../kernels';
import type { T5Config, Tokenizer } from '../../weights';
import { tinyConfig } from './random-checkpoint';
import { randomTable, type TableModel, tableModel } from './table-model';

/** Ids of the toy vocabulary: 0 starts, 1 is EOS, and every other id is a letter. */
export const VOCABULARY = 8;
const EOS = 1;
const LETTERS = '··abcdef';

/** A tokenizer of one letter a token; the text of an id that stands inside a character can be kept back. */
export const letters: Tokenizer = {
  kind: 'bytes',
  vocabularySize: VOCABULARY,
  special: new Map(),
  encode: (text) => [...Array.from(text, (letter) => LETTERS.indexOf(letter)).filter((id) => id > EOS), EOS],
  decode: (ids) => ids.map(letterOf).join(''),
  incrementalDecoder: () => ({ push: letterOf, end: () => '' }),
  piece: letterOf,
  id: (piece) => LETTERS.indexOf(piece),
};

function letterOf(id: number): string {
  return id > EOS ? LETTERS[id] : '';
}

/** A toy pair behind the face, and how many views, streams and encodings its models hold. */
export interface TableTandem {
  readonly tandem: Tandem;
  readonly target: TableModel;
  readonly draft: TableModel;
  open(): number;
}

export interface TableTandemOptions {
  readonly seed: number;
  /** Changes the models before they are used, e.g. so that a call fails. */
  readonly around?: (model: TableModel, role: 'target' | 'draft') => TableModel;
  readonly drafter?: (draft: T5Model) => Drafter | null;
  readonly continuousBatching?: number;
}

/** Makes a `Tandem` on table models: everything above the engine is the product's own. */
export function tableTandem({
  seed,
  around = (model) => model,
  drafter,
  continuousBatching,
}: TableTandemOptions): TableTandem {
  const make = (one: number) =>
    tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, one), eosTokens: [EOS] });
  const [target, draft] = [make(seed), make(seed + 1)];
  const [first, second] = [asT5(around(target, 'target'), 'table'), asT5(around(draft, 'draft'), 'draft')];
  const proposing = drafter ? drafter(second) : modelDrafter(second, second.name);
  const loaded = {
    backend: quietBackend(),
    target: first,
    drafts: [second],
    tokenizer: letters,
    tokenizerError: null,
    prefix: '',
    generation: null,
    costs: null,
    embedding: PLAIN,
    drafter: proposing,
    beamDrafter: { model: second },
    sourceLength: null,
    draftsUnasked: false,
    tellLength: () => undefined,
  };
  return {
    tandem: new Tandem(new LocalEngine(loaded, { continuousBatching })),
    target,
    draft,
    open: () => target.open() + draft.open(),
  };
}

function asT5(model: TableModel, name: string): T5Model {
  const config = tinyConfig({ vocabularySize: VOCABULARY });
  const dispose = () => undefined;
  return {
    ...model,
    name,
    config,
    dtype: 'f32',
    parameters: 0,
    weightBytes: 0,
    narrowed: 0,
    copyDtype: null,
    hasDecoder: true,
    attention: () => Promise.reject(new Error('a table reads nothing')),
    encoderStates: async (sources) => sources.map((source) => statesOf('ids' in source ? source.ids : source, config)),
    dispose,
    [Symbol.dispose]: dispose,
  } as T5Model;
}

/** States that depend on the ids alone, [ids, dModel]. */
function statesOf(ids: readonly number[], { dModel }: T5Config): Float32Array {
  return Float32Array.from({ length: ids.length * dModel }, (_, i) => Math.sin(ids[Math.floor(i / dModel)] * 7 + i));
}

function quietBackend(): Backend {
  return createReferenceBackend();
}
