import { generateBatch, type SequenceRequest } from '../decoding';
import { type Loaded, sourceIds } from './load';
import { resultWith, StopWatch, textStream } from './stops';
import { Turns } from './turns.node';
import type { BatchGenerateOptions, BatchProgress } from './types';

interface Entry {
  readonly watch: StopWatch;
  /** Text that tokens made certain which are still to be handed out: a round gives several. An EOS has none. */
  readonly pieces: string[];
}

/** See `Tandem.generateBatch`. */
export async function* batchOf(
  loaded: Loaded,
  inputs: Iterable<string | readonly number[]>,
  options: BatchGenerateOptions,
): AsyncGenerator<BatchProgress, void, void> {
  const { concurrency, signal, stop = [], speculative = true, ...settings } = options;
  const { target, tokenizer, drafter } = loaded;
  const entries: Entry[] = [];
  /** Places of the requests among the inputs: one that cannot be encoded never becomes a request. */
  const places: number[] = [];
  const failed: BatchProgress[] = [];
  const requests = function* (): Generator<SequenceRequest> {
    let index = 0;
    for (const input of inputs) {
      const stream = index === 0 ? 'main' : `line ${index + 1}`;
      const entry: Entry = { watch: new StopWatch(textStream(tokenizer), stop), pieces: [] };
      entries[index] = entry;
      try {
        const source = sourceIds(loaded, input);
        places.push(index++);
        yield { source, settings: { ...settings, stream }, stopAfter: (token) => heard(entry, token) };
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
    const { watch, pieces } = entries[index];
    if (event.kind === 'token') yield { kind: 'token', index, token: { ...event.event, text: pieces.shift() ?? '' } };
    else if (event.kind === 'done') yield { kind: 'done', index, result: resultWith(event.result, watch) };
    else yield { ...event, index };
    await turns.give();
  }
  yield* failed;
}

function heard(entry: Entry, token: number): boolean {
  entry.pieces.push(entry.watch.push(token));
  return entry.watch.stopped;
}
