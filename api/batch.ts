import { generateBatch, type SequenceRequest } from '../decoding';
import { type Loaded, sourceIds } from './load';
import { resultWith, StopWatch, textStream } from './stops';
import { Turns } from './turns.node';
import type { BatchGenerateOptions, BatchProgress } from './types';

/** See `Tandem.generateBatch`. */
export async function* batchOf(
  loaded: Loaded,
  inputs: Iterable<string | readonly number[]>,
  options: BatchGenerateOptions,
): AsyncGenerator<BatchProgress, void, void> {
  const { concurrency, signal, stop = [], speculative = true, ...settings } = options;
  const { target, tokenizer, drafter } = loaded;
  const watches: StopWatch[] = [];
  /** Places of the requests among the inputs: one that cannot be encoded never becomes a request. */
  const places: number[] = [];
  const failed: BatchProgress[] = [];
  const requests = function* (): Generator<SequenceRequest> {
    let index = 0;
    for (const input of inputs) {
      const sequence = index === 0 ? 'main' : `line ${index + 1}`;
      const watch = new StopWatch(textStream(tokenizer), stop);
      watches[index] = watch;
      try {
        const source = sourceIds(loaded, input);
        places.push(index++);
        const readToken = (token: number) => ({ text: watch.push(token), stop: watch.stopped });
        yield { source, settings: { ...settings, sequence }, readToken };
      } catch (error) {
        failed.push({ kind: 'failed', index: index++, error: error as Error });
      }
    }
  };
  const turns = new Turns();
  const pair = { target, drafter: speculative ? drafter : null };
  for await (const event of generateBatch(pair, requests(), { concurrency, signal })) {
    yield* failed.splice(0);
    const index = places[event.index];
    if (event.kind === 'token') yield { kind: 'token', index, token: event };
    else if (event.kind === 'done') yield { kind: 'done', index, result: resultWith(event.result, watches[index]) };
    else yield { ...event, index };
    await turns.give();
  }
  yield* failed;
}
