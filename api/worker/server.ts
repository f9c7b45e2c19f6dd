import { TandemError } from '../../common';
import type { Engine } from '../engine';
import { openLocalEngine } from '../local';
import type { StreamEvent } from '../types';
import { errorToData, eventToData, type FromWorker, type Question, type ToWorker } from './messages';

/** A call whose events are asked for one by one. */
interface Running {
  readonly events: AsyncGenerator<StreamEvent, void, void>;
  readonly abort: AbortController;
}

/** The side of the worker: an engine on this thread that answers questions. */
export class Server {
  private engine: Engine | null = null;
  private readonly running = new Map<number, Running>();
  /** Of questions that can be cancelled while they are answered. */
  private readonly aborts = new Map<number, AbortController>();

  constructor(private readonly post: (message: FromWorker) => void) {}

  /** Takes a message; the answer is posted when it is there. */
  receive(message: ToWorker): void {
    if ('abort' in message) {
      this.aborts.get(message.abort)?.abort();
      this.running.get(message.abort)?.abort.abort();
      return;
    }
    const { number, question } = message;
    this.answer(number, question).then(
      (value) => this.post({ answer: number, value }),
      (error) => this.post({ answer: number, error: errorToData(error) }),
    );
  }

  private async answer(number: number, question: Question): Promise<unknown> {
    switch (question.ask) {
      case 'load':
        return this.load(number, question);
      case 'decode':
        return this.start(number, question);
      case 'decodeAll':
        return this.cancellable(number, (signal) => this.tellAll(number, question, signal));
      case 'next':
        return this.next(question.call);
      case 'end':
        return this.end(question.call);
      case 'compare':
        return this.cancellable(number, (signal) => this.loaded.compare(question.input, question.options, signal));
      case 'measureCosts':
        return this.cancellable(number, (signal) => this.loaded.measureCosts(question.input, question.options, signal));
      case 'score': {
        const { source, targets, options } = question;
        return this.cancellable(number, (signal) => this.loaded.score(source, targets, options, signal));
      }
      case 'embed':
        return this.cancellable(number, (signal) => this.loaded.embed(question.inputs, question.options, signal));
      case 'encode':
        return this.loaded.encode(question.input, question.options);
      case 'decodeIds':
        return this.loaded.decodeIds(question.ids, question.options);
    }
  }

  private get loaded(): Engine {
    if (this.engine) return this.engine;
    throw new TandemError('argument-invalid', 'worker: expected a question after `load`, found one before');
  }

  private async load(number: number, { plan, options }: Extract<Question, { ask: 'load' }>): Promise<unknown> {
    return this.cancellable(number, async (signal) => {
      this.engine = await openLocalEngine(plan, {
        ...options,
        signal,
        onProgress: (progress) => this.post({ progress }),
        onNotice: (notice) => this.post({ notice }),
      });
      return this.engine.facts;
    });
  }

  private start(number: number, { inputs, options }: Extract<Question, { ask: 'decode' }>): void {
    const abort = new AbortController();
    this.running.set(number, { events: this.loaded.decode(inputs, options, abort.signal), abort });
  }

  private async next(call: number): Promise<unknown> {
    const running = this.running.get(call);
    if (!running) return null;
    const step = await running.events.next();
    if (step.done) return null;
    return eventToData(step.value);
  }

  private async tellAll(
    call: number,
    { inputs, options }: Extract<Question, { ask: 'decodeAll' }>,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const event of this.loaded.decode(inputs, options, signal))
      this.post({ call, event: eventToData(event) });
  }

  private async end(call: number): Promise<void> {
    const running = this.running.get(call);
    this.running.delete(call);
    running?.abort.abort();
    await running?.events.return();
  }

  private async cancellable<T>(number: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    this.aborts.set(number, abort);
    try {
      return await work(abort.signal);
    } finally {
      this.aborts.delete(number);
    }
  }
}
