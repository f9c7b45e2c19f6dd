/**
 * Attention weights, asked of the backend's own kernel. The weighted sum of one-hot values is the weights themselves: where key j
 * has the value e_c, column c of the result is the weight of key j. So these are the weights that the kernel mixes with, position
 * bias and hidden ids included, and no second softmax is written here.
 */
import type { Backend, Bias, KvCache, Plan, Tensor } from '../kernels';
import type { Observe } from './forward';
import type { T5Weights } from './layers';
import { sourcesPlan } from './plan';
import type { SourceRows } from './source';
import type { AttentionMaps } from './types';

interface Probed {
  readonly heads: number;
  readonly dKv: number;
  readonly source: SourceRows;
  /** Ids of the output. */
  readonly output: number;
}

/** Watches one pass of the encoder and one of the decoder, and asks the kernel for the weights of each layer. */
export class AttentionProbe {
  private readonly encoder: Promise<Float32Array>[] = [];
  private readonly cross: Promise<Float32Array>[] = [];
  /** Keys of each layer's cross-attention, [source, heads · dKv]. */
  private readonly crossKeys: Tensor[] = [];
  private readonly keysRead: Promise<Float32Array>[] = [];
  /** Values with which chunk b of the keys shows itself: key j has e_(j − b · dKv), or nothing. */
  private readonly oneHots: readonly Tensor[];
  private readonly cache: KvCache;
  private readonly out: Tensor;
  private readonly plans: { readonly self: Plan; readonly cross: Plan };
  /** Slot j holds key j of the source. */
  private readonly slots: Int32Array;
  private queries: Tensor | null = null;

  constructor(
    private readonly backend: Backend,
    private readonly weights: T5Weights,
    private readonly probed: Probed,
  ) {
    const { heads, dKv, source, output } = probed;
    const keys = source.ids.length;
    this.slots = Int32Array.from({ length: keys }, (_, i) => i);
    this.cache = backend.cache(heads, dKv, keys);
    this.out = backend.tensor();
    this.plans = { self: backend.plan(), cross: backend.plan() };
    backend.arrange(this.plans.self, sourcesPlan([source], false));
    backend.arrange(this.plans.cross, {
      rows: output,
      ...{ write: new Int32Array(0), start: new Int32Array(output), position: new Int32Array(output) },
      ...{ count: new Int32Array(output).fill(keys), keys: this.slots },
    });
    this.oneHots = Array.from({ length: Math.ceil(keys / dKv) }, (_, chunk) => this.oneHot(chunk));
  }

  readonly observe: Observe = (name, tensor) => {
    const [, what, layer, part] = /^(encoder\.self|decoder\.cross|cross)\.(\d+)\.(query|keys?)$/.exec(name) ?? [];
    if (part === 'query') this.queries = tensor;
    if (what === 'cross') this.keysRead.push(this.backend.read(tensor));
    if (what === 'encoder.self' && part === 'key') {
      const { bias } = this.weights.encoder.layers[Number(layer)];
      this.encoder.push(this.ask(this.queries as Tensor, tensor, this.plans.self, bias));
    }
    if (what === 'decoder.cross')
      this.cross.push(this.ask(tensor, this.crossKeys[Number(layer)], this.plans.cross, null));
  };

  /** To be awaited between the two passes: the decoder's layers come after all keys, whose box is used again by then. */
  async endOfEncoder(): Promise<void> {
    const { heads, dKv, source } = this.probed;
    for (const reading of this.keysRead) {
      const box = this.backend.tensor();
      this.crossKeys.push(box);
      this.backend.write(box, source.ids.length, heads * dKv, await reading);
    }
  }

  async maps(): Promise<AttentionMaps> {
    const { heads, source, output } = this.probed;
    const [encoder, cross] = await Promise.all([Promise.all(this.encoder), Promise.all(this.cross)]);
    return { heads, source: source.ids.length, output, encoder, cross };
  }

  free(): void {
    const { oneHots, crossKeys, cache, out, plans } = this;
    for (const box of [...oneHots, ...crossKeys, cache, out, plans.self, plans.cross]) this.backend.free(box);
  }

  private oneHot(chunk: number): Tensor {
    const { heads, dKv } = this.probed;
    const source = this.slots.length;
    const values = new Float32Array(source * heads * dKv);
    const end = Math.min(source, (chunk + 1) * dKv);
    for (let key = chunk * dKv; key < end; key++) {
      for (let head = 0; head < heads; head++) values[(key * heads + head) * dKv + key - chunk * dKv] = 1;
    }
    const box = this.backend.tensor();
    this.backend.write(box, source, heads * dKv, values);
    return box;
  }

  /** Weights of queries over keys, [heads, queries, source]. */
  private async ask(queries: Tensor, keys: Tensor, plan: Plan, bias: Bias | null): Promise<Float32Array> {
    const { backend, cache, slots, out } = this;
    const { heads, dKv } = this.probed;
    const [rows, source] = [queries.rows, slots.length];
    const chunks = this.oneHots.map((values) => {
      backend.append(cache, keys, values, slots);
      backend.attention(out, queries, null, cache, plan, bias); // [rows, heads · dKv]
      return backend.read(out);
    });
    const weights = new Float32Array(heads * rows * source); // [heads, rows, source]
    for (const [chunk, reading] of chunks.entries()) {
      const found = await reading;
      const first = chunk * dKv;
      const count = Math.min(dKv, source - first);
      for (let row = 0; row < rows; row++) {
        for (let head = 0; head < heads; head++) {
          const from = (row * heads + head) * dKv;
          weights.set(found.subarray(from, from + count), (head * rows + row) * source + first);
        }
      }
    }
    return weights;
  }
}
