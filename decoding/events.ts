import type { GenerationResult } from './run';
import type { NewToken } from './verification/accept';

/** What happens while sequences are decoded. `index` is the sequence's place among the requests: 0 for a single one. */
export type GenerationEvent =
  | ({ readonly kind: 'token'; readonly index: number } & NewToken)
  | { readonly kind: 'done'; readonly index: number; readonly result: GenerationResult }
  /** Only where several sequences are decoded: this one has failed, and the others go on. */
  | { readonly kind: 'failed'; readonly index: number; readonly error: Error };

/** Waits for the end of one sequence. @throws what ended it, if it was an error */
export async function collect(events: AsyncIterable<GenerationEvent>): Promise<GenerationResult> {
  for await (const event of events) {
    if (event.kind === 'done') return event.result;
    if (event.kind === 'failed') throw event.error;
  }
  throw new Error('collect: expected events up to the end of a sequence, found none');
}
