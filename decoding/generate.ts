import { wholeShare } from './encodings';
import type { GenerationEvent } from './events';
import { Failure } from './failure';
import { round } from './round';
import { checkRequest, checkSignal, disposeRun, type Pair, resultOf, type SequenceRequest, startRun } from './run';

export interface GenerationRequest extends Pair, SequenceRequest {}

/**
 * Decodes one sequence. Tokens come out as soon as they are certain, and `done` with the result comes last. Greedy output is the
 * same in every bit with and without a drafter; sampled output has the target's distribution.
 *
 * @throws DecodingError `option-invalid`, `vocabulary-mismatch`, `processor-invalid`, `logits-invalid`, `no-token-left` or `aborted`
 */
export async function* generate(request: GenerationRequest): AsyncGenerator<GenerationEvent, void, void> {
  checkRequest(request, request);
  checkSignal(request.signal);
  const [encoded] = await request.target.encode([request.source], {
    signal: request.signal,
    onProgress: request.onEncoding,
  });
  const encoding = wholeShare(encoded);
  const run = await startRun(request, request, encoding).catch((error) => {
    encoding.dispose();
    throw error;
  });
  try {
    for (;;) {
      const [outcome] = await round([run]);
      if (outcome instanceof Failure) throw outcome.error;
      for (const token of outcome.tokens) yield { kind: 'token', index: 0, ...token };
      if (outcome.stopReason) return yield { kind: 'done', index: 0, result: resultOf(run, outcome.stopReason) };
    }
  } finally {
    disposeRun(run);
  }
}
