import { Inbox, TandemError } from '../../common';
import type { CostTable } from '../../decoding';
import type { EmbedOptions } from '../embed-options';
import type { Engine, LoadedFacts } from '../engine';
import type { LoadPlan } from '../load';
import { giveNotice } from '../notices.node';
import type { Score, ScoreOptions } from '../score-options';
import type { DecodeIdsOptions, EncodeInputOptions } from '../text-options';
import type {
  CompareOptions,
  Comparison,
  GenerateOptions,
  Input,
  LoadOptions,
  MeasureCostsOptions,
  StreamEvent,
} from '../types';
import {
  errorFromData,
  eventFromData,
  type FromWorker,
  type LoadAnswer,
  type Question,
  type Sent,
  type SentEvent,
} from './messages';
import { sendablePlan } from './plan';
import { startWorker, type WorkerPort } from './start.node';

/**
 * Loads in a worker of its own.
 *
 * @throws TandemError `option-invalid` when something cannot be sent to a worker, `unavailable` when no worker can start; and
 * whatever loading throws
 */
export async function openWorkerEngine(plan: LoadPlan, options: LoadOptions): Promise<Engine> {
  const sent = sendablePlan(plan);
  const { draft: _draft, prefix: _prefix, worker: _worker, signal, onProgress, onNotice, ...rest } = options;
  const { bundledUrl: _url, ...sentOptions } = rest; // the plan has the pair's addresses
  if (signal?.aborted) throw aborted('loading', signal);
  const conversation = new Conversation(await startWorker(options.backend), (message) => {
    if ('progress' in message) onProgress?.(message.progress);
    else if ('notice' in message) giveNotice(onNotice, message.notice);
  });
  try {
    const loading = conversation.ask({ ask: 'load', plan: sent, options: sentOptions });
    const facts = (await orAborted(loading, signal, 'loading')) as LoadAnswer;
    return new WorkerEngine(conversation, facts, options.continuousBatching !== undefined);
  } catch (error) {
    await conversation.end();
    throw error;
  }
}

type DecodeQuestion = Omit<Extract<Question, { ask: 'decode' }>, 'ask'>;

/** The engine in a worker, seen from the thread of the caller. */
class WorkerEngine implements Engine {
  readonly facts: LoadedFacts;
  readonly parts = null;
  readonly notSendable = ['processors', 'prefixAllowedTokens', 'trace', 'onEncoding'] as const;

  constructor(
    private readonly conversation: Conversation,
    facts: LoadedFacts,
    private readonly isContinuous: boolean,
  ) {
    this.facts = { ...facts, backend: { ...facts.backend, worker: true } };
  }

  decode(
    inputs: readonly Input[],
    options: GenerateOptions,
    signal: AbortSignal,
  ): AsyncGenerator<StreamEvent, void, void> {
    const question = { inputs, options: withoutFunctions(options) };
    return this.isContinuous ? this.told(question, signal) : this.asked(question, signal);
  }

  /** Events that come without being asked for: the worker goes on with other calls meanwhile. */
  private async *told(call: DecodeQuestion, signal: AbortSignal): AsyncGenerator<StreamEvent, void, void> {
    const { conversation } = this;
    const events = new Inbox<StreamEvent>();
    const abort = () => events.close(aborted('generation', signal));
    const { number, answer } = conversation.start({ ask: 'decodeAll', ...call }, (event) =>
      events.put(eventFromData(event)),
    );
    answer.then(
      () => events.close(),
      (error: Error) => events.close(error),
    );
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    try {
      yield* events.take();
    } finally {
      signal.removeEventListener('abort', abort);
      conversation.abort(number); // of a call that has ended it has no effect
    }
  }

  private async *asked(call: DecodeQuestion, signal: AbortSignal): AsyncGenerator<StreamEvent, void, void> {
    const { conversation } = this;
    const { number, answer } = conversation.start({ ask: 'decode', ...call });
    try {
      await orAborted(answer, signal, 'generation');
      for (;;) {
        const event = await orAborted(conversation.ask({ ask: 'next', call: number }), signal, 'generation');
        if (event === null) return;
        yield eventFromData(event as SentEvent);
      }
    } finally {
      const ended = conversation.ask({ ask: 'end', call: number }).catch(() => undefined); // a worker that is gone holds nothing
      if (!signal.aborted) await ended; // who cancels does not wait for the step that is under way
    }
  }

  compare(input: Input, options: CompareOptions, signal: AbortSignal): Promise<Comparison> {
    return this.whole({ ask: 'compare', input, options: withoutFunctions(options) }, signal) as Promise<Comparison>;
  }

  measureCosts(input: Input, options: MeasureCostsOptions, signal: AbortSignal): Promise<CostTable> {
    return this.whole({ ask: 'measureCosts', input, options: withoutFunctions(options) }, signal) as Promise<CostTable>;
  }

