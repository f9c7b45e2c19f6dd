import { generate, modelDrafter } from '../../../decoding';
import { loadModel, type T5Model } from '../../../engine';
import type { Backend, Dtype } from '../../../kernels';
import type { Checkpoint } from '../../../weights';
import { chain } from '../../support/greedy';

/** A source, and how many tokens its answer may have. */
export interface PairCase {
  readonly source: readonly number[];
  readonly maxNewTokens: number;
}

/** What greedy decoding gives without a draft and with one. */
export interface PairAnswer {
  readonly plain: readonly number[];
  readonly speculative: readonly number[];
  /** Drafted tokens that the target accepted. */
  readonly accepted: number;
  /** A hash over the bits of the target's logits for the first tokens of the answer. */
  readonly logitBits: string;
}

const HASHED_TOKENS = 8;

/** FNV-1a (Fowler, Noll, Vo) in 32 bits over the bytes of every row of logits, in one call of the target. */
async function hashLogits(target: T5Model, source: readonly number[], tokens: readonly number[]): Promise<string> {
  const [encoded] = await target.encode([source]);
  const logits = await target.forward(chain(encoded.open(), [target.startToken, ...tokens]));
  let hash = 0x811c9dc5;
  for (let row = 0; row < logits.rows; row++) {
    const { buffer, byteOffset, byteLength } = await logits.read(row);
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  logits.dispose();
  encoded.dispose();
  return (hash >>> 0).toString(16);
}

/**
 * Decodes every case with the bundled pair on a backend, in the page and in Node alike. `onLoaded` is called when both
 * models are on the device.
 */
export async function decodePair(
  backend: Backend,
  open: (name: 'modernize-target' | 'modernize-draft') => Promise<Checkpoint>,
  { dtype, cases }: { readonly dtype: Dtype; readonly cases: readonly PairCase[] },
  onLoaded: () => void = () => undefined,
): Promise<PairAnswer[]> {
  const load = async (name: 'modernize-target' | 'modernize-draft') => {
    const checkpoint = await open(name);
    const model = await loadModel(checkpoint, backend, { dtype });
    await checkpoint.dispose();
    return model;
  };
  const target = await load('modernize-target');
  const draft = await load('modernize-draft');
  onLoaded();
  const run = async (drafter: ReturnType<typeof modelDrafter> | null, { source, maxNewTokens }: PairCase) => {
    const settings = { temperature: 0, gamma: 4, maxNewTokens };
    let accepted = 0;
    let ids: readonly number[] | null = null;
    for await (const event of generate({ target, drafter, source, settings })) {
      if (event.kind === 'token' && event.origin === 'accepted') accepted++;
      if (event.kind === 'done') ids = event.result.ids;
    }
    if (ids === null) throw new Error('expected an event that decoding is done, found none');
    return { ids, accepted };
  };
  const answers: PairAnswer[] = [];
  for (const one of cases) {
    const plain = await run(null, one);
    const { ids, accepted } = await run(modelDrafter(draft), one);
    const logitBits = await hashLogits(target, one.source, plain.ids.slice(0, HASHED_TOKENS));
    answers.push({ plain: plain.ids, speculative: ids, accepted, logitBits });
  }
  target.dispose();
  draft.dispose();
  return answers;
}
