import { Tandem } from '../../../api';
import type { Engine } from '../../../api/engine';
import type { StreamEvent } from '../../../api/types';
import type { Question, ToWorker } from '../../../api/worker/messages';
import { EngineError } from '../../../engine';
import { counted, FEW, INPUT, LOAD, MODEL, openEngine, type Port, WITH_SIGNAL } from './port';

jest.mock('../../../api/worker/start.node', () => ({
  startWorker: () => (require('./port') as typeof import('./port')).startPort(),
}));

const isDone = (event: StreamEvent) => event.kind === 'done';
const timeless = (event: StreamEvent) =>
  isDone(event) ? { ...event, result: { ...(event as never as { result: object }).result, metrics: null } } : event;

describe.each([
  ['one call at a time', undefined],
  ['calls that share batches', 2],
])('a conversation with a worker, %s', (_, continuousBatching) => {
  const options = { ...LOAD, continuousBatching };
  let engine: Engine;
  let port: Port;
  beforeAll(async () => {
    ({ engine, port } = await openEngine(options));
  });
  afterAll(() => engine.dispose());
  afterEach(() => expect([port.open.size, port.isAlive]).toEqual([0, false]));

  it('has the events of an engine on this thread', async () => {
    await using here = await Tandem.load(MODEL, { ...options, worker: false });
    const inputs = [INPUT, [5, 99_999, 1], 'Thou art.'];
    const expected: unknown[] = [];
    for await (const event of here.stream(inputs, FEW)) expected.push(timeless(event));
    const found: unknown[] = [];
    const { signal } = new AbortController();
    for await (const event of engine.decode(inputs, FEW, signal)) found.push(timeless(event));
    expect(found).toEqual(expected);
    expect(found.length).toBeGreaterThan(inputs.length);
    await new Promise((resolve) => setTimeout(resolve, 0));
  });

  it.each(WITH_SIGNAL)('%s leaves no listener and no open question behind', async (name, call) => {
    const { signal, listeners } = counted();
    const value = await call(engine, signal);
    expect(value).toBeTruthy();
    if (name === 'decode') expect((value as StreamEvent[]).filter(isDone)).toHaveLength(1);
    expect(listeners()).toBe(0);
    await engine.encode('.', {}); // an `end` before it has been answered
  });

  it.each(WITH_SIGNAL)('%s ends by an abort with its reason, and cancels the question', async (_name, call) => {
    const { controller, signal, listeners } = counted();
    const before = port.posted.length;
    const running = call(engine, signal).catch((error) => error);
    await new Promise(setImmediate);
    const reason = new Error('enough');
    controller.abort(reason);
    const error = await running;
    expect(error).toMatchObject({ name: 'TandemError', code: 'aborted', cause: reason });
    expect(listeners()).toBe(0);
    const [first] = port.posted.slice(before) as { number: number; question: Question }[];
    const ended = port.posted.slice(before).flatMap((sent) => {
      if ('abort' in sent) return [sent.abort];
      return sent.question.ask === 'end' ? [sent.question.call] : [];
    });
    expect(ended).toEqual([first.number]);
    while (port.open.size > 0) await new Promise(setImmediate); // the worker hears of it, and answers
  });

  it.each(WITH_SIGNAL)(
    '%s with a signal that was aborted before is refused, and leaves nothing behind',
    async (_, call) => {
      const { controller, signal, listeners } = counted();
      controller.abort();
      await expect(call(engine, signal)).rejects.toMatchObject({ code: 'aborted' });
      expect(listeners()).toBe(0);
      while (port.open.size > 0) await new Promise(setImmediate);
    },
  );

  it('a reader that leaves ends its call in the worker', async () => {
    const { signal, listeners } = counted();
    const before = port.posted.length;
    for await (const _event of engine.decode([INPUT], { maxNewTokens: 40 }, signal)) break;
    expect(listeners()).toBe(0);
    const [first, ...rest] = port.posted.slice(before) as { number: number }[];
    const last = rest[rest.length - 1] as ToWorker;
    if (continuousBatching === undefined) expect(last).toMatchObject({ question: { ask: 'end', call: first.number } });
    else expect(last).toEqual({ abort: first.number });
    while (port.open.size > 0) await new Promise(setImmediate);
  });

  it('an error of the worker has its class, and the next call works', async () => {
    const { signal } = new AbortController();
    await expect(engine.compare([5, 99_999, 1], FEW, signal)).rejects.toBeInstanceOf(EngineError);
    await expect(engine.embed([[5, 99_999, 1]], {}, signal)).rejects.toBeInstanceOf(EngineError);
    expect(await engine.encode('.', {})).toEqual(expect.arrayContaining([1]));
  });

  it('what cannot be cloned is refused with the reason, and no question stays open', async () => {
    const { signal } = new AbortController();
    const options = { maxNewTokens: (() => 1) as never };
    const refused = { code: 'option-invalid', cause: expect.objectContaining({ name: 'DataCloneError' }) };
    await expect(engine.compare(INPUT, options, signal)).rejects.toMatchObject(refused);
    expect(port.isAlive).toBe(false);
  });

  it('functions and signals of options stay here', async () => {
    const { signal } = new AbortController();
    const own = { signal, processors: [() => undefined], prefixAllowedTokens: () => [1], trace: {}, onEncoding() {} };
    const before = port.posted.length;
    await engine.compare(INPUT, { ...FEW, ...(own as object) }, signal);
    expect(port.posted[before]).toMatchObject({ question: { options: FEW } });
    expect(Object.keys((port.posted[before] as never as { question: { options: object } }).question.options)).toEqual(
      Object.keys(FEW),
    );
  });
});
