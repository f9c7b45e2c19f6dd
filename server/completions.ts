import { randomUUID } from 'node:crypto';
import type { BatchResult, Result, TokenStream } from '../api';
import { type Choice, finishReason, GrowingChoice } from './choices';
import { type CompletionRequest, readCompletion } from './completion-request';
import { fingerprintOf } from './models';
import { Pieces } from './pieces';
import type { Serving } from './serving';
import { eventStream } from './sse';
import { extraOf, usageOf } from './usage';

/** `POST /v1/completions` */
export async function completions(serving: Serving, request: Request): Promise<Response> {
  const asked = await readCompletion(serving, request);
  const { sources, options, n } = asked;
  const place = serving.places.take(sources.length * Math.max(n, options.numBeams ?? 1), 'prompt');
  const abort = new AbortController();
  const end = () => abort.abort();
  for (const signal of [request.signal, serving.ended]) {
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { signal: abort.signal });
  }
  const leave = () => {
    place.leave();
    end(); // takes the listeners away
  };
  try {
    const run = new Completion(serving, asked, serving.tandem.stream(sources, { ...options, signal: abort.signal }));
    if (asked.isStream) return await eventStream(run.chunks(), { end, onOver: leave });
    const body = await run.whole();
    leave();
    return Response.json(body);
  } catch (error) {
    leave();
    throw error;
  }
}

/** The answer to one request, as it grows. */
class Completion {
  private readonly started = performance.now();
  private readonly choices: GrowingChoice[];
  private readonly results: Result[] = [];
  private readonly head: object;
  private isFirst = true;

  constructor(
    private readonly serving: Serving,
    private readonly asked: CompletionRequest,
    private readonly events: TokenStream<BatchResult[]>,
  ) {
    const { sources, n, options } = asked;
    const pieces = new Pieces(serving.tandem);
    const count = sources.length * n;
    this.choices = Array.from({ length: count }, (_, i) => new GrowingChoice(i, options.logProbs ?? null, pieces));
    this.head = {
      ...{ id: `cmpl-${randomUUID()}`, object: 'text_completion', created: Math.floor(Date.now() / 1000) },
      ...{ model: serving.name, system_fingerprint: fingerprintOf(serving) },
    };
  }

  async whole(): Promise<object> {
    for await (const _part of this.parts()) {
      // each choice keeps its parts
    }
    return { ...this.head, choices: this.choices.map((choice) => choice.whole), ...this.costs };
  }

  /** The chunks of a stream; the last one has no choice and says what all of it cost, where that was asked for. */
  async *chunks(): AsyncGenerator<object, void, void> {
    const { includeUsage } = this.asked;
    const usage = includeUsage ? { usage: null } : {};
    for await (const part of this.parts()) yield { ...this.head, choices: [part], ...usage };
    if (includeUsage) yield { ...this.head, choices: [], ...this.costs };
  }

  private get costs(): object {
    const { lengths, seed } = this.asked;
    return { usage: usageOf(lengths, this.results), tandem: extraOf(this.results, seed) };
  }

  /** What the events bring. @throws what the first source that fails is to blame for */
  private async *parts(): AsyncGenerator<Choice, void, void> {
    const { n } = this.asked;
    for await (const event of this.events) {
      if (event.kind === 'failed') throw event.error;
      const first = event.index * n;
      if (event.kind === 'done') yield* this.finish(first, event.result);
      else {
        this.noteFirst();
        const part = await this.choices[first + event.sequence].push(event);
        if (part.text !== '' || part.logprobs !== null) yield part;
      }
    }
    this.count();
  }

  /** The sequences of a source have ended. Of a beam search only the best one had events before. */
  private *finish(first: number, result: Result): Generator<Choice, void, void> {
    this.results.push(result);
    for (const [i, sequence] of result.sequences.entries()) {
      const { whole } = this.choices[first + i];
      const rest = sequence.text.slice(whole.text.length);
      whole.text += rest;
      whole.finish_reason = finishReason(sequence.stopReason);
      yield { ...whole, text: rest, logprobs: null };
    }
  }

  private noteFirst(): void {
    if (this.isFirst) this.serving.metrics.firstToken.observe((performance.now() - this.started) / 1000);
    this.isFirst = false;
  }

  private count(): void {
    const { tokens, drafted } = this.serving.metrics;
    const usage = usageOf(this.asked.lengths, this.results);
    const { accepted_prediction_tokens: accepted, rejected_prediction_tokens: rejected } =
      usage.completion_tokens_details;
    tokens.inc({ kind: 'prompt' }, usage.prompt_tokens);
    tokens.inc({ kind: 'completion' }, usage.completion_tokens);
    drafted.inc({ outcome: 'accepted' }, accepted);
    drafted.inc({ outcome: 'rejected' }, rejected);
  }
}
