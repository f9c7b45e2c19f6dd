import { Callable } from './callable';

/** Ids of each sequence so far, the decoder's start token first. */
export type SequenceIds = readonly (readonly bigint[])[];

/** What may end a sequence early. Subclasses say in `_call`, after each token, which sequences end. */
export abstract class StoppingCriteria extends Callable<[ids: SequenceIds, scores?: unknown], boolean[]> {}

/** Several criteria; a sequence ends where one of them ends it. */
export class StoppingCriteriaList extends StoppingCriteria implements Iterable<StoppingCriteria> {
  readonly criteria: StoppingCriteria[] = [];

  push(criterion: StoppingCriteria): void {
    this.criteria.push(criterion);
  }

  extend(criteria: StoppingCriteria | StoppingCriteriaList | readonly StoppingCriteria[]): void {
    if (criteria instanceof StoppingCriteriaList) this.criteria.push(...criteria.criteria);
    else this.criteria.push(...(Array.isArray(criteria) ? criteria : [criteria as StoppingCriteria]));
  }

  override _call(ids: SequenceIds, scores?: unknown): boolean[] {
    const verdicts = this.criteria.map((criterion) => criterion(ids, scores));
    return ids.map((_, i) => verdicts.some((verdict) => verdict[i]));
  }

  [Symbol.iterator](): Iterator<StoppingCriteria> {
    return this.criteria.values();
  }
}

/** Ends a sequence that has `max_length` ids, the start token among them. */
export class MaxLengthCriteria extends StoppingCriteria {
  constructor(readonly max_length: number) {
    super();
  }

  override _call(ids: SequenceIds): boolean[] {
    return ids.map((sequence) => sequence.length >= this.max_length);
  }
}

/** Ends a sequence whose last id is one of these. */
export class EosTokenCriteria extends StoppingCriteria {
  readonly eos_token_id: readonly (number | bigint)[];

  constructor(eos_token_id: number | bigint | readonly (number | bigint)[]) {
    super();
    this.eos_token_id = typeof eos_token_id === 'object' ? eos_token_id : [eos_token_id];
  }

  override _call(ids: SequenceIds): boolean[] {
    return ids.map((sequence) => this.eos_token_id.some((id) => BigInt(id) === sequence[sequence.length - 1]));
  }
}

/** Ends every sequence once `interrupt` was called. */
export class InterruptableStoppingCriteria extends StoppingCriteria {
  interrupted = false;

  interrupt(): void {
    this.interrupted = true;
  }

  reset(): void {
    this.interrupted = false;
  }

  override _call(ids: SequenceIds): boolean[] {
    return ids.map(() => this.interrupted);
  }
}