  score(source: Input, targets: readonly Input[], options: ScoreOptions, signal: AbortSignal): Promise<Score[]> {
    const question = { ask: 'score', source, targets, options: withoutFunctions(options) } as const;
    return this.whole(question, signal) as Promise<Score[]>;
  }

  embed(inputs: readonly Input[], options: EmbedOptions, signal: AbortSignal): Promise<Float32Array[]> {
    return this.whole({ ask: 'embed', inputs, options: withoutFunctions(options) }, signal) as Promise<Float32Array[]>;
  }

  encode(input: Input, options: EncodeInputOptions): Promise<number[]> {
    return this.conversation.ask({ ask: 'encode', input, options }) as Promise<number[]>;
  }

  decodeIds(ids: readonly number[], options: DecodeIdsOptions): Promise<string> {
    return this.conversation.ask({ ask: 'decodeIds', ids, options }) as Promise<string>;
  }

  dispose(): Promise<void> {
    return this.conversation.end();
  }

  private whole(question: Question, signal: AbortSignal): Promise<unknown> {
    const { number, answer } = this.conversation.start(question);
    const abort = () => this.conversation.abort(number);
    signal.addEventListener('abort', abort);
    return orAborted(answer, signal, question.ask).finally(() => signal.removeEventListener('abort', abort));
  }
}

interface OpenQuestion {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onEvent?: (event: SentEvent) => void;
}

/** Questions to a worker and its answers. The worker keeps the process alive only while a question is open. */
class Conversation {
  private readonly open = new Map<number, OpenQuestion>();
  private asked = 0;
  private over: Error | null = null;

  constructor(
    private readonly port: WorkerPort,
    private readonly onOther: (message: FromWorker) => void,
  ) {
    port.listen(
      (message) => this.receive(message),
      (reason) => this.close(reason),
    );
  }

  ask(question: Question): Promise<unknown> {
    return this.start(question).answer;
  }

  /** @param onEvent hears of events before the answer */
  start(
    question: Question,
    onEvent?: (event: SentEvent) => void,
  ): { readonly number: number; readonly answer: Promise<unknown> } {
    const number = ++this.asked;
    if (this.over) return { number, answer: Promise.reject(this.over) };
    const answer = new Promise<unknown>((resolve, reject) => {
      this.open.set(number, { resolve, reject, onEvent });
    });
    this.port.keepAlive(true);
    try {
      this.port.post({ number, question });
    } catch (error) {
      this.settle(number, (open) => open.reject(cannotSend(error)));
    }
    return { number, answer };
  }

  abort(number: number): void {
    if (!this.over) this.port.post({ abort: number });
  }

  /** Ends the worker, whatever it is doing. Open questions fail. */
  async end(): Promise<void> {
    this.close(new TandemError('disposed', 'worker: expected one that is loaded, found it disposed'));
    await this.port.terminate();
  }

  private receive(message: FromWorker): void {
    if ('event' in message) {
      this.open.get(message.call)?.onEvent?.(message.event);
      return;
    }
    if (!('answer' in message)) {
      this.onOther(message);
      return;
    }
    this.settle(message.answer, ({ resolve, reject }) => {
      if ('error' in message) reject(errorFromData(message.error));
      else resolve(message.value);
    });
  }

  private settle(number: number, how: (open: OpenQuestion) => void): void {
    const open = this.open.get(number);
    this.open.delete(number);
    if (this.open.size === 0) this.port.keepAlive(false);
    if (open) how(open);
  }

  private close(reason: Error): void {
    this.over ??= reason;
    for (const number of [...this.open.keys()]) this.settle(number, ({ reject }) => reject(reason));
  }
}

function withoutFunctions<Options extends GenerateOptions>(options: Options): Sent<Options> {
  const {
    signal: _signal,
    processors: _own,
    prefixAllowedTokens: _allowed,
    trace: _trace,
    onEncoding: _hears,
    ...rest
  } = options;
  return rest as Sent<Options>;
}

/** The value, or an error as soon as the signal is aborted. */
async function orAborted<T>(value: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (!signal) return value;
  let abort: () => void = () => undefined;
  const cancelled = new Promise<never>((_, reject) => {
    abort = () => reject(aborted(what, signal));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
  value.catch(() => undefined); // after an abort nobody waits for it any more
  return Promise.race([value, cancelled]).finally(() => signal.removeEventListener('abort', abort));
}

function aborted(what: string, signal: AbortSignal): TandemError {
  return new TandemError('aborted', `${what}: cancelled`, { cause: signal.reason });
}

function cannotSend(error: unknown): TandemError {
  const found = (error as Error).message;
  return new TandemError('option-invalid', `worker: expected options that can be sent to a worker, found ${found}`, {
    cause: error,
  });
}
