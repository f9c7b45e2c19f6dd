import {
  begin,
  checkRequest,
  checkSignal,
  dispose,
  type GenerationResult,
  type Pair,
  proposeFor,
  type Run,
  resultOf,
  type SequenceRequest,
  scoreFor,
  settle,
  stopAt,
  type TokenEvent,
} from './round';

export interface GenerationRequest extends Pair, SequenceRequest {}

/**
 * Decodes one source, token by token as they become certain; returns the whole at the end. Greedy output is the same in
 * every bit with and without a drafter; sampled output has the target's distribution.
 *
 * @throws DecodingError `option-invalid`, `vocabulary-mismatch`, `no-token-left` or `aborted`
 */
export async function* generate(request: GenerationRequest): AsyncGenerator<TokenEvent, GenerationResult, void> {
  checkRequest(request, request);
  const [encoded] = await request.target.encode([request.source]);
  let run: Run;
  try {
    run = await begin(request, request, encoded);
  } catch (error) {
    encoded.dispose();
    throw error;
  }
  try {
    return yield* rounds(run);
  } finally {
    dispose(run);
  }
}

/** Algorithm 1 of Leviathan et al. 2023, round after round until the sequence ends. */
async function* rounds(run: Run): AsyncGenerator<TokenEvent, GenerationResult, void> {
  for (;;) {
    checkSignal(run);
    // 1. The draft proposes up to γ tokens in a row, or a tree of them.
    const [tree] = await proposeFor([run]);
    // 2. The target scores the last token and the whole proposal in one call: one distribution more than there are candidates.
    const [targets] = await scoreFor([run], [tree]);
    // 3. Accept a path; correct the first rejected token, or draw a free one.
    const { events, before } = settle(run, tree, targets);
    // 4. Hand the tokens out, up to whatever ends the sequence.
    for (const [i, event] of events.entries()) {
      const stopReason = stopAt(run, event);
      yield event;
      if (stopReason) return resultOf(run, before + i + 1, stopReason);
    }
  }
}
