import { join } from 'node:path';
import type { Engine } from '../../../api/engine';
import { planLoad } from '../../../api/load';
import type { Input, LoadOptions, StreamEvent } from '../../../api/types';
import { openWorkerEngine } from '../../../api/worker/client';
import type { FromWorker, Question, ToWorker } from '../../../api/worker/messages';
import { Server } from '../../../api/worker/server';
import type { WorkerPort } from '../../../api/worker/start.node';

/** A worker's program behind a port on this thread: messages are cloned, and come in a later turn of the event loop. */
export class Port implements WorkerPort {
  /** What was posted, in order. */
  readonly posted: ToWorker[] = [];
  /** Numbers of questions without an answer. */
  readonly open = new Set<number>();
  isAlive = false;
  terminated = 0;
  /** While true nothing is answered. */
  isSilent = false;
  end: (reason: Error) => void = () => undefined;
  private tell: (message: FromWorker) => void = () => undefined;
  private readonly server = new Server((message) => {
    const sent = structuredClone(message);
    setImmediate(() => {
      if (this.isSilent) return;
      if ('answer' in sent) this.open.delete(sent.answer);
      this.tell(sent);
      if ('answer' in sent) expect(this.isAlive).toBe(this.open.size > 0);
    });
  });

  post(message: ToWorker): void {
    const sent = structuredClone(message);
    this.posted.push(sent);
    if ('number' in sent) this.open.add(sent.number);
    expect(this.isAlive || 'abort' in sent).toBe(true);
    setImmediate(() => this.server.receive(sent));
  }

  listen(onMessage: (message: FromWorker) => void, onEnd: (reason: Error) => void): void {
    this.tell = onMessage;
    this.end = onEnd;
  }

  keepAlive(alive: boolean): void {
    this.isAlive = alive;
  }

  async terminate(): Promise<void> {
    this.terminated++;
    this.isSilent = true;
  }

  /** Numbers of the questions of one kind. */
  asked(ask: Question['ask']): number[] {
    return this.posted.flatMap((sent) => ('question' in sent && sent.question.ask === ask ? [sent.number] : []));
  }

  get aborted(): number[] {
    return this.posted.flatMap((sent) => ('abort' in sent ? [sent.abort] : []));
  }
}

/** Every port that was opened. A spec gives them out in place of workers. */
export const ports: Port[] = [];

/** Stands for `startWorker`. */
export async function startPort(): Promise<WorkerPort> {
  ports.push(new Port());
  return ports[ports.length - 1];
}

export const MODEL = join(__dirname, '..', '..', '..', 'models', 'modernize-draft');
export const LOAD: LoadOptions = { threads: 1, draft: 'copy', worker: true };
export const INPUT = 'modernize: Verily he cometh.';
export const FEW = { maxNewTokens: 3, gamma: 2 };

/** An engine behind a port of its own. */
export async function openEngine(options: LoadOptions = LOAD): Promise<{ engine: Engine; port: Port }> {
  const engine = await openWorkerEngine(await planLoad(MODEL, options), options);
  return { engine, port: ports[ports.length - 1] };
}

/** A signal that counts its listeners. */
export function counted(): { readonly controller: AbortController; readonly signal: AbortSignal; listeners(): number } {
  const controller = new AbortController();
  const { signal } = controller;
  const heard = new Set<unknown>();
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (kind: string, listener: never) => {
    heard.add(listener);
    add(kind, listener);
  };
  signal.removeEventListener = (kind: string, listener: never) => {
    heard.delete(listener);
    remove(kind, listener);
  };
  return { controller, signal, listeners: () => heard.size };
}

/** Every call that has a signal, each to its end. */
export const CALLS: Readonly<Record<string, (engine: Engine, signal: AbortSignal, input?: Input) => Promise<unknown>>> =
  {
    decode: async (engine, signal, input = INPUT) => {
      const events: StreamEvent[] = [];
      for await (const event of engine.decode([input], FEW, signal)) events.push(event);
      return events;
    },
    compare: (engine, signal, input = INPUT) => engine.compare(input, FEW, signal),
    measureCosts: (engine, signal, input = INPUT) => engine.measureCosts(input, { rows: 1, repeats: 1 }, signal),
    score: (engine, signal, input = INPUT) => engine.score(input, ['He comes.'], {}, signal),
    embed: (engine, signal, input = INPUT) => engine.embed([input], {}, signal),
  };
export const WITH_SIGNAL = Object.entries(CALLS);
