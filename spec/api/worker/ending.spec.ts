import { EventEmitter } from 'node:events';
import { planLoad } from '../../../api/load';
import type { LoadOptions, Notice, Progress } from '../../../api/types';
import { openWorkerEngine } from '../../../api/worker/client';
import type { FromWorker, ToWorker } from '../../../api/worker/messages';
import { Server } from '../../../api/worker/server';
import { counted, FEW, INPUT, LOAD, MODEL, openEngine, ports, WITH_SIGNAL } from './port';

jest.mock('../../../api/worker/start.node', () => ({
  startWorker: () => (require('./port') as typeof import('./port')).startPort(),
}));

describe('a worker', () => {
  it('that ends by itself fails every open question and every later one with its reason', async () => {
    const { engine, port } = await openEngine();
    port.isSilent = true;
    const { signal, listeners } = counted();
    const reason = new Error('gone');
    const open = [engine.encode('a', {}), ...WITH_SIGNAL.map(([, call]) => call(engine, signal))];
    const all = Promise.allSettled(open);
    await new Promise(setImmediate);
    port.end(reason);
    port.end(new Error('a second time'));
    for (const result of await all) expect(result).toMatchObject({ status: 'rejected', reason });
    expect([port.isAlive, listeners()]).toEqual([false, 0]);
    const before = port.posted.length;
    await expect(engine.decodeIds([5], {})).rejects.toBe(reason);
    for (const [, call] of WITH_SIGNAL) await expect(call(engine, signal)).rejects.toBe(reason);
    expect(port.posted).toHaveLength(before);
    const { controller, signal: late } = counted();
    const running = engine.compare(INPUT, {}, late).catch(() => undefined);
    controller.abort();
    await running;
    expect(port.posted).toHaveLength(before); // nobody is there who could hear an abort
  });

  it('that is disposed ends once for each call of dispose, and every open question is refused', async () => {
    const { engine, port } = await openEngine();
    const open = engine.encode('a', {}).catch((error) => error.code);
    await engine.dispose();
    expect([await open, port.terminated, port.isAlive]).toEqual(['disposed', 1, false]);
  });

  it('tells progress and notices of loading to who listens, and gets no functions', async () => {
    const [progress, notices]: [Progress[], Notice[]] = [[], []];
    const { signal } = new AbortController();
    const hooks = { onProgress: (one: Progress) => progress.push(one), onNotice: (one: Notice) => notices.push(one) };
    const { engine, port } = await openEngine({ ...LOAD, ...hooks, signal, prefix: 'modernize: ' });
    expect(progress.at(-1)).toMatchObject({ loaded: progress.at(-1)?.total });
    expect(engine.facts).toMatchObject({ prefix: 'modernize: ', drafter: 'copy', backend: { worker: true } });
    const sent = port.posted[0] as never as { question: { ask: string; options: object } };
    expect(sent.question.ask).toBe('load');
    expect(Object.keys(sent.question.options)).toEqual(['threads']);
    await engine.dispose();
  });

  it('that cannot load is ended, and the error is that of loading', async () => {
    const load = async (options: LoadOptions) => openWorkerEngine(await planLoad('/no/such/model', options), options);
    await expect(load(LOAD)).rejects.toMatchObject({ name: 'WeightsError', code: 'not-found' });
    expect(ports[ports.length - 1].terminated).toBe(1);
  });

  it('is not started where loading was cancelled before, and ended where it is cancelled meanwhile', async () => {
    const { controller, signal, listeners } = counted();
    const options = { ...LOAD, signal, onProgress: () => controller.abort('too long') };
    await expect(openEngine(options)).rejects.toMatchObject({ code: 'aborted', cause: 'too long' });
    const started = ports.length;
    expect([ports[started - 1].terminated, listeners()]).toEqual([1, 0]);
    await expect(openEngine(options)).rejects.toMatchObject({ code: 'aborted', cause: 'too long' });
    expect(ports).toHaveLength(started);
  });

  it('refuses questions before it has loaded, knows no call that has ended, and ends one twice', async () => {
    const answers: FromWorker[] = [];
    const server = new Server((message) => answers.push(message));
    const questions = [
      { ask: 'encode', input: 'a', options: {} },
      { ask: 'next', call: 9 },
      { ask: 'end', call: 9 },
    ];
    for (const [number, question] of questions.entries()) server.receive({ number, question } as ToWorker);
    server.receive({ abort: 9 });
    while (answers.length < questions.length) await new Promise(setImmediate);
    const byNumber = new Map(answers.map((answer) => [(answer as { answer: number }).answer, answer]));
    expect(byNumber.get(0)).toMatchObject({ error: { name: 'TandemError', code: 'argument-invalid' } });
    expect(byNumber.get(1)).toEqual({ answer: 1, value: null });
    expect(byNumber.get(2)).toEqual({ answer: 2, value: undefined });
  });

  it.each(['compare', 'measureCosts', 'score', 'embed', 'decodeAll'] as const)(
    'cancels %s when it is told to',
    async (ask) => {
      const answers: FromWorker[] = [];
      const server = new Server((message) => answers.push(message));
      const answerTo = async (number: number, question: unknown, isCancelled = false) => {
        server.receive({ number, question } as ToWorker);
        if (isCancelled) server.receive({ abort: number });
        for (;;) {
          const found = answers.find((message) => 'answer' in message && message.answer === number);
          if (found) return found;
          await new Promise(setImmediate);
        }
      };
      await answerTo(1, { ask: 'load', plan: await planLoad(MODEL, LOAD), options: { threads: 1 } });
      const inputs = ask === 'score' ? { source: INPUT, targets: ['He comes.'] } : { input: INPUT, inputs: [INPUT] };
      const options = { score: {}, embed: {}, measureCosts: { rows: 1, repeats: 1 }, compare: FEW, decodeAll: FEW }[
        ask
      ];
      const question = { ask, ...inputs, options };
      expect(await answerTo(2, question, true)).toMatchObject({ error: { code: 'aborted' } });
      expect(await answerTo(3, question)).not.toHaveProperty('error');
    },
  );

  it('is this conversation in the thread that has a port to another one', async () => {
    const port = Object.assign(new EventEmitter(), {
      postMessage: (message: FromWorker) => port.emit('answer', message),
    });
    const entry = (parentPort: typeof port | null) => {
      jest.doMock('node:worker_threads', () => ({ ...jest.requireActual('node:worker_threads'), parentPort }));
      jest.isolateModules(() => require('../../../api/worker/entry.node'));
      jest.dontMock('node:worker_threads');
    };
    entry(null); // a thread without a port has nobody to talk to
    entry(port);
    const answer = new Promise((resolve) => port.once('answer', resolve));
    port.emit('message', { number: 4, question: { ask: 'next', call: 1 } });
    expect(await answer).toEqual({ answer: 4, value: null });
  });
});
