import { type Backend, blocksOf, type Logits, type TopK } from '../kernels';
import { EngineError } from './errors';
import type { LogitsView } from './types';

/** Boxes of logits that are used again. A view keeps its box until it is disposed, so that other calls cannot overwrite it. */
export class LogitsPool {
  private readonly idle: Logits[] = [];
  private readonly all: Logits[] = [];

  constructor(private readonly backend: Backend) {}

  take(): Logits {
    const box = this.idle.pop();
    if (box) return box;
    const fresh = this.backend.logits();
    this.all.push(fresh);
    return fresh;
  }

  /** A view of a box; the box comes back to the pool when the view is disposed. */
  view(box: Logits): LogitsView {
    return new View(this.backend, box, () => this.idle.push(box));
  }

  /** Takes back a box that no view was made of. */
  giveBack(box: Logits): void {
    this.idle.push(box);
  }

  free(): void {
    for (const box of this.all.splice(0)) this.backend.free(box);
    this.idle.length = 0;
  }
}

class View implements LogitsView {
  private box: Logits | null;
  readonly rows: number;
  readonly vocabulary: number;

  constructor(
    private readonly backend: Backend,
    box: Logits,
    private readonly onDispose: () => void,
  ) {
    this.box = box;
    this.rows = box.rows;
    this.vocabulary = box.vocabulary;
  }

  argMax(): Promise<Int32Array> {
    return this.backend.argMax(this.usableBox());
  }

  logSumExp(row: number, inverseTemperature: number): Promise<number> {
    return this.backend.logSumExp(this.usableBox(), row, inverseTemperature);
  }

  at(rows: Int32Array, tokens: Int32Array): Promise<Float32Array> {
    return this.backend.at(this.usableBox(), rows, tokens);
  }

  topK(row: number, k: number): Promise<TopK> {
    return this.backend.topK(this.usableBox(), row, k);
  }

  read(row: number): Promise<Float32Array> {
    return this.backend.readLogits(this.usableBox(), row);
  }

  async tops(row: number): Promise<Float32Array | null> {
    return (await this.backend.tops?.(this.usableBox(), row)) ?? null;
  }

  async blocks(row: number, blocks: readonly number[]): Promise<Float32Array> {
    const box = this.usableBox();
    return this.backend.blocks?.(box, row, blocks) ?? blocksOf(await this.backend.readLogits(box, row), blocks);
  }

  get isWhole(): boolean {
    return this.backend.isWhole?.(this.usableBox()) ?? false;
  }

  dispose(): void {
    if (!this.box) return;
    this.box = null;
    this.onDispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private usableBox(): Logits {
    if (this.box) return this.box;
    throw new EngineError('disposed', 'logits: expected a view in use, found one that was disposed');
  }
}
