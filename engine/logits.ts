import type { Backend, Logits, TopK } from '../kernels';
import { EngineError } from './errors';
import type { LogitsView } from './types';

/** Boxes of logits that take turns, so that a view stays valid while other calls run. */
export class LogitsPool {
  private readonly idle: Logits[] = [];
  private readonly all: Logits[] = [];

  constructor(private readonly backend: Backend) {}

  /** Views not yet disposed. */
  get open(): number {
    return this.all.length - this.idle.length;
  }

  take(): Logits {
    const box = this.idle.pop();
    if (box) return box;
    const fresh = this.backend.logits();
    this.all.push(fresh);
    return fresh;
  }

  view(box: Logits): LogitsView {
    return new View(this.backend, box, () => this.idle.push(box));
  }

  /** Puts a box back that no view was made of. */
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
    return this.backend.argMax(this.alive());
  }

  logSumExp(row: number, inverseTemperature: number): Promise<number> {
    return this.backend.logSumExp(this.alive(), row, inverseTemperature);
  }

  at(rows: Int32Array, tokens: Int32Array): Promise<Float32Array> {
    return this.backend.at(this.alive(), rows, tokens);
  }

  topK(row: number, k: number): Promise<TopK> {
    return this.backend.topK(this.alive(), row, k);
  }

  read(row: number): Promise<Float32Array> {
    return this.backend.readLogits(this.alive(), row);
  }

  dispose(): void {
    if (!this.box) return;
    this.box = null;
    this.onDispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private alive(): Logits {
    if (!this.box) throw new EngineError('disposed', 'logits: expected a live view, found one already disposed');
    return this.box;
  }
}
